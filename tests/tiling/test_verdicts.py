"""What run-time integers say of tiles: no pair is lost, no mask left out where one is needed."""

from __future__ import annotations

import numpy as np
import pytest

from patternc import Pattern
from patternc.relation.tables import Tables
from patternc.tiling.verdicts import Tiles

N, TILE = 45, (8, 4)
# Conditions of all operators; tiles of the others are exact.
CONDITIONS = {
    "a tree": "a[j] <= a[i] and a[i] < b[j]",
    "an order": "a[i] >= a[j] + 3 and not a[j] == 5",
    "bounds": "j < b[i] or b[j] - 2 > i",
    "a window": "0 <= a[i] - a[j] and a[i] - a[j] < 4",
    "distances": "abs(a[i] - a[j]) < 3 and abs(b[j] - 2 * j) > 1",
    "divisions": "a[i] // 4 == a[j] // 4 and (a[i] + a[j]) % 5 < 3",
    "least and greatest": "min(a[i], b[j]) < max(3 * a[j], i - 7)",
    "one side": "a[i] % 3 == 1 and b[j] != n // 2",
    "labels": "a[i] == a[j] and a[i] >= 0",
}
INPUTS = {
    "rising": lambda random: np.sort(random.integers(-3, 30, N)),
    "random": lambda random: random.integers(-9, 40, N),
    "steps": lambda random: np.arange(N) // 9,
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_verdicts_hold_for_every_pair_of_their_tiles(name: str) -> None:
    pattern = Pattern(f"where({CONDITIONS[name]})")
    (relation,) = pattern.relations()
    random, told = np.random.default_rng(0), 0
    for make in INPUTS.values():
        inputs = {x.name: make(random) for x in pattern.inputs}
        held = pattern.mask(N, **inputs)[0]
        row, tile = (part.ravel() for part in np.indices((-(-N // TILE[0]), -(-N // TILE[1]))))
        found = Tiles(row, tile, TILE, Tables(N, inputs)).verdict(relation.branches[0].predicate)
        for a, b, some, every in zip(row, tile, *found, strict=True):
            rows, keys = (
                slice(at * size, (at + 1) * size) for at, size in zip((a, b), TILE, strict=True)
            )
            part = held[rows, keys]
            assert some or not part.any()
            assert part.all() or not every
            told += bool(every) + (not some)
    assert told


def test_counts_and_layouts_of_trees_are_those_of_the_mask() -> None:
    tin = np.arange(200)
    tout = np.where(tin % 50 < 20, 200, (tin // 50 + 1) * 50)
    pattern = Pattern("visible(tin, tout) + columns([3])")
    dense = pattern.mask(200, tin=tin, tout=tout)[0]
    assert pattern.pairs(200, tin=tin, tout=tout) == [dense.sum()]
    layout, filled = pattern.layout(200, 16, tin=tin, tout=tout), 0
    for a in range(13):
        part = dense[16 * a : 16 * a + 16]
        kinds = {tile.index: tile.kind for tile in layout.row(0, a)}
        for b in range(13):
            pairs = part[:, 16 * b : 16 * b + 16]
            assert b in kinds or not pairs.any()
            # Those of the column of tiles that the formula lists stay partial.
            assert (kinds.get(b) == "full") == (b > 0 and pairs.all() and pairs.shape[1] == 16)
            filled += kinds.get(b) == "full"
    assert layout.counts().full[0] == filled > 0


def test_tiles_of_what_spans_do_not_hold_are_listed() -> None:
    pattern = Pattern("(before(number) - contextual(3)) on tree(2)")
    number = np.random.default_rng(0).integers(-3, 70, 33)
    dense = pattern.mask(33, number=number)[0]
    layout = pattern.layout(33, 16, number=number)
    for a in range(3):
        listed = {tile.index for tile in layout.row(0, a)}
        rows = dense[16 * a : 16 * a + 16]
        assert {b for b in range(5) if rows[:, 16 * b : 16 * b + 16].any()} <= listed
