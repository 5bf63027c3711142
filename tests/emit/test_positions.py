"""Modifiers by positions of the call: against numpy-like formulas, in every backend."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
import torch

from patternc import Pattern
from patternc.emit.backend import UnsupportedError

N, HEADS, DIM = 21, 2, 8
_pattern = cache(Pattern.parse)
Tensors = dict[str, torch.Tensor]


def _numbers(*sizes: int) -> torch.Tensor:
    return torch.randn(sizes, generator=torch.Generator().manual_seed(sum(sizes)))


def _positions(*leading: int) -> torch.Tensor:
    """In no order, some of them twice."""
    random = torch.Generator().manual_seed(3)
    return torch.randint(-4, 12, (*leading, N), generator=random)


def _apart(places: torch.Tensor) -> torch.Tensor:
    """pos[j] - pos[i]: [batch or 1, heads or 1, n, n]."""
    places = places[(None,) * (3 - places.dim())]
    return places[..., None, :] - places[..., :, None]


def _t5(apart: torch.Tensor, given: Tensors) -> torch.Tensor:
    far = apart.abs()
    spread = (far.clamp(min=1).double() / 2).log() / torch.tensor(9 / 2).double().log()
    wide = (2 + (spread * 2).long()).clamp(max=3)
    bucket = torch.where(far < 2, far, wide) + 4 * (apart > 0)
    table = given["t5_bias"][bucket.clamp(max=7)]
    return (
        table.diagonal(dim1=1, dim2=4).movedim(-1, 1)
        if len(apart[0]) > 1
        else (table[:, 0].movedim(-1, 1))
    )


def _relative(apart: torch.Tensor, given: Tensors, q: torch.Tensor) -> torch.Tensor:
    table = q @ given["relative_keys"].T * DIM**-0.5
    place = apart.clamp(-3, 3) + 3
    return table.gather(3, place.expand(len(q), HEADS, -1, -1))


Score = Callable[[torch.Tensor, Tensors, torch.Tensor], torch.Tensor]
CASES: dict[str, tuple[str, Tensors, Score]] = {
    "alibi": (
        "alibi(slopes=mine, position=pos)",
        {"mine": _numbers(HEADS).abs()},
        lambda apart, given, _: -given["mine"][:, None, None] * apart.abs(),
    ),
    "t5": (
        "t5(8, 9, position=pos)",
        {"t5_bias": _numbers(8, HEADS)},
        lambda apart, given, _: _t5(apart, given),
    ),
    "relative": ("relative(3, position=pos)", {"relative_keys": _numbers(7, DIM)}, _relative),
}


@pytest.mark.parametrize("backend", ["reference", "cpu", "triton"])
@pytest.mark.parametrize("name", CASES)
def test_distances_are_those_of_the_positions(name: str, backend: str) -> None:
    text, learned, score = CASES[name]
    pattern, held = _pattern(f"local(9) with {text}"), _pattern("local(9)").module.mask(N)
    q, k, v = (_numbers(2, HEADS, N, DIM) + shift for shift in (0, 0.25, 0.5))
    for places in (_positions(), _positions(2, 1)):
        found_parts = [part.clone().requires_grad_() for part in (q, k, v, *learned.values())]
        parts = [part.clone().requires_grad_() for part in found_parts]
        given = dict(zip(learned, found_parts[3:], strict=True))
        found = pattern.attention(*found_parts[:3], backend=backend, pos=places, **given)
        added = score(_apart(places), dict(zip(learned, parts[3:], strict=True)), parts[0])
        scores = (parts[0] @ parts[1].mT * DIM**-0.5 + added).masked_fill(~held, -torch.inf)
        wanted = scores.softmax(-1) @ parts[2]
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
        for one, other in zip(
            torch.autograd.grad(found.sin().sum(), found_parts),
            torch.autograd.grad(wanted.sin().sum(), parts),
            strict=True,
        ):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_packed_documents_are_each_document_alone() -> None:
    text = "same(doc) with alibi{} with rotary(100{}) with softspan(4, z=reach{})"
    packed = _pattern("causal\n" + text.format("(position=pos)", *[", position=pos"] * 2))
    alone = _pattern("causal\n" + text.format("", "", ""))
    q, reach = _numbers(2, HEADS, N, DIM), torch.tensor([3.0, 9.0])
    doc = (torch.arange(N) >= 8).long()
    pos = torch.cat([torch.arange(8), torch.arange(N - 8)])
    found = packed.attention(q, q, q, doc=doc, pos=pos, reach=reach)
    for part in (slice(0, 8), slice(8, N)):
        own = q[:, :, part]
        wanted = alone.attention(own, own, own, doc=doc[part], reach=reach)
        torch.testing.assert_close(found[:, :, part], wanted, rtol=1e-4, atol=1e-5)


def test_padding_caches_and_few_queries_take_their_part_of_the_positions() -> None:
    pattern, q = (
        _pattern("causal\nfull with alibi(position=pos) with rotary(100, position=pos)"),
        (_numbers(2, HEADS, N, DIM)),
    )
    pos = _positions(2, 1)
    whole = pattern.attention(q, q, q, pos=pos)
    step = pattern.attention(q[:, :, -3:], q, q, pos=pos)
    torch.testing.assert_close(step, whole[:, :, -3:])
    middle = pattern.attention(q[:, :, 4:9], q, q, pos=pos, start=4)
    torch.testing.assert_close(middle, whole[:, :, 4:9])
    own, real = q[1:, :, 5:], torch.arange(N) >= torch.tensor([[0], [5]])
    padded = pattern.attention(q, q, q, pos=pos, key_padding=real)
    wanted = pattern.attention(own, own, own, pos=pos[1:, :, 5:])
    torch.testing.assert_close(padded[1:, :, 5:], wanted)


def test_slots_of_other_sources_have_positions_of_their_own() -> None:
    pattern = _pattern("(local(5) + full on memory(4)) with alibi(position=pos)")
    plain = _pattern("(local(5) + full on memory(4)) with alibi")
    q, pair = _numbers(2, HEADS, N, DIM), tuple(_numbers(2, HEADS, 4, DIM) for _ in range(2))
    places = {"pos": torch.arange(N), "pos_memory": torch.arange(-4, 0)}
    for backend in ("cpu", "reference"):
        found = pattern.attention(q, q, q, memory_kv=pair, backend=backend, **places)
        torch.testing.assert_close(found, plain.attention(q, q, q, memory_kv=pair))


def test_positions_decide_no_pairs() -> None:
    pattern = _pattern("causal\nfull with alibi(position=pos)")
    assert pattern.pairs(100) == [5050]
    assert pattern.mask(4).sum() == 10
    assert not any(item.decides for item in pattern.inputs)
    with pytest.raises(UnsupportedError, match="counts distances from a run-time input"):
        pattern.block_mask(32)


def test_what_has_no_position_is_refused() -> None:
    pattern, q = _pattern("full with alibi(position=pos)"), _numbers(2, HEADS, N, DIM)
    with pytest.raises(ValueError, match="2 more queries than tokens"):
        pattern.attention(q, q[:, :, 2:], q[:, :, 2:], pos=torch.arange(N - 2))
    with pytest.raises(ValueError, match="here n is 21"):
        pattern.attention(q, q, q, pos=torch.arange(N - 1))
    with pytest.raises(TypeError, match="'pos' is missing"):
        pattern.attention(q, q, q)
    turned = _pattern("full with rotary(100, position=pos)")
    with pytest.raises(ValueError, match="turns once"):
        turned.attention(q, q[:, :1], q[:, :1], pos=torch.arange(N).expand(1, HEADS, N))
