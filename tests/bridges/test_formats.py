"""Formats of other libraries: what is written is the mask of the layer, or is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.bridges import bsr, cudnn, flashinfer, flashmask, magi
from patternc.bridges.layer_masks import FormatError
from tests.bridges.programs import ROUND, SWEEP, program

SEEDS = [
    pytest.param(range(ROUND), id="few"),
    pytest.param(range(ROUND, SWEEP), marks=pytest.mark.sweep, id="many"),
]


def length(seed: int) -> int:
    return 12 + seed % 37


@pytest.mark.parametrize("seeds", SEEDS)
def test_flashmask_holds_what_it_does_not_refuse(seeds: range) -> None:
    written = 0
    for seed in seeds:
        n, pattern = length(seed), Pattern.parse(program(seed, heads=True))
        mask = pattern.mask(n)
        gaps = _gaps(mask)
        try:
            bounds, causal = flashmask.export(pattern, n)
        except FormatError:
            assert gaps > (1 if not np.triu(mask, 1).any() else 2)
            continue
        assert bounds.dtype == np.int32
        assert causal == (not np.triu(mask, 1).any())
        assert np.array_equal(np.broadcast_to(flashmask.dense(bounds, causal)[0], mask.shape), mask)
        written += 1
    assert written > len(seeds) // 2


def _gaps(mask: np.ndarray) -> int:
    """The most runs of rows that a key is hidden from; under causality those after it."""
    hidden = ~mask
    if not np.triu(mask, 1).any():
        hidden = hidden & np.tri(mask.shape[1], dtype=bool)
    edges = np.diff(np.pad(hidden, ((0, 0), (1, 0), (0, 0))).astype(int), axis=1)
    return int((edges == 1).sum(1).max())


@pytest.mark.parametrize("seeds", SEEDS)
def test_magi_slices_tile_the_mask(seeds: range) -> None:
    for seed in seeds:
        n, pattern = length(seed), Pattern.parse(program(seed))
        assert np.array_equal(magi.dense(*magi.export(pattern, n), n), pattern.mask(n)[0])


def test_magi_slices_of_windows_are_few() -> None:
    slices = magi.export(Pattern.parse("causal\nlocal(7) + columns([0:4])"), 64)
    assert list(zip(*(part.tolist() for part in slices), strict=True)) == [
        ([0, 12], [0, 12], magi.CAUSAL),
        ([12, 64], [0, 4], magi.FULL),
        ([12, 64], [5, 64], magi.BICAUSAL),
    ]


@pytest.mark.parametrize("seeds", SEEDS)
def test_endpoints_of_cudnn_hold_every_mask(seeds: range) -> None:
    for seed in seeds:
        n, pattern = length(seed), Pattern.parse(program(seed, heads=True))
        ends = cudnn.export(pattern, n, batch=2)
        assert ends.dtype == np.int32
        assert ends.shape[1] % 2 == 1
        found = cudnn.dense(ends, n, batch=2)
        assert np.array_equal(np.broadcast_to(found, (2, 2, n, n))[1], pattern.mask(n))


def test_endpoints_are_those_of_its_documentation() -> None:
    assert cudnn.export(Pattern.parse("causal"), 6).tolist() == [[[1, 2, 3, 4, 5, 6]]]
    window = cudnn.export(Pattern.parse("causal\nlocal(1) + columns([0])"), 5)
    assert window.tolist() == [[[1, 2, 3, 1, 1], [5, 5, 5, 2, 3], [5, 5, 5, 4, 5]]]
    with pytest.raises(FormatError, match="needs 21 endpoints, and most is 9"):
        cudnn.export(Pattern.parse("strided(3)"), 30, most=9)
    for ends in (np.zeros((1, 2, 4), int), np.zeros((1, 1, 4)), np.array([[[5, 1]]])):
        with pytest.raises(ValueError, match=r"endpoints"):
            cudnn.dense(ends, 4)


@pytest.mark.parametrize("seeds", SEEDS)
def test_flashinfer_and_bsr_hold_every_mask(seeds: range) -> None:
    for seed in seeds:
        pattern = Pattern.parse(program(seed, heads=True))
        n, mask = 36, pattern.mask(36)
        variable = flashinfer.variable_blocks(pattern, n)
        assert np.array_equal(flashinfer.dense_variable(*variable), mask)
        assert variable.block_row_sz.sum(1).tolist() == [n, n]
        if (mask[0] == mask[1]).all():
            found = flashinfer.block_sparse(pattern, n, (12, 6))
            dense = flashinfer.dense_block_sparse(*found[:2], (12, 6), n, found.mask)
            assert np.array_equal(dense, mask[0])
            tensor = bsr.to_torch(pattern, n, (12, 6))
            assert np.array_equal(tensor.to_dense().numpy(), mask[0])


def test_scipy_has_the_same_blocks() -> None:
    pytest.importorskip("scipy", reason="scipy is not among the test dependencies")
    pattern = Pattern.parse("local(5) + global([0])")
    found = bsr.to_scipy(pattern, 32, (8, 4))
    assert np.array_equal(found.toarray(), pattern.mask(32)[0])
    assert bsr.load(found).pattern.text == "global([0]) + local(5)\n"


@pytest.mark.parametrize(
    "load",
    [
        lambda one: flashmask.load(*flashmask.export(one, 40)),
        lambda one: magi.load(*magi.export(one, 40), 40),
        lambda one: bsr.load(bsr.to_torch(one, 40, (8, 8))),
        lambda one: cudnn.load(cudnn.export(one, 40), 40),
    ],
)
def test_what_is_written_is_read_as_a_program(load) -> None:
    found = load(Pattern.parse("causal\nlocal(7) + columns([0:4])"))
    assert found.pattern.diff("causal\nlocal(7) + columns([0:4])").outcome == "equal"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("causal\nfull with alibi", "it would lose `alibi`; mask_only=True gives the mask alone"),
        ("mix(local(3), local(3))", "how often `mix` counts a pair"),
        ("full with sink", "`sink`"),
        ("full + full on persistent(4)", "keys of `persistent`"),
        ("sum(local(3), strided(4))", "`sum` of several softmaxes"),
    ],
)
def test_nothing_beside_a_mask_is_dropped_unasked(text: str, told: str) -> None:
    pattern = Pattern.parse(text)
    for export in (flashmask.export, magi.export, flashinfer.variable_blocks, cudnn.export):
        with pytest.raises(FormatError) as caught:
            export(pattern, 24)
        assert told in str(caught.value)
    if "persistent" not in text:
        magi.export(pattern, 24, mask_only=True)
    else:
        with pytest.raises(FormatError):
            magi.export(pattern, 24, mask_only=True)


def test_heads_that_a_format_shares_must_be_alike() -> None:
    differing = Pattern.parse("heads 4\nlocal(2 + head // 2)")
    assert flashmask.export(differing, 20, kv_heads=2).startend_row_indices.shape == (1, 2, 20, 2)
    assert flashinfer.variable_blocks(differing, 20, kv_heads=2).block_row_sz.shape[0] == 2
    with pytest.raises(FormatError, match="kv_heads=1 they"):
        flashmask.export(differing, 20, kv_heads=1)
    with pytest.raises(FormatError, match="head 2 differs from head 0"):
        magi.export(differing, 20)
    with pytest.raises(FormatError, match="do not divide n = 20"):
        flashinfer.block_sparse(Pattern.parse("causal"), 20, (8, 8))


def test_arrays_that_are_not_of_the_format_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or 2] where causal=True"):
        flashmask.dense(np.zeros((1, 1, 8, 4), np.int32), True)
    with pytest.raises(ValueError, match="slices overlap: query 0, key 0 is in 2"):
        magi.dense([[0, 4], [0, 4]], [[0, 4], [0, 4]], [0, 1], 4)
    with pytest.raises(ValueError, match="not within n = 4"):
        magi.dense([[0, 5]], [[0, 4]], [0], 4)
    with pytest.raises(FormatError, match="slices, and most is 10"):
        magi.export(Pattern.parse("strided(3)"), 30, most=10)


def test_labels_of_one_batch_element_are_those_of_the_call() -> None:
    pattern = Pattern.parse("causal & same(doc)")
    doc = torch.arange(30) // 11
    bounds, causal = flashmask.export(pattern, 30, doc=doc)
    assert bounds.shape == (1, 1, 30, 1)
    assert bounds[0, 0, :, 0].tolist() == [11] * 11 + [22] * 11 + [30] * 8
    assert causal
    with pytest.raises(FormatError, match="for one batch element, the inputs have 2"):
        magi.export(pattern, 30, doc=torch.stack([doc, doc // 2]))


def test_a_text_in_place_of_a_pattern_is_told() -> None:
    with pytest.raises(TypeError, match="'causal'; expected a Pattern"):
        flashmask.export("causal", 8)  # type: ignore[arg-type]
