"""Counting the pairs of a formula by parts of the plane that are alike, exactly and at one length.

Maps a formula and the numbers of rows and keys to a count: by cells, positions that it cannot tell
apart; else by blocks of a size that it divides by, whose formulas are few; those are counted in the
same way. So windows of grids are counted at any size. None where neither helps. Does not handle
tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

from patternc.algebra.cells import Side, UncellularError, coordinates
from patternc.algebra.evaluate import Integers, Values, evaluate, holds
from patternc.algebra.intervals import Sizes
from patternc.algebra.restrict import NotRestrictedError, restricted
from patternc.algebra.simplify import FALSE, TRUE, conjunction
from patternc.algebra.walk import leaves, sides_of, subexpressions
from patternc.algebra.work_budget import EffortError
from patternc.ir.formula import (
    All,
    Atom,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Modulo,
)
from patternc.tiling.count_runs import CUT, pairs_by_runs

# Cells of one side; pairs evaluated one by one; blocks, and kinds of them.
MOST_CELLS, FEW_PAIRS, MOST_BLOCKS, MOST_KINDS = 1 << 12, 1 << 22, 1 << 12, 1 << 7
MOST_POSITIONS = 1 << 22


@lru_cache(maxsize=4096)
def pairs_by_parts(formula: Condition, rows: int, keys: int) -> int | None:
    """Pairs with 0 <= i < rows and 0 <= j < keys; `rows` is the n of the formula, `keys` its m."""
    if any(isinstance(leaf, Atom) for leaf in leaves(formula)):
        return None
    try:
        known = restricted(
            formula, {"i": (0, rows), "j": (0, keys), "n": (rows, 1), "m": (keys, 1)}
        )
        return _counted(known, rows, keys)
    except (NotRestrictedError, EffortError):
        return None


@lru_cache(maxsize=1 << 14)
def _counted(formula: Condition, rows: int, keys: int) -> int | None:
    if formula in (TRUE, FALSE):
        return rows * keys * (formula == TRUE)
    if rows * keys <= FEW_PAIRS:
        at: Values = {"i": np.arange(rows)[:, None], "j": np.arange(keys)}
        return int(np.broadcast_to(holds(formula, at), (rows, keys)).sum())
    if max(rows, keys) > MOST_POSITIONS:
        return None
    found = _by_cells(formula, rows, keys)
    return found if found is not None else _by_blocks(formula, rows, keys)


# --- cells ----------------------------------------------------------------------------------


def _by_cells(formula: Condition, rows: int, keys: int) -> int | None:
    items = formula.items if isinstance(formula, All) else (formula,)
    rest, is_cut = conjunction(item for item in items if item != CUT), CUT in items
    try:
        told = list(coordinates(rest))
    except UncellularError:
        return None
    of_rows, of_keys = _cells(told, "i", rows), _cells(told, "j", keys)
    if of_rows is None or of_keys is None:
        return None
    (row_first, row_cell), (key_first, key_cell) = of_rows, of_keys
    if is_cut and len(key_first) * rows > FEW_PAIRS * 8:
        return None
    total = 0
    for at, weight in _key_cells(key_first, key_cell, row_cell, is_cut):
        held = holds(rest, {"i": row_first, "j": at})
        total += int(weight[np.broadcast_to(held, row_first.shape)].sum())
    return total


def _cells(
    told: Iterable[tuple[Side, Expression]], side: Side, count: int
) -> tuple[Integers, Integers] | None:
    """The first position of every cell, and the cell of every position."""
    positions, cell = np.arange(count), np.zeros(count, np.int64)
    for coordinate in dict.fromkeys(each for name, each in told if name == side):
        value = np.broadcast_to(evaluate(coordinate, {side: positions}), count)
        least = int(value.min())
        both = cell * (int(value.max()) - least + 1) + value - least
        names, cell = np.unique(both, return_inverse=True)
        if len(names) > MOST_CELLS:
            return None
    _, first = np.unique(cell, return_index=True)
    return first, cell


def _key_cells(
    first: Integers, key_cell: Integers, row_cell: Integers, is_cut: bool
) -> Iterator[tuple[int, Integers]]:
    """The first key of each cell of keys, and its pairs with the rows of each cell of rows."""
    rows, sizes = np.bincount(row_cell), np.bincount(key_cell)
    for cell, at in enumerate(first.tolist()):
        if not is_cut:
            yield at, rows * sizes[cell]
            continue
        before = np.cumsum(key_cell == cell)
        last = np.minimum(np.arange(len(row_cell)), len(before) - 1)
        yield at, np.bincount(row_cell, weights=before[last]).astype(np.int64)


# --- blocks ---------------------------------------------------------------------------------


def _by_blocks(formula: Condition, rows: int, keys: int) -> int | None:
    size = _block_size(formula, rows, keys)
    if size is None:
        return None
    kinds: Counter[tuple[Condition, int, int]] = Counter()
    for height, row in _blocks(rows, size):
        for width, key in _blocks(keys, size):
            inside = restricted(formula, {"i": (row, height), "j": (key, width)})
            kinds[inside, height, width] += 1
            if len(kinds) > MOST_KINDS:
                return None
    total = 0
    for (inside, height, width), times in kinds.items():
        found = _counted(inside, height, width)
        found = pairs_by_runs(inside, "m", Sizes(height, width)) if found is None else found
        if found is None:
            return None
        total += times * found
    return total


def _blocks(count: int, size: int) -> Iterator[tuple[int, int]]:
    return ((min(size, count - first), first) for first in range(0, count, size))


def _block_size(formula: Condition, rows: int, keys: int) -> int | None:
    """The least number that the formula divides by, and of which there are few blocks."""
    sizes = sorted(
        part.right.value
        for side in sides_of(formula)
        for part in subexpressions(side)
        if isinstance(part, FloorDivide | Modulo) and isinstance(part.right, Constant)
    )
    most = max(rows, keys)
    few = (size for size in sizes if -(-rows // size) * -(-keys // size) <= MOST_BLOCKS)
    return next((size for size in few if 1 < size < most), None)
