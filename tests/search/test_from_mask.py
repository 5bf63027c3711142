"""`from_mask`: programs of masks, proved at their length; what no rule explains is counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.search.from_mask.terms import tokens
from patternc.zoo import published, zoo
from tests.examples import SMALLER

N = 64
# Programs that are found again, or shorter ones; with the length of their text.
FOUND = [
    "full",
    "none",
    "causal",
    "causal\nlocal(7)",
    "causal & ~diagonal",
    "local(3) + global([0, -1])",
    "local(left=9, right=-2)",
    "causal\nlocal(5, dilation=3)",
    "local(2) + strided(8)",
    "causal\nsegment(16) + columns(period(16, 12:16))",
    "segment(8, back=1) - columns([0:4])",
    "columns([0:20]) + causal",
    "local(40) & strided(2) - columns([5])",
    "rows([3, 40:44]) + diagonal",
    "blocks(8) { local(1) + global([0]) }",
    "blocks(parts=2) { permuted([1, 0]) }",
    "segment(32, dilation=4, offset=1)",
    "where((i + 5) // 16 == (j + 5) // 16)",
    "where(i < 20 and j >= 30 and j <= i + 30) + diagonal",
    "neighborhood([8, 8], radius=[1, 2], edge=shift)",
    "neighborhood([4, 4, 4], radius=[1, 0, 1])",
    "windows([8, 8], size=[4, 4], shift=[2, 2])",
    pytest.param("windows([8, 8], size=[3, 4], shift=[1, 2], edge=wrap)", marks=pytest.mark.sweep),
    "causal\noffsets(powers(3)) + diagonal",
    "offsets([-5, 3, 7, 19])",
    pytest.param(
        "causal\nwithin(10:) { where(abs(i % 9 - j % 9) < 4) } + columns([:10])",
        marks=pytest.mark.sweep,
    ),
    "within(:-4) { blocks(2) { neighborhood([5, 6], radius=[1, 1], edge=shift) } } + global([-4:])",
]


def length(text: str) -> int:
    return tokens(re.sub(r"#.*", "", text))


@pytest.mark.parametrize("text", FOUND)
def test_a_program_is_found_again(text: str) -> None:
    mask = Pattern.parse(text).mask(N)
    pattern, report = Pattern.from_mask(mask)
    assert np.array_equal(pattern.mask(N), mask)
    assert report.found
    assert report.tokens == length(pattern.text) <= 2 * length(text)


# Examples whose masks are of the tokens, and what makes them small. What no short program was found
# for is a list: lists at run time, integers of single tokens, a picture of which few rows are seen.
SMALL: dict[str, dict[str, int]] = {
    **SMALLER,
    "natten_1d": {"length": 128},
    "natten_1d_causal": {"length": 128},
    "crossformer": {"side": 8},
    "maxvit": {"side": 14},
    "qwen_vision": {"side": 8},
    "sam": {"side": 28},
    "swin": {"side": 14},
    "tree_decoding": {"text": 40},
}
NOT_FOUND = {
    *((name, n) for n in (64, 256) for name in ("tree_decoding", "deepseek_sparse", "reformer")),
    *((name, n) for n in (64, 256) for name in ("routing", "image_spans", "draft_anchors")),
    ("image_transformer_2d", 256),
    ("alphafold3_atoms", 256),
    ("openfold3_atoms", 256),
}
# Their lists are of blocks, of which there is one.
BLOCKS = ("moba", "nsa", "sinkhorn")


def inputs_of(pattern: Pattern, n: int) -> dict[str, Any]:
    labels, lists = np.arange(n) // 13, np.arange(4 * n).reshape(n, 4) * 7919 % n
    if Path(pattern.name).stem in BLOCKS:
        lists = np.zeros((n, 1), int)
    kinds = {"labels": labels, "set": labels % 5 == 2, "listed": lists, "integers": labels}
    kinds |= {"integer": np.array(5), "offsets": np.array([1, 5])}
    return {x.name: kinds[x.role] for x in pattern.inputs if x.role in kinds}


def masks_of(name: str, n: int) -> Iterator[np.ndarray]:
    """The distinct masks of an example, of each layer and head."""
    pattern = Pattern.from_zoo(name, **SMALL.get(name, {}))
    fitting = pattern.fitting()
    n = fitting[0] if fitting else n
    seen: dict[bytes, np.ndarray] = {}
    for layer in range(pattern.layers or 1):
        for mask in pattern.mask(n, layer=layer, **inputs_of(pattern, n)):
            seen.setdefault(mask.tobytes(), mask)
    yield from seen.values()


def verify_example(name: str, n: int) -> None:
    most, explained = 2 * length(published(name)), []
    for mask in masks_of(name, n):
        pattern, report = Pattern.from_mask(mask)
        found = pattern.mask(mask.shape[1], **report.inputs)
        assert np.array_equal(found[0], mask)
        assert 0 <= report.unexplained <= mask.sum()
        explained.append(report.found and report.tokens <= most)
    assert all(explained) == ((name, n) not in NOT_FOUND)


@pytest.mark.parametrize(
    "name",
    ["block_diffusion", "packed_documents", "tree_decoding"],
)
def test_the_masks_of_an_example_are_found(name: str) -> None:
    verify_example(name, N)


@pytest.mark.sweep
@pytest.mark.parametrize("n", [64, 256])
def test_the_masks_of_every_example_are_found(n: int) -> None:
    for name in zoo():
        if " on " not in re.sub(r"#.*", "", published(name)):
            verify_example(name, n)


def test_draws_are_a_list_and_counted() -> None:
    mask = Pattern.parse("blocks(8) { local(1) + random(2) }").mask(N)
    pattern, report = Pattern.from_mask(mask)
    assert "local(1) + listed(pairs)" in pattern.text
    assert not report.found
    rest = Pattern.parse("blocks(8) { local(1) }").mask(N)
    assert report.unexplained == (mask & ~rest).sum()
    assert np.array_equal(pattern.mask(N, **report.inputs), mask)
    assert "not explained" in str(report)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("causal\nheads 4\nlocal(7 + 4 * head)", "local(7 + 4 * head)"),
        ("causal\nheads 4\nhead < 3 -> strided(8)\nelse -> local(7)", "head == 3 -> local(7)"),
        ("heads 2\ncausal\nlocal(9)", "causal\nlocal(9)\n"),
        ("heads 2\nhead == 0 -> causal\nelse -> full", "else"),
    ],
)
def test_heads_share_a_program_or_have_rules(text: str, written: str) -> None:
    mask = Pattern.parse(text).mask(N)
    pattern, report = Pattern.from_mask(mask)
    assert written in pattern.text
    assert report.found
    assert np.array_equal(np.broadcast_to(pattern.mask(N), mask.shape), mask)


def test_lists_of_heads_are_one_table() -> None:
    mask = np.random.default_rng(0).random((2, 20, 20)) < 0.3
    pattern, report = Pattern.from_mask(mask)
    assert report.inputs["pairs"].shape[:2] == (2, 20)
    assert np.array_equal(pattern.mask(20, **report.inputs), mask)


def test_fewer_queries_are_the_last_rows() -> None:
    mask = Pattern.parse("causal\nlocal(20) + columns([0:4])").mask(N, queries=16)
    pattern, report = Pattern.from_mask(mask)
    assert report.found
    assert report.queries == 16
    assert np.array_equal(pattern.mask(N, queries=16), mask)


@pytest.mark.parametrize("text", ["local(n // 4)", "causal + columns([-1])", "where(j >= n // 2)"])
def test_masks_of_several_lengths_have_one_program_of_n(text: str) -> None:
    one = Pattern.parse(text)
    found = Pattern.from_mask(one.mask(N), also=[one.mask(33), one.mask(86)])
    assert found.report.general
    assert one.diff(found.pattern, 128).outcome == "equal"


def test_a_window_is_told_from_the_whole_triangle_by_a_longer_length() -> None:
    def window(b, h, q, k):
        return (k <= q) & (q - k < 70)

    assert Pattern.from_mask(window, N, lengths=[]).pattern.text == "causal\n"
    found = Pattern.from_mask(window, N)
    assert found.pattern.text == "causal\nlocal(69)\n"
    assert found.report.general
    assert [each.n for each in found.report.lengths] == [33, 86]


def test_a_program_of_one_length_says_where_it_differs() -> None:
    def mask_mod(b, h, q, k):
        return (k <= q) & ((k * k * k) % 61 > 2 * (k > 30))

    found = Pattern.from_mask(mask_mod, 28, lengths=[40])
    assert [each.n for each in found.report.lengths] == [40]
    assert found.report.general is (found.report.lengths[0].differing == 0)
    wanted = Pattern.from_mask(mask_mod, 40, lengths=[])
    other = wanted.pattern.mask(40, **wanted.report.inputs)
    assert found.report.lengths[0].differing == (found.pattern.mask(40) != other).sum()


def test_a_block_mask_is_its_blocks_and_its_function() -> None:
    one = Pattern.parse("local(20) + global([0])")
    found = Pattern.from_mask(one.block_mask(96, block_size=32))
    assert found.report.found
    assert np.array_equal(found.pattern.mask(96), one.mask(96))


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float32, torch.bfloat16])
def test_tensors_of_masks_are_read(dtype: torch.dtype) -> None:
    mask = torch.ones(1, 1, 9, 9, dtype=torch.bool).tril()
    given = mask.to(dtype)
    if dtype.is_floating_point:
        given = torch.where(mask, 0.0, torch.finfo(dtype).min).to(dtype)
    assert Pattern.from_mask(given).pattern.text == "causal\n"


@pytest.mark.parametrize(
    ("mask", "given", "error", "told"),
    [
        (np.ones((4, 4)) * 0.5, {}, ValueError, "other float64 values"),
        (np.ones((5, 4), bool), {}, ValueError, "5 queries and 4 keys"),
        (np.ones(4, bool), {}, TypeError, r"shape \(4,\)"),
        ("causal", {}, TypeError, "expected booleans"),
        (np.ones((4, 4), bool), {"n": 5}, ValueError, "n is 5, and the mask has 4 keys"),
        (np.ones((4, 4), bool), {"lengths": [5]}, ValueError, "only a mask function"),
        (np.stack([np.eye(4), np.ones((4, 4))]).astype(bool)[:, None], {}, ValueError, "different"),
        (lambda b, h, q, k: q >= k, {}, ValueError, "pass n="),
        (lambda b, h, q, k: q >= k and q < 3, {"n": 4}, ValueError, "`&` and `|` for `and`"),
        (lambda q, k: q >= k, {"n": 4}, ValueError, r"mask_mod\(b, h, q_idx, kv_idx\)"),
        (lambda b, h, q, k: q - k, {"n": 4}, ValueError, "int64; expected booleans"),
        (np.ones((1, 5000), bool), {}, ValueError, "at most 4,096"),
    ],
)
def test_what_is_no_mask_is_refused(
    mask: object, given: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        Pattern.from_mask(mask, **given)
