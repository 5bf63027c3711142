"""Tilings at a given n: the listed tiles of every query tile, and their counts.

Closed-form runs stay runs (two integers a query tile); only tiles that tables or filters choose are
listed one by one. Time and memory grow with the query tiles and those listed tiles. Does not handle
devices.
"""

from __future__ import annotations

from itertools import chain
from math import gcd

import numpy as np
from numpy.typing import NDArray

from patternc.algebra.atoms import InRow, Within
from patternc.algebra.evaluate import Values, holds
from patternc.algebra.intervals import Interval, Sizes, expand, in_runs
from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import TRUE, conjunction
from patternc.algebra.work_budget import AT_ONCE, spend
from patternc.frozen import frozen
from patternc.ir.formula import Condition, Constant, FloorDivide, Variable
from patternc.relation.tables import Tables
from patternc.tiling.classify import candidate_tiles
from patternc.tiling.tiling import TableTiles, Tiling
from patternc.tiling.verdicts import Tiles

Integers = NDArray[np.int64]


@frozen
class Pairs:
    """Single tiles (row[t], tile[t]), sorted by row, then tile, without repeats."""

    row: Integers
    tile: Integers

    def of_row(self, row: int) -> Integers:
        first, last = np.searchsorted(self.row, [row, row + 1])
        return self.tile[first:last]


def sorted_pairs(row: Integers, tile: Integers) -> Pairs:
    if not len(row):
        return Pairs(row, tile)
    width = int(tile.max()) + 1
    # Sorting is several times faster than numpy's `unique`, which hashes.
    keys = np.sort(row * width + tile)
    keys = keys[np.append(True, keys[1:] != keys[:-1])]
    return Pairs(keys // width, keys % width)


def joined(parts: list[Pairs]) -> Pairs:
    """All tiles of several lists."""
    if len(parts) == 1:
        return parts[0]
    empty = np.zeros(0, np.int64)
    return sorted_pairs(
        np.concatenate([empty, *(part.row for part in parts)]),
        np.concatenate([empty, *(part.tile for part in parts)]),
    )


def listed_singly(runs: tuple[Interval, ...], rows: Integers, sizes: Sizes) -> Pairs:
    """Every tile of `runs`, one by one."""
    parts, total = [], 0
    for part in chain.from_iterable(expand(run, rows, sizes) for run in runs):
        parts.append(part)
        total += len(part[0])
        if total > AT_ONCE:
            spend(total)
    if not parts:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64))
    return sorted_pairs(
        np.concatenate([row for row, _ in parts]), np.concatenate([tile for _, tile in parts])
    )


def tile_rows(tiling: Tiling, sizes: Sizes) -> Integers:
    """The numbers of all query tiles."""
    count = -(-sizes.n // tiling.query_tile)
    spend(count)
    return np.arange(count)


# --- products -------------------------------------------------------------------------------


def product_tiles(product: TableTiles, tiling: Tiling, tables: Tables) -> tuple[Pairs, Pairs]:
    """The full and the partial tiles of a product at the tables' n."""
    rows = tile_rows(tiling, tables.sizes)
    held = [item.atom for item in product.literals if item.positive]
    listed = [atom for atom in held if isinstance(atom, InRow)]
    spans = [atom for atom in held if isinstance(atom, Within)]
    if listed:
        pairs, full = _row_table_tiles(listed[0], product, tiling, tables)
        alone = len(product.literals) == 1
        full = full if alone else np.zeros(len(pairs.row), np.bool_)
    elif spans:
        pairs = _span_tiles(spans[0], product, tiling, tables)
        full = np.zeros(len(pairs.row), np.bool_)
    else:
        pairs = listed_singly(product.runs, rows, tables.sizes)
        full = np.zeros(len(pairs.row), np.bool_)
    shape = tiling.query_tile, tiling.key_tile
    found = Tiles(pairs.row, pairs.tile, shape, tables).verdict(condition_of(product))
    uncut = (pairs.tile + 1) * tiling.key_tile <= tables.m
    full |= found.every & uncut
    full_kept, partial_kept = found.some & full, found.some & ~full
    return (
        Pairs(pairs.row[full_kept], pairs.tile[full_kept]),
        Pairs(pairs.row[partial_kept], pairs.tile[partial_kept]),
    )


def condition_of(product: TableTiles) -> Condition:
    """The formula of a product, and its literals."""
    literals = (item.atom if item.positive else item.atom.negated() for item in product.literals)
    return conjunction([product.formula, *literals])


def _row_table_tiles(
    atom: InRow, product: TableTiles, tiling: Tiling, tables: Tables
) -> tuple[Pairs, NDArray[np.bool_]]:
    """Tiles that a table's entries touch, and which of them they fill.

    Entries are cut into cells that divide both the table's blocks and the tiles; integer sets tell
    which cells the product's formula touches and fills, so the listed tiles are exact.
    """
    block = atom.table.block
    if atom.table.parts or unit_of(atom) != block:
        rows = tile_rows(tiling, tables.sizes)
        pairs = listed_singly(product.runs, rows, tables.sizes)
        return pairs, np.zeros(len(pairs.row), np.bool_)
    height, width = gcd(block, tiling.query_tile), gcd(block, tiling.key_tile)
    row, key = _cells(tables.rows(atom.table), block, height, width, tables.sizes)
    values: Values = {"i": row, "j": key, **tables.sizes.values}
    kept = np.broadcast_to(
        holds(candidate_tiles(product.formula, height, width, tables.keys), values), row.shape
    )
    row, key = row[kept], key[kept]
    pairs = sorted_pairs(row * height // tiling.query_tile, key * width // tiling.key_tile)
    return pairs, _filled(pairs, row, key, height, width, product, tiling, tables.sizes)


def _span_tiles(atom: Within, product: TableTiles, tiling: Tiling, tables: Tables) -> Pairs:
    """Tiles that the intervals of a table touch, among those of the product's formula."""
    table = tables.spans(atom.table)
    ends, index = table.reshape(-1, 2), np.repeat(np.arange(len(table)), table.shape[1] // 2)
    by_key = "j" in variables_of(atom.index)
    own, across = tiling.query_tile, tiling.key_tile
    if by_key:
        own, across = across, own
    kept = ends[:, 0] < ends[:, 1]
    index, start, stop = index[kept] // own, ends[kept, 0] // across, -(-ends[kept, 1] // across)
    width = stop - start
    spend(int(width.sum()))
    place = np.arange(width.sum()) - np.repeat(np.cumsum(width) - width - start, width)
    index = np.repeat(index, width)
    found = sorted_pairs(place, index) if by_key else sorted_pairs(index, place)
    inside = in_runs(product.runs, found.row, found.tile, tables.sizes)
    return Pairs(found.row[inside], found.tile[inside])


def unit_of(atom: InRow) -> int:
    """Tokens per row and key of the table, read off the atom; 0 where it counts otherwise."""
    match atom.row, atom.key:
        case FloorDivide(Variable("i"), Constant(size)), FloorDivide(Variable("j"), Constant(same)):
            return size if size == same else 0
        case Variable("i"), Variable("j"):
            return 1
    return 0


def _cells(
    keys: Integers, block: int, height: int, width: int, sizes: Sizes
) -> tuple[Integers, Integers]:
    """Entries [rows, k] as distinct cells of height x width tokens below n."""
    row, slot = np.nonzero(keys >= 0)
    tall, wide = block // height, block // width
    spend(len(row) * tall * wide)
    y = row[:, None, None] * tall + np.arange(tall)[None, :, None]
    x = keys[row, slot][:, None, None] * wide + np.arange(wide)[None, None, :]
    y, x = (np.broadcast_to(part, (len(row), tall, wide)).ravel() for part in (y, x))
    below = (y * height < sizes.n) & (x * width < sizes.m)
    cells = sorted_pairs(y[below], x[below])
    return cells.row, cells.tile


def _filled(
    pairs: Pairs,
    row: Integers,
    key: Integers,
    height: int,
    width: int,
    product: TableTiles,
    tiling: Tiling,
    sizes: Sizes,
) -> NDArray[np.bool_]:
    """Tiles, not cut by n on the key side, whose every cell below n is an entry."""
    if product.formula != TRUE:
        return np.zeros(len(pairs.row), np.bool_)
    tiles_wide = -(-sizes.m // tiling.key_tile)
    found = (row * height // tiling.query_tile) * tiles_wide + key * width // tiling.key_tile
    order, counts = np.unique(found, return_counts=True)
    rows_below_n = np.minimum(sizes.n - pairs.row * tiling.query_tile, tiling.query_tile)
    needed = -(-rows_below_n // height) * (tiling.key_tile // width)
    uncut = (pairs.tile + 1) * tiling.key_tile <= sizes.m
    return uncut & (counts == needed) if len(order) else uncut
