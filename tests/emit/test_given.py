"""What run-time inputs may hold: every backend, both masks and `pairs` refuse or warn alike."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from patternc import Pattern

N = 10
Inputs = dict[str, torch.Tensor]
_pattern = cache(Pattern.parse)


def _asked(text: str, inputs: Inputs, queries: int = N) -> dict[str, Callable[[], Any]]:
    """Everything that looks at the inputs of a call."""
    pattern = _pattern(text)
    arrays = {name: value.numpy() for name, value in inputs.items()}
    q = torch.randn(2, 2, N, 8)

    def attention(backend: str) -> Callable[[], Any]:
        options = {"backend": backend, **inputs}
        return lambda: pattern.attention(q[:, :, N - queries :], q, q, **options)

    return {
        "Pattern.mask": lambda: pattern.mask(N, queries, **arrays),
        "mask": lambda: pattern.module.mask(N, queries=queries, **inputs),
        **{backend: attention(backend) for backend in ("cpu", "triton", "reference")},
    }


REFUSED: dict[str, tuple[str, Inputs, str]] = {
    "a padding mask as integers": (
        "columns(valid)",
        {"valid": torch.tensor([1] * 6 + [0] * 4)},
        "is this a mask",
    ),
    "a mask of bytes": (
        "global(valid)",
        {"valid": torch.ones(N, dtype=torch.uint8)},
        "is this a mask",
    ),
    "a mask of other positions": (
        "rows(valid)",
        {"valid": torch.tensor([1, 0, 1])},
        "is this a mask",
    ),
    "lengths": ("columns(valid)", {"valid": torch.tensor([N, 4])}, "these are|are these"),
    "a position past the end": (
        "columns(valid)",
        {"valid": torch.tensor([-1, N])},
        "has a position 10",
    ),
    "a position before the first": (
        "global(valid)",
        {"valid": torch.tensor([-1 - N, 3])},
        "has a position -11",
    ),
    "a block past the end": (
        "blocks(4) { columns(valid) }",
        {"valid": torch.tensor([3])},
        "has a position 3",
    ),
    "a part past the end": (
        "blocks(parts=3) { columns(valid) }",
        {"valid": torch.tensor([3])},
        "has a position 3",
    ),
    "lists of fewer rows": (
        "listed(plan)",
        {"plan": torch.zeros(N - 1, 2).long()},
        r"shape \[9, 2\]|integers \[10, k\]",
    ),
    "lists of more rows": (
        "listed(plan)",
        {"plan": torch.zeros(N + 1, 2).long()},
        r"shape \[11, 2\]|integers \[10, k\]",
    ),
    "lists of tokens inside blocks": (
        "blocks(4) { listed(plan) }",
        {"plan": torch.zeros(N, 2).long()},
        r"shape \[10, 2\]|integers \[3, k\]",
    ),
    "an entry past the end": (
        "listed(plan)",
        {"plan": torch.full((N, 2), N)},
        "has an entry 10",
    ),
    "a block's entry past the end": (
        "blocks(4) { listed(plan) } + local(1)",
        {"plan": torch.full((3, 2), 3)},
        "has an entry 3",
    ),
}


@pytest.mark.filterwarnings("ignore:valid. integers are positions")
@pytest.mark.parametrize("what", REFUSED)
def test_a_table_that_does_not_fit_is_refused_wherever_it_is_asked(what: str) -> None:
    text, inputs, message = REFUSED[what]
    for ask in _asked(text, inputs).values():
        with pytest.raises(ValueError, match=message):
            ask()
    arrays = {name: value.numpy() for name, value in inputs.items()}
    with pytest.raises(ValueError, match=message):
        _pattern(text).pairs(N, **arrays)


ACCEPTED: dict[str, tuple[str, Inputs]] = {
    "the first two positions": ("global(question)", {"question": torch.tensor([0, 1])}),
    "every position": ("columns(question)", {"question": torch.arange(N)}),
    "positions from the end": ("columns(question)", {"question": torch.tensor([-N, -1, -1])}),
    "no position": ("global(question)", {"question": torch.zeros(0).long()}),
    "none but empty entries": ("listed(plan)", {"plan": torch.full((N, 3), -1)}),
    "no entries": ("listed(plan) + local(1)", {"plan": torch.zeros(N, 0).long()}),
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_a_table_that_fits_is_taken_and_means_the_same_everywhere(what: str) -> None:
    text, inputs = ACCEPTED[what]
    ask = _asked(text, inputs)
    assert np.array_equal(ask["Pattern.mask"](), ask["mask"]().numpy())
    q = torch.randn(2, 2, N, 8)
    wanted = _pattern(text).attention(q, q, q, backend="reference", **inputs)
    for backend in ("cpu", "triton"):
        found = _pattern(text).attention(q, q, q, backend=backend, **inputs)
        torch.testing.assert_close(found, wanted)


def test_tables_on_a_source_count_its_slots() -> None:
    pattern = _pattern("local(1) + (columns(chosen) & listed(plan)) on encoder")
    q, memory = torch.randn(1, 2, 4, 8), torch.randn(1, 2, 7, 8)
    call = {"encoder_kv": (memory, memory)}
    fine = {"chosen": torch.ones(7) > 0, "plan": torch.full((4, 2), 6)}
    for backend in ("cpu", "reference"):
        pattern.attention(q, q, q, backend=backend, **call, **fine)
        for name, value, message in (
            ("chosen", torch.ones(4) > 0, "there are 7 slots"),
            ("chosen", torch.tensor([7]), "there are 7 slots"),
            ("plan", torch.full((4, 2), 7), "there are 7 slots"),
            ("plan", torch.full((7, 2), 0), r"plan has shape \[7, 2\]"),
        ):
            with pytest.raises(ValueError, match=message):
                pattern.attention(q, q, q, backend=backend, **call, **{**fine, name: value})


@pytest.mark.parametrize("labels", [[0] * 6 + [-1] * 4, [-1] * N, [0] * 9 + [-1]])
def test_queries_behind_the_labelled_keys_are_warned_of(labels: list[int]) -> None:
    """The last rows are meant, so a static cache with unused slots would see nothing."""
    for text in ("causal & same(doc)", "blocks(1) { same(doc) } + global([0])"):
        for ask in _asked(text, {"doc": torch.tensor(labels)}, queries=1).values():
            with pytest.warns(UserWarning, match="the queries are the last rows"):
                ask()


@pytest.mark.filterwarnings("error::UserWarning")
def test_padded_rows_among_all_rows_are_not_warned_of() -> None:
    for name, ask in _asked("same(doc)", {"doc": torch.tensor([0] * 6 + [-1] * 4)}).items():
        assert name != "Pattern.mask" or not ask()[0, 6:].any()
        ask()


def test_integers_that_may_be_lengths_are_warned_of_and_refused_where_they_repeat() -> None:
    q = torch.randn(2, 2, N, 8)
    pattern = _pattern("columns(valid)")
    with pytest.warns(UserWarning, match="if these are lengths"):
        pattern.attention(q, q, q, valid=torch.tensor([7, 4]))
    with pytest.raises(ValueError, match="are these lengths"):
        pattern.attention(q, q, q, valid=torch.tensor([7, 7]))


def test_a_row_of_least_floats_in_a_bias_is_warned_of_and_others_are_not() -> None:
    q, pattern = torch.randn(1, 2, N, 8), _pattern("full with bias(scores)")
    masked = torch.zeros(2, N, N)
    masked[:, :, 0] = torch.finfo(torch.float32).min
    empty = masked.clone()
    empty[:, 3] = -torch.inf
    for backend in ("cpu", "triton", "reference"):
        for scores in (masked, empty):
            with warnings.catch_warnings(record=True) as found:
                warnings.simplefilter("always")
                pattern.attention(q, q, q, scores=scores, backend=backend)
            assert not [w for w in found if "great negative" in str(w.message)]
        for least in (torch.finfo(torch.float32).min, torch.finfo(torch.float16).min):
            scores = masked.clone()
            scores[1, 3] = least
            with pytest.warns(UserWarning, match="scores has a row of great negative numbers"):
                pattern.attention(q, q, q, scores=scores, backend=backend)


ELSEWHERE = {
    "attn_mask": "a mask is part of the pattern",
    "attention_mask": "a mask is part of the pattern",
    "key_padding_mask": "Padding is key_padding=, True for real keys",
    "is_causal": "a line `causal` in the pattern",
    "dropout_p": "it is dropout=",
    "softmax_scale": "it is scale=",
    "causal": "a line `causal` in the pattern",
    "window_size": r"local\(left=l, right=r\)",
    "block_mask": "the pattern is the mask",
    "score_mod": "modifiers of scores are part of the pattern",
    "enable_gqa": "shared as they come",
    "alibi_slopes": "with alibi",
    "cu_seqlens_q": r"same\(doc\).*labels_from_lengths",
    "softcap": r"with softcap\(50\)",
    "slots": "only `mask` takes it",
    "encoder_kv": "no term of this pattern is `on encoder`",
    "memory": "no term of this pattern is `on memory`",
    "encoder": "slots=",
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_an_argument_of_another_function_is_told_what_to_write(name: str) -> None:
    q = torch.randn(1, 2, N, 8)
    with pytest.raises(TypeError, match=ELSEWHERE[name]):
        _pattern("local(1)").attention(q, q, q, **{name: None})


def test_masks_of_a_pattern_without_an_encoder_are_not_told_to_give_its_slots() -> None:
    for given in ({"encoder": 3}, {"encoder_kv": 3}, {"memory": 3}):
        with pytest.raises(ValueError, match="no term of this pattern is `on"):
            _pattern("local(1)").mask(N, **given)  # type: ignore[arg-type]


def test_nested_tensors_are_told_to_be_packed() -> None:
    parts = [torch.randn(3, 2, 8), torch.randn(4, 2, 8)]
    q = torch.randn(2, 2, 4, 8)
    jagged = torch.nested.nested_tensor(parts, layout=torch.jagged).transpose(1, 2)
    for call in ((jagged, jagged, jagged), (q, jagged, jagged)):
        with pytest.raises(TypeError, match=r"is a nested tensor; .* same\(doc\)"):
            _pattern("local(1)").attention(*call)


def test_strided_nested_tensors_are_told_so_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch: a prototype
        nested = torch.nested.nested_tensor([torch.randn(2, N, 8)])
    with pytest.raises(TypeError, match="is a nested tensor"):
        _pattern("local(1)").attention(nested, nested, nested)


def test_other_layouts_are_told_to_be_made_dense() -> None:
    q = torch.randn(1, 2, N, 8)
    for part in (q.to_sparse(), q.to_mkldnn()):
        with pytest.raises(TypeError, match=r"k has layout torch\.\w+; .* \.to_dense\(\)"):
            _pattern("local(1)").attention(q, part, q)


def test_tensors_without_data_give_shapes() -> None:
    q = torch.randn(1, 2, N, 8, device="meta", requires_grad=True)
    out, lse = _pattern("local(1)").attention(q, q, q, return_lse=True)
    assert (out.device.type, out.shape, lse.shape) == ("meta", q.shape, q.shape[:3])
    out.sum().backward()
    assert q.grad is not None
    assert q.grad.shape == q.shape


@pytest.mark.parametrize("value", [True, "1", b"1"])
@pytest.mark.parametrize("name", ["scale", "dropout", "seed", "layer", "start"])
def test_numbers_of_a_call_are_no_texts_and_no_booleans(name: str, value: object) -> None:
    q = torch.randn(1, 2, N, 8)
    with pytest.raises(TypeError, match=f"{name} is {re.escape(repr(value))}; expected a"):
        _pattern("local(1)").attention(q, q, q, **{name: value})


def test_no_seed_draws_one() -> None:
    q = torch.randn(1, 2, N, 8)
    found = [_pattern("full").attention(q, q, q, dropout=0.5, seed=None) for _ in range(2)]
    assert not torch.equal(*found)


def test_slots_of_a_memory_and_an_encoder_have_labels_of_their_own() -> None:
    """They are other sequences: slot j has not the label of token j."""
    pattern = _pattern("same(doc) + same(doc) on memory(4) + same(doc) on encoder")
    inputs = {
        "doc": torch.tensor([[0, 0, 1, 1, 2, -1], [0, 1, 1, 2, 2, 2]]),
        "doc_memory": torch.tensor([2, 0, -1]),
        "doc_encoder": torch.tensor([[1, 1, 0, 2, -1], [2, 2, 2, 2, 0]]),
    }
    of_keys = [inputs["doc"], inputs["doc_memory"].expand(2, -1), inputs["doc_encoder"]]
    columns = torch.cat(of_keys, 1)[:, None]
    rows = inputs["doc"][:, :, None]
    wanted = (rows == columns) & (rows >= 0)
    sizes = {"memory": 3, "encoder": 5}
    assert torch.equal(pattern.module.mask(6, slots=sizes, **inputs)[:, 0], wanted)
    arrays = {name: value.numpy() for name, value in inputs.items()}
    assert np.array_equal(pattern.mask(6, slots=sizes, **arrays)[:, 0], wanted.numpy())
    assert pattern.pairs(6, slots=sizes, **arrays) == wanted.sum((1, 2))[:, None].tolist()
    q, memory, encoder = (torch.randn(2, 2, n, 8) for n in (6, 3, 5))
    call = {"memory_kv": (memory, memory), "encoder_kv": (encoder, encoder), **inputs}
    exact = pattern.attention(q, q, q, backend="reference", **call)
    for backend in ("cpu", "triton"):
        torch.testing.assert_close(pattern.attention(q, q, q, backend=backend, **call), exact)
    with pytest.raises(ValueError, match="there are 5 slots"):
        pattern.attention(q, q, q, **{**call, "doc_encoder": inputs["doc"]})


def test_checks_of_values_do_not_stop_a_compiled_call_and_still_refuse() -> None:
    pattern, q = _pattern("columns(valid) + same(doc)"), torch.randn(1, 2, N, 8)
    compiled = torch.compile(
        lambda valid, doc: pattern.attention(q, q, q, valid=valid, doc=doc),
        fullgraph=True,
        backend="aot_eager",
    )
    doc, valid = torch.zeros(N).long(), torch.tensor([0, 3])
    wanted = pattern.attention(q, q, q, valid=valid, doc=doc)
    assert torch.equal(compiled(valid, doc), wanted)
    with pytest.raises(ValueError, match="has a position 10"):
        compiled(torch.tensor([0, N]), doc)


@pytest.mark.parametrize(
    ("term", "inputs"),
    [
        ("same(doc) on memory(5)", {"doc": N, "doc_memory": 3}),
        ("same(doc) on encoder", {"doc": N, "doc_encoder": 7}),
        ("columns(chosen) on pool(4, sum)", {"chosen": 3}),
    ],
)
def test_inputs_of_a_rule_that_never_applies_may_have_any_length(term, inputs):
    pattern = Pattern(f"layers 1\nlayer == 0 -> full\nelse -> full + {term}\n")
    dtype = torch.bool if "chosen" in inputs else torch.int64
    given = {name: torch.zeros(count, dtype=dtype) for name, count in inputs.items()}
    assert pattern.module.multiplicity(N, **given).sum() == N * N
    q = torch.randn(1, 1, N, 8)
    assert torch.equal(pattern.attention(q, q, q, **given), pattern.attention(q, q, q))


def test_rows_that_only_a_rule_which_never_applies_asks_for_have_no_count():
    text = (
        "heads 1\nhead < 1 -> local(1)\nelse -> full on stream(g, 3)\nrows g\nlisted(plan_in_g)\n"
    )
    pattern = Pattern(text)
    q = torch.randn(1, 1, N, 8)
    wanted = pattern.reference(q, q, q)
    torch.testing.assert_close(pattern.attention(q, q, q, backend="cpu"), wanted)


@pytest.mark.parametrize(
    ("term", "name", "size"),
    [
        ("blocks(3) { same(doc) + random(1) }", "doc", 4),
        ("blocks(parts=5) { same(doc) + random(1) }", "doc", 5),
        ("blocks(2) { blocks(3) { same(doc) } + random(1) }", "doc", 2),
        ("blocks(3) { random(1, avoid=same(doc)) }", "doc", 4),
        ("blocks(3) { listed(doc) + random(1) }", "doc", 4),
        (
            "full on stream(g, 4)\nrows g\nblocks(3) { same(doc) + random(1) } on stream(g, 4)",
            "",
            2,
        ),
    ],
)
def test_what_a_draw_in_blocks_avoids_counts_blocks(term: str, name: str, size: int) -> None:
    pattern, rows = Pattern.parse(term), {"rows": "g"} if "rows g" in term else {}
    names = [item.name for item in pattern.inputs if item.role in ("labels", "listed")]
    assert name in ("", *names)
    shape = (size, 2) if "listed" in term else (size,)
    given = {each: np.arange(size * len(shape)).reshape(shape) % size for each in names}
    expected = pattern.mask(N, **rows, **given)
    tensors = {each: torch.from_numpy(value) for each, value in given.items()}
    assert np.array_equal(pattern.module.mask(N, **rows, **tensors).numpy(), expected)


@pytest.mark.parametrize("share", ["", ", share=head"])
@pytest.mark.parametrize("heads", [1, 2])
def test_draws_avoid_the_lists_of_their_own_head(share: str, heads: int) -> None:
    pattern = Pattern.parse(f"heads 2\nlisted(chosen) + random(3, pool=[0:6]{share})")
    lists = np.random.default_rng(0).integers(0, 6, (heads, N, 2))
    found = pattern.module.mask(N, chosen=torch.from_numpy(lists))
    assert np.array_equal(found.numpy(), pattern.mask(N, chosen=lists))
