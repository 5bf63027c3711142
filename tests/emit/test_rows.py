"""Rows of streams and trees in generated modules, against attention written down by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from patternc import Pattern
from tests.compiled import module_of_pattern
from tests.emit.dense import WAYS, Call, converted, detached, draw

Tensor = torch.Tensor
SLOTS = 21
ETC = f"""
(local(9) + full on stream(g, {SLOTS})) with relative(12)
rows g
same(sentence) + full on stream(g, {SLOTS})
"""


@pytest.fixture(scope="module")
def etc() -> Any:
    return module_of_pattern(Pattern.parse(ETC))


def sentences(n: int) -> tuple[Tensor, Tensor]:
    """Of the tokens and of the slots; some of either belong to none."""
    return torch.randint(-1, SLOTS, (2, n)).sort(1).values, torch.randperm(SLOTS + 5)[:SLOTS] - 1


def global_rows(n: int) -> tuple[Call, tuple[Tensor, Tensor], dict[str, Any], Tensor]:
    """q of the slots with g2l keys and values, those of g2g, labels, and what comes out."""
    call = Call.of(SLOTS, n)
    own, (of_tokens, of_slots) = call.pair(SLOTS), sentences(n)
    seen = (of_slots[:, None] == of_tokens[:, None]) & (of_slots >= 0)[:, None]
    out, _ = call.softmax(
        (call.scores(), seen[:, None], call.v),
        (call.scores(own[0]), torch.ones(SLOTS, SLOTS, dtype=torch.bool), own[1]),
    )
    return call, own, {"sentence": of_tokens, "sentence_g": of_slots}, out


@pytest.mark.parametrize("n", [1, 19, 200])
@pytest.mark.parametrize(("backend", "dtype", "bound"), WAYS)
def test_global_tokens_attend_with_projections_of_their_own(
    etc: Any, n: int, backend: str, dtype: torch.dtype, bound: float
) -> None:
    call, own, labels, wanted = global_rows(n)
    parts = converted((call.q, call.k, call.v), dtype)
    inputs = {"g_kv": converted(own, dtype), **labels}
    out, lse = etc.attention(*parts, rows="g", backend=backend, return_lse=True, **inputs)
    torch.testing.assert_close(out.double(), wanted, rtol=bound, atol=bound)
    assert lse.shape == (2, 2, SLOTS)


def test_the_rows_of_the_tokens_stay_as_they_are(etc: Any) -> None:
    """l2l and l2g in one softmax, distances to slots by their index."""
    call, table = Call.of(70, 70), draw(25, 16)
    keys, values = call.pair(SLOTS)

    def positioned(distance: Tensor) -> Tensor:
        return (call.q @ table.mT).gather(
            3, (distance.clamp(-12, 12) + 12).expand(2, 2, -1, -1)
        ) / 4

    own = torch.arange(SLOTS) - call.i
    out, _ = call.softmax(
        (call.scores() + positioned(call.distance), call.distance.abs() <= 9, call.v),
        (call.scores(keys) + positioned(own), torch.ones(70, SLOTS, dtype=torch.bool), values),
    )
    for backend in ("cpu", "reference"):
        found = etc.attention(
            call.q, call.k, call.v, g_kv=(keys, values), relative_keys=table, backend=backend
        )
        torch.testing.assert_close(found, out)


def test_gradients_of_global_rows_reach_tokens_and_slots(etc: Any) -> None:
    call, own, labels, _ = global_rows(60)
    found = []
    for backend in ("cpu", "reference"):
        leaves = [detached(part) for part in (call.q, call.k, call.v, *own)]
        out = etc.attention(
            *leaves[:3], g_kv=tuple(leaves[3:]), rows="g", backend=backend, **labels
        )
        found.append(torch.autograd.grad(out.square().sum(), leaves))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
        assert other.abs().max() > 0


def test_masks_of_the_module_are_those_of_the_pattern(etc: Any) -> None:
    pattern = Pattern.parse(ETC)
    of_tokens, of_slots = sentences(150)
    labels = {"sentence": of_tokens[:1], "sentence_g": of_slots}
    mask = etc.mask(150, rows="g", **labels)
    arrays = {name: part.numpy() for name, part in labels.items()}
    assert torch.equal(mask, torch.from_numpy(pattern.mask(150, rows="g", **arrays)))
    assert torch.equal(etc.mask(30), torch.from_numpy(pattern.mask(30)))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"rows": "h"}, ValueError, "rows='h': expected 'g', or none for those of the tokens"),
        ({"rows": None}, TypeError, "the run-time input 'relative_keys' is missing"),
        ({"q": draw(2, 2, 9, 16)}, ValueError, "q has 9 queries; the rows of 'g' are 21"),
        ({"sentence_g": torch.zeros(30, dtype=int)}, ValueError, "sentence_g has shape"),
        ({"sentence": torch.zeros(21, dtype=int)}, ValueError, "sentence has shape"),
        ({"g_kv": (draw(2, 2, 9, 16),) * 2}, ValueError, "g_kv has shape"),
        ({"sentenc": draw(25, 16)}, TypeError, "unexpected argument 'sentenc'"),
    ],
)
def test_a_call_that_does_not_fit_the_rows_is_told_why(
    etc: Any, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    call, own, labels, _ = global_rows(30)
    given = {"q": call.q, "k": call.k, "v": call.v, "g_kv": own, "rows": "g", **labels}
    with pytest.raises(error, match=message.replace("(", r"\(")):
        etc.attention(**given | changes)


def test_rows_of_each_layer_and_head_and_of_streams_without_rules() -> None:
    text = """
        layers 2
        heads 2
        local(3) + full on stream(g, 5) + full on stream(h, 3)
        rows g
        layer == 0 and head == 0 -> columns([-1]) + random(2) + diagonal on stream(g, 5)
        else                     -> local(left=layer + head) + full on stream(h, 3)
    """
    pattern = Pattern.parse(text)
    module = module_of_pattern(pattern)
    for rows, layer in (("g", 0), ("g", 1), ("h", 0)):
        counts = module.multiplicity(40, rows=rows, layer=layer)
        wanted = torch.from_numpy(pattern.multiplicity(40, layer=layer, rows=rows))
        assert torch.equal(counts.sum(-1), wanted.sum(-1))
        assert torch.equal(counts.sum(1).sort(-1).values, wanted.sum(1).sort(-1).values)
    call = Call.of(3, 40)
    pairs = {"g_kv": call.pair(5), "h_kv": call.pair(3)}
    keys, values = (torch.cat([own, *parts], 2) for own, *parts in zip(
        (call.k, call.v), *pairs.values(), strict=True
    ))  # fmt: skip
    seen = torch.ones(3, 48, dtype=torch.bool)
    wanted, _ = call.softmax((call.scores(keys), seen, values))
    found = module.attention(call.q, call.k, call.v, rows="h", layer=1, **pairs)
    torch.testing.assert_close(found, wanted)


# Trees.


def nodes(n: int, branching: int) -> list[range]:
    """The tokens of every node, level by level."""
    found, width = [range(token, token + 1) for token in range(n)], branching
    while width < n * branching and n > 1:
        found += [range(start, min(start + width, n)) for start in range(0, n, width)]
        width *= branching
    return found


@pytest.mark.parametrize("n", [1, 45, 150])
@pytest.mark.parametrize("text", ["diagonal + contextual(2) on tree(2)",
                                  "causal\ndiagonal + contextual(3) on tree(3)"])  # fmt: skip
@pytest.mark.parametrize(("backend", "dtype", "bound"), WAYS)
def test_tokens_attend_to_spans_and_spans_to_their_tokens(
    n: int, text: str, backend: str, dtype: torch.dtype, bound: float
) -> None:
    pattern, branching = Pattern.parse(text), int(text[-2])
    module = module_of_pattern(pattern)
    spans = nodes(n, branching)
    call, (keys, values) = Call.of(n, n), Call.of(n, n).pair(len(spans))
    mask = torch.from_numpy(pattern.mask(n)[0])
    wanted, _ = call.softmax(
        (call.scores(), mask[:, :n], call.v), (call.scores(keys), mask[:, n:], values)
    )
    parts, pair = converted((call.q, call.k, call.v), dtype), converted((keys, values), dtype)
    out = module.attention(*parts, tree_kv=pair, backend=backend)
    torch.testing.assert_close(out.double(), wanted, rtol=bound, atol=bound)
    asking = Call(draw(2, 2, len(spans) - n, 16), call.k, call.v)
    covered = torch.tensor([[token in span for token in range(n)] for span in spans[n:]])
    wanted, _ = asking.softmax((asking.scores(), covered.view(-1, n).bool(), call.v))
    own = converted((asking.q, asking.k, asking.v), dtype)
    out = module.attention(*own, rows="tree", backend=backend)
    torch.testing.assert_close(out.double(), wanted, rtol=bound, atol=bound)


def test_a_layer_of_a_tree_takes_views_of_one_tensor_of_node_states() -> None:
    """Tokens first: one projection of all nodes serves both sorts of rows."""
    module = module_of_pattern(Pattern.parse("diagonal + contextual(4) on tree(2)"))
    n, count = 37, len(nodes(37, 2))
    q, k, v = (draw(2, 2, count, 16).requires_grad_() for _ in range(3))
    tokens = k[:, :, :n], v[:, :, :n]
    states = [
        torch.cat([
            module.attention(q[:, :, :n], *tokens, tree_kv=(k, v), backend=backend),
            module.attention(q[:, :, n:], *tokens, rows="tree", backend=backend),
        ], 2)
        for backend in ("cpu", "reference")
    ]  # fmt: skip
    torch.testing.assert_close(*states)
    gradients = [torch.autograd.grad(state.square().sum(), (q, k, v)) for state in states]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)
    cut = k[:, :, 1:], v[:, :, 1:]
    with pytest.raises(ValueError, match=f"tree_kv has shape .*{count - 1}"):
        module.attention(q[:, :, :n], *tokens, tree_kv=cut)
    with pytest.raises(ValueError, match="the rows of 'tree' are 40"):
        module.attention(q, *tokens, rows="tree")
