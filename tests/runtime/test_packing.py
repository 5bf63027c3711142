"""Labels of packed and padded batches, and attention by them against each document alone."""

from __future__ import annotations

import doctest
import itertools
import math

import pytest
import torch

from patternc import Pattern
from patternc.runtime import packing
from patternc.runtime.packing import labels_from_lengths, labels_from_padding


def random(*shape):
    generator = torch.Generator().manual_seed(math.prod(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def dense(query, key, value, left):
    n = query.shape[-2]
    distance = torch.arange(n)[:, None] - torch.arange(n)
    scores = query @ key.mT / query.shape[-1] ** 0.5
    return scores.masked_fill((distance < 0) | (distance > left), -math.inf).softmax(-1) @ value


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(packing)
    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize(
    ("cumulative", "n", "labels"),
    [
        ([0, 2, 5], 5, [0, 0, 1, 1, 1]),
        ([0, 2, 5], 7, [0, 0, 1, 1, 1, -1, -1]),
        ([0, 0, 2, 2, 3, 3], 4, [1, 1, 3, -1]),
        ([0], 2, [-1, -1]),
        ([0, 0], 0, []),
    ],
)
def test_labels_count_documents_and_leave_out_padding(cumulative, n, labels, dtype):
    found = labels_from_lengths(torch.tensor(cumulative, dtype=dtype), n)
    assert found.dtype == torch.int64
    assert found.tolist() == labels


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64])
def test_labels_of_a_padding_mask(dtype):
    mask = torch.tensor([[1, 1, 0], [0, 1, 1], [0, 0, 0]]).to(dtype)
    found = labels_from_padding(mask)
    assert found.dtype == torch.int64
    assert found.tolist() == [[0, 0, -1], [-1, 0, 0], [-1, -1, -1]]


@pytest.mark.parametrize(
    ("text", "left"),
    [("causal & same(document)", 1000), ("causal\nlocal(40) & same(document)", 40)],
)
def test_packed_documents_are_computed_as_if_alone(text, left):
    ends = [0, 37, 38, 38, 151, 200]
    n = 213
    query, key, value = random(3, 1, 2, n, 8)
    labels = labels_from_lengths(torch.tensor(ends, dtype=torch.int32), n)
    out, lse = Pattern.parse(text).module.attention(
        query, key, value, document=labels, return_lse=True
    )
    for first, last in itertools.pairwise(ends):
        alone = (tensor[:, :, first:last] for tensor in (query, key, value))
        torch.testing.assert_close(out[:, :, first:last], dense(*alone, left))
    assert not out[:, :, ends[-1] :].any()
    assert (lse[:, :, ends[-1] :] == -math.inf).all()


def test_a_batch_of_packs_takes_the_labels_of_each():
    packs = ([0, 20, 50], [0, 33, 60])
    labels = torch.stack([labels_from_lengths(torch.tensor(ends), 60) for ends in packs])
    query, key, value = random(3, 2, 2, 60, 8)
    module = Pattern.parse("causal & same(document)").module
    out = module.attention(query, key, value, document=labels)
    for row, ends in enumerate(packs):
        for first, last in itertools.pairwise(ends):
            alone = (tensor[row, :, first:last] for tensor in (query, key, value))
            torch.testing.assert_close(out[row, :, first:last], dense(*alone, 60))
    assert not out[0, :, 50:].any()


def test_padding_on_either_side_does_not_change_a_sequence():
    mask = torch.tensor([[True] * 30 + [False] * 9, [False] * 17 + [True] * 22])
    query, key, value = random(3, 2, 2, 39, 8)
    module = Pattern.parse("causal\nlocal(12) & same(padding)").module
    out = module.attention(query, key, value, padding=labels_from_padding(mask))
    for row, tokens in enumerate((slice(0, 30), slice(17, 39))):
        alone = (tensor[row, :, tokens] for tensor in (query, key, value))
        torch.testing.assert_close(out[row, :, tokens], dense(*alone, 12))
        assert not out[row, :, ~mask[row]].any()


@pytest.mark.parametrize(
    ("cumulative", "error", "message"),
    [
        (torch.tensor([0.0, 2.0]), TypeError, "torch.float32; expected integers"),
        (torch.tensor([False, True]), TypeError, "torch.bool; expected integers"),
        (torch.tensor([[0, 2]]), ValueError, r"\[1, 2\]; expected \[documents \+ 1\]"),
        (torch.tensor([], dtype=torch.int64), ValueError, r"\[0\]; expected \[documents \+ 1\]"),
        (torch.tensor([2, 4]), ValueError, "begin with 2; expected 0"),
        (torch.tensor([0, 4, 3]), ValueError, "decrease"),
        (torch.tensor([0, 4, 6]), ValueError, "documents of 6 tokens in all; expected 5 at most"),
    ],
)
def test_bad_cumulative_lengths_are_refused(cumulative, error, message):
    with pytest.raises(error, match=message):
        labels_from_lengths(cumulative, 5)


def test_bad_padding_masks_are_refused():
    with pytest.raises(ValueError, match=r"mask \[3\]; expected \[batch, n\]"):
        labels_from_padding(torch.ones(3, dtype=torch.bool))
    with pytest.raises(TypeError, match=r"mask of torch.float32; expected booleans or integers"):
        labels_from_padding(torch.zeros(1, 3))
