"""Keyed draws: the published numbers, bijections, uniformity, and the rules of passing over."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from patternc.ir.formula import Constant
from patternc.ir.terms import Empty, Listing, PositionRange, Random
from patternc.semantics.random_tables import draw, permute

EVERYTHING = Listing((PositionRange(None, None),))

# size, (seed, layer, head, row), the first images; the table of the manual.
VECTORS = [
    (1, (0, 0, 0, 0), [0]),
    (2, (0, 0, 0, 1), [0, 1]),
    (7, (0, 0, 0, 0), [5, 6, 2, 4, 1, 0, 3]),
    (7, (0, 0, 0, 1), [3, 4, 5, 0, 1, 2, 6]),
    (7, (0, 0, 1, 0), [6, 3, 4, 5, 0, 1, 2]),
    (7, (0, 1, 0, 0), [2, 3, 5, 4, 0, 1, 6]),
    (7, (1, 0, 0, 0), [5, 0, 1, 4, 6, 3, 2]),
    (7, (1 << 32, 0, 0, 0), [1, 4, 2, 5, 0, 3, 6]),
    (14, (3, 11, 7, 16383), [4, 1, 7, 12, 5, 10, 13, 6]),
    (256, (0, 0, 0, 0), [81, 99, 117, 63, 141, 19, 43, 242]),
    (257, (0, 0, 0, 0), [115, 122, 171, 127, 190, 19, 43, 242]),
    (1_000_000, (42, 5, 3, 999_999), [539647, 342828, 285633, 423394, 904604, 702227]),
    (1 << 33, (42, 5, 3, 999_999), [3317089084, 5305138837, 2029801141, 4412525142]),
]


def random(count: int, pool: Listing = EVERYTHING, *, past_only: bool = False) -> Random:
    return Random(count, pool, seed=3, layer=1, head=2, avoid=Empty(), past_only=past_only)


def nothing_avoided(rows: np.ndarray, keys: np.ndarray) -> np.ndarray:
    return np.zeros(np.broadcast_shapes(rows.shape, keys.shape), bool)


def listing(*ends: tuple[int | None, int | None]) -> Listing:
    def bound(end: int | None) -> Constant | None:
        return None if end is None else Constant(end)

    return Listing(tuple(PositionRange(bound(start), bound(stop)) for start, stop in ends))


@pytest.mark.parametrize(("size", "key", "images"), VECTORS)
def test_permutation_has_the_published_values(size, key, images):
    assert permute(np.arange(len(images)), size, *key).tolist() == images


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 255, 256, 257, 1000, 5000])
def test_permutation_is_a_bijection_for_every_row(size):
    images = permute(np.arange(size), size, 9, 2, 5, np.arange(20)[:, None])
    assert (np.sort(images, axis=1) == np.arange(size)).all()


@pytest.mark.parametrize("size", [4, 5, 6])
def test_every_order_of_a_small_pool_is_equally_likely(size):
    orders = permute(np.arange(size), size, 0, 0, 0, np.arange(60_000)[:, None])
    counts = np.unique(orders @ size ** np.arange(size), return_counts=True)[1]
    assert len(counts) == math.factorial(size)
    assert chi_square_per_degree(counts) < 1.5


@pytest.mark.parametrize("size", [14, 60, 200])
def test_first_two_draws_are_equally_likely_pairs(size):
    first, second = permute(np.arange(2), size, 7, 0, 0, np.arange(200_000)[:, None]).T
    counts = np.bincount(first * size + second, minlength=size * size).reshape(size, size)
    assert chi_square_per_degree(counts[~np.eye(size, dtype=bool)]) < 1.2


@pytest.mark.parametrize("other", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_seeds_layers_and_heads_draw_independently(other):
    rows = np.arange(100_000)
    one, two = permute(0, 14, 0, 0, 0, rows), permute(0, 14, *other, rows)
    assert chi_square_per_degree(np.bincount(one * 14 + two, minlength=196)) < 1.5


def test_neighbouring_rows_draw_independently():
    draws = permute(0, 14, 0, 0, 0, np.arange(100_001))
    assert chi_square_per_degree(np.bincount(draws[:-1] * 14 + draws[1:], minlength=196)) < 1.5


def chi_square_per_degree(counts: np.ndarray) -> float:
    expected = counts.mean()
    return float(((counts - expected) ** 2 / expected).sum() / (counts.size - 1))


@pytest.mark.parametrize("size", [1, 14, 256, 1000, 1 << 40])
def test_torch_computes_the_same_bits(size):
    index, rows = np.arange(min(size, 50)), np.arange(0, 1 << 33, 1 << 28)[:, None]
    ours = permute(index, size, (1 << 62) + 5, 3, 11, rows)
    theirs = torch_permute(torch.from_numpy(index), size, (1 << 62) + 5, 3, 11, torch.tensor(rows))
    assert np.array_equal(ours, theirs.numpy())


def torch_mix(x: torch.Tensor) -> torch.Tensor:
    x = x ^ (x >> 16)
    x = (x * 0x85EBCA6B) & 0xFFFFFFFF
    x = x ^ (x >> 13)
    x = (x * 0xC2B2AE35) & 0xFFFFFFFF
    return x ^ (x >> 16)


def torch_permute(
    index: torch.Tensor, size: int, seed: int, layer: int, head: int, row: torch.Tensor
) -> torch.Tensor:
    mask, golden = 0xFFFFFFFF, 0x9E3779B9
    key = torch.full_like(row, golden)
    for part in (seed & mask, seed >> 32 & mask, layer, head, row & mask):
        key = torch_mix(((key ^ part) + golden) & mask)
    keys = [torch_mix((key + (r + 1) * golden) & mask) for r in range(4)]
    bits = max(8, (size - 1).bit_length())
    low = bits // 2

    def network(x: torch.Tensor) -> torch.Tensor:
        left, right = x >> low, x & ((1 << low) - 1)
        for r in range(4):
            width = low if r % 2 else bits - low
            left, right = right, left ^ (torch_mix(right ^ keys[r]) & ((1 << width) - 1))
        return left << low | right

    x = network(index.expand(len(row), -1))
    while (x >= size).any():
        x = torch.where(x >= size, network(x), x)
    return x


@pytest.mark.parametrize("past_only", [False, True])
def test_draws_are_the_first_allowed_members_in_the_keyed_order(past_only):
    n, rows = 90, np.arange(90)
    table = draw(random(4, listing((70, None), (3, 40)), past_only=past_only), n, rows, near)
    pool = np.r_[3:40, 70:90]
    for row in rows:
        order = pool[permute(np.arange(len(pool)), len(pool), 3, 1, 2, row)]
        allowed = [key for key in order if abs(key - row) > 5 and not (past_only and key > row)]
        expected = (allowed + [-1] * 4)[:4]
        assert table[row].tolist() == expected, row


def near(rows: np.ndarray, keys: np.ndarray) -> np.ndarray:
    return abs(rows - keys) <= 5


def test_a_row_does_not_depend_on_the_rows_drawn_with_it():
    whole = draw(random(5), 40_000, np.arange(40_000), near)
    some = np.array([0, 17, 39_999])
    assert np.array_equal(draw(random(5), 40_000, some, near), whole[some])


def test_a_row_with_too_few_members_takes_them_all():
    table = draw(random(8, listing((2, 5))), 100, np.arange(3), nothing_avoided)
    assert (np.sort(table, axis=1) == [[-1] * 5 + [2, 3, 4]] * 3).all()
    assert (table[:, 3:] == -1).all()


def test_a_row_that_may_take_only_the_last_candidate_finds_it():
    n = 30_000
    last = int(permute(n - 1, n, 3, 1, 2, 6))
    table = draw(random(2), n, np.array([6]), lambda rows, keys: keys != last)
    assert table.tolist() == [[last, -1]]


def test_a_row_that_may_take_nothing_is_empty():
    table = draw(random(2), 70_000, np.arange(2), lambda rows, keys: keys >= 0)
    assert (table == -1).all()


def test_rows_before_the_first_token_draw_nothing():
    table = draw(random(2), 10, np.arange(-3, 2), nothing_avoided)
    assert (table[:3] == -1).all()
    assert (table[3:] >= 0).all()


def test_a_pool_is_cut_at_the_length_and_counts_repeats_once():
    pool = listing((-3, None), (8, 12), (-100, 1))
    table = draw(random(20, pool), 10, np.arange(4), nothing_avoided)
    assert (np.sort(table, axis=1)[:, -4:] == [0, 7, 8, 9]).all()
    assert (table >= 0).sum(axis=1).tolist() == [4, 4, 4, 4]


@pytest.mark.parametrize("n", [0, 1])
def test_tiny_lengths_have_tables(n):
    table = draw(random(3), n, np.arange(n), nothing_avoided)
    assert table.tolist() == [[0, -1, -1]] * n


def test_the_manual_prints_the_same_vectors():
    manual = (Path(__file__).parents[2] / "grammar" / "README.md").read_text()
    section = manual.split("\n## Random keys\n", 1)[1].split("\n## ", 1)[0]
    row = r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| ([\d, ]+) \|$"
    printed = [
        (int(size), tuple(map(int, key)), list(map(int, images.split(", "))))
        for size, *key, images in re.findall(row, section, re.MULTILINE)
    ]
    assert printed == VECTORS
