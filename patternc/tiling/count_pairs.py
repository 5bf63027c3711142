"""Counting pairs exactly at a given n, without a mask.

Maps a branch to integers: integer sets list each row's keys as runs, whose lengths add up; pairs
that only tables hold are counted tile by tile, over the tiles that the tables touch. Time grows
with n and those tiles, within `relation.effort` where that is set. Closed forms in n are in
`analysis.cost`.
"""

from __future__ import annotations

import numpy as np

from patternc.algebra import simplify
from patternc.algebra.evaluate import Booleans, Integers, Values, holds
from patternc.algebra.filtered_intervals import counts
from patternc.algebra.intervals import Sizes
from patternc.algebra.isl_context import KeyCount
from patternc.algebra.work_budget import spend
from patternc.ir.formula import Condition
from patternc.relation.relation import Branch, Relation
from patternc.relation.tables import HeadTables, Tables
from patternc.tiling.classify import candidate_tiles, classify, tiling
from patternc.tiling.count_parts import pairs_by_parts
from patternc.tiling.count_runs import pairs_by_blocks, pairs_by_runs
from patternc.tiling.tile_lists import Pairs, joined, listed_singly, product_tiles

CELLS = 1 << 22
TILE = 64


def pairs_with_multiplicity(relation: Relation, tables: HeadTables) -> int:
    """The sum of mu over all pairs of one head."""
    return sum(
        branch.multiplicity * pairs_of(branch, tables.of(branch.source))
        for branch in relation.branches
    )


def pairs_of(branch: Branch, tables: Tables) -> int:
    """Pairs of one branch at the tables' sizes."""
    closed = _formula_pairs(branch.formula, branch.keys, tables)
    return closed + (_beside_formula(branch, tables) if branch.conjuncts else 0)


def pairs_at_once(formula: Condition, keys: KeyCount, sizes: Sizes) -> int | None:
    """By runs where every run is an interval, of blocks too, else by parts that are alike."""
    found = pairs_by_runs(formula, keys, sizes)
    found = pairs_by_blocks(formula, *sizes) if found is None else found
    return pairs_by_parts(formula, *sizes) if found is None else found


def _formula_pairs(formula: Condition, keys: KeyCount, tables: Tables) -> int:
    if (known := pairs_at_once(formula, keys, tables.sizes)) is not None:
        return known
    found, rows = classify(formula, TILE, TILE, keys), _tile_rows(tables.n)
    partial = listed_singly(found.partial, rows, tables.sizes)
    height = np.minimum(TILE, tables.n - rows * TILE)
    full = sum((counts(run, rows, tables.sizes) for run in found.full), np.zeros_like(rows))
    return int((full * height).sum()) * TILE + _held(formula, partial.row, partial.tile, tables)


def _beside_formula(branch: Branch, tables: Tables) -> int:
    """Pairs that tables hold and the formula does not."""
    found = tiling(branch, TILE, TILE)
    parts = [product_tiles(product, found, tables) for product in found.products]
    filled = joined([full for full, _ in parts])
    touched_tiles = joined([pairs for both in parts for pairs in both])
    alone = _untouched(filled, branch, tables)
    area = _area(filled.row[alone], filled.tile[alone], tables)
    others = ~np.isin(_codes(touched_tiles), _codes(filled)[alone])
    beside = simplify.conjunction([branch.predicate, simplify.negation(branch.formula)])
    return area + _held(beside, touched_tiles.row[others], touched_tiles.tile[others], tables)


def _untouched(tiles: Pairs, branch: Branch, tables: Tables) -> Booleans:
    """Tiles in which the formula holds no pair."""
    at: Values = {"i": tiles.row, "j": tiles.tile, **tables.sizes.values}
    held = holds(candidate_tiles(branch.formula, TILE, TILE, branch.keys), at)
    return ~np.broadcast_to(held, tiles.row.shape)


def _tile_rows(n: int) -> Integers:
    spend(-(-n // TILE))
    return np.arange(-(-n // TILE))


def _codes(tiles: Pairs) -> Integers:
    return tiles.row << 32 | tiles.tile


def _area(row: Integers, tile: Integers, tables: Tables) -> int:
    """Pairs of whole tiles, cut at the end of the sequence."""
    height = np.minimum(TILE, tables.n - row * TILE)
    width = np.minimum(TILE, tables.m - tile * TILE)
    return int((height * width).sum())


def _held(predicate: Condition, row: Integers, tile: Integers, tables: Tables) -> int:
    """Pairs of the predicate in the tiles, some tiles at a time."""
    spend(len(row) * TILE**2, kept=False)
    total, inside = 0, np.arange(TILE)
    for first in range(0, len(row), CELLS // TILE**2):
        some = slice(first, first + CELLS // TILE**2)
        i = (row[some, None] * TILE + inside)[:, :, None]
        j = (tile[some, None] * TILE + inside)[:, None, :]
        below = (i < tables.n) & (j < tables.m)
        held = tables.holds(predicate, {"i": i, "j": np.minimum(j, tables.m - 1)})
        total += int((below & held).sum())
    return total
