"""Tiles a kernel visits, at any length: what is issued, against what is useful.

Maps a branch and a tile shape to the number of visited tiles at n. Formulas are cut into pieces as
the schedule cuts them, and counted by rows of tiles, over positions or the members of a class, at
three lengths of n's residue class where n itself has too many; draws by their number, where blocks
are made of whole tiles. None where only tables or inputs would tell. Does not list the tiles (see
`tiling.tile_lists`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import assert_never

import numpy as np

from patternc.algebra.atoms import InRow
from patternc.algebra.evaluate import Integers
from patternc.algebra.filtered_intervals import count
from patternc.algebra.intervals import Interval, Sizes, filter_of, lengths
from patternc.algebra.isl_context import BudgetError, KeyCount, budget
from patternc.algebra.isl_loops import loops_of
from patternc.algebra.isl_sets import basic_parts, period_and_start, touched_tiles
from patternc.algebra.simplify import TRUE
from patternc.algebra.walk import atoms_of
from patternc.algebra.work_budget import EffortError
from patternc.analysis.cost.kv_cache import looks_back
from patternc.analysis.cost.pair_counts import extent
from patternc.analysis.cost.pair_sets import Extent, Plane
from patternc.analysis.cost.quasi_polynomial import accumulated, continued, recurrence, run_shape
from patternc.analysis.cost.random_draws import drawn
from patternc.ir.sources import Pool, Tree
from patternc.relation.relation import Branch, Relation
from patternc.relation.tables import HeadTables
from patternc.schedule.decompose import pieces
from patternc.schedule.residue_classes import EVERY
from patternc.semantics.errors import InputError
from patternc.semantics.source_slots import windows
from patternc.tiling.classify import Classified, classify
from patternc.tiling.layout_at_length import BranchLayout

# Rows of tiles looked at for one count.
MOST_ROWS = 1 << 19
MOST_DRAWN = 1 << 23
# Tokens up to which tables are laid out.
MOST_TOKENS = 1 << 16
Shape = tuple[int, int]


def visited_tiles(
    relation: Relation, tables: HeadTables, sizes: Mapping[str, int], shape: Shape
) -> int | None:
    """The tiles of all passes of a head."""
    found = [_of_branch(branch, tables, sizes, shape) for branch in relation.branches]
    known = [count for count in found if count is not None]
    return sum(known) if len(known) == len(found) else None


def _of_branch(
    branch: Branch, tables: HeadTables, sizes: Mapping[str, int], shape: Shape
) -> int | None:
    if isinstance(branch.source, Tree):
        return _laid_out(branch, tables, shape)
    closed = _of_pieces(branch, extent(branch.source, sizes), tables.n, shape)
    if not branch.conjuncts:
        return closed
    drawn_tiles = _drawn_tiles(branch, tables.n, shape)
    if closed is not None and drawn_tiles is not None:
        return closed + drawn_tiles
    return _laid_out(branch, tables, shape)


def _of_pieces(branch: Branch, slots: Extent, n: int, shape: Shape) -> int | None:
    """The tiles of the closed forms, over positions or the members of each class."""
    total = 0
    for piece in pieces(branch, *shape):
        plane = Plane(piece.formula, slots)
        for length, times in (piece.classes or EVERY).lengths(n).items():
            found = formula_tiles(plane, branch.keys, length, shape)
            if found is None:
                return None
            total += times * found
    return total


def _laid_out(branch: Branch, tables: HeadTables, shape: Shape) -> int | None:
    if tables.n > MOST_TOKENS:
        return None
    try:
        return sum(BranchLayout(branch, *shape, tables.of(branch.source)).counts)
    except (InputError, EffortError):
        return None


# --- formulas -------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def formula_tiles(plane: Plane, keys: KeyCount, n: int, shape: Shape) -> int | None:
    """The tiles of a formula at n, continued from shorter lengths where there are too many."""
    try:
        if -(-n // shape[0]) <= MOST_ROWS:
            return _counted(plane, keys, n, shape)
        if not classify(plane.formula, *shape, keys).exact:
            return None
        with budget():
            return _of_rows(plane, keys, n, shape) or _continued(plane, keys, n, shape)
    except (BudgetError, EffortError):
        return None


def _of_rows(plane: Plane, keys: KeyCount, n: int, shape: Shape) -> int | None:
    """Whole rows of tiles are the same at every n where rows see no later token."""
    if not plane.grows or (plane.slots is None and not looks_back(plane.formula)):
        return None
    runs = [
        run for part in basic_parts(touched_tiles(plane.behind(), *shape)) for run in loops_of(part)
    ]
    if any(filter_of(run) != TRUE for run in runs):
        return None
    shape_of = recurrence([run_shape(run) for run in runs])
    if shape_of.start + 4 * shape_of.period > MOST_ROWS:
        return None
    whole, rest = divmod(n, shape[0])
    above = accumulated(shape_of, lambda rows: _in_rows(runs, rows)).at(whole)
    found = classify(plane.formula, *shape, keys)
    return above + (int(_last(found, whole, _sizes(plane, n)).sum()) if rest else 0)


def _in_rows(runs: list[Interval], rows: Integers) -> Integers:
    return sum((lengths(run, rows, Sizes(len(rows), 0)) for run in runs), np.zeros_like(rows))


def _last(found: Classified, row: int, sizes: Sizes) -> Integers:
    rows = np.array([row])
    return sum((lengths(run, rows, sizes) for run in found.full + found.partial), rows * 0)


def _continued(plane: Plane, keys: KeyCount, n: int, shape: Shape) -> int | None:
    period, start = period_and_start(touched_tiles(plane.at_lengths(), *shape))
    if start + 3 * period > MOST_ROWS * shape[0]:
        return None
    return continued(n, start, period, lambda at: _counted(plane, keys, at, shape) or 0)


def _counted(plane: Plane, keys: KeyCount, n: int, shape: Shape) -> int | None:
    found = classify(plane.formula, *shape, keys)
    if not found.exact:
        return None
    rows = np.arange(-(-n // shape[0]))
    return sum(count(run, rows, _sizes(plane, n)) for run in (*found.full, *found.partial))


def _sizes(plane: Plane, n: int) -> Sizes:
    match plane.slots:
        case None:
            return Sizes(n, n)
        case int():
            return Sizes(n, plane.slots)
        case Pool():
            return Sizes(n, windows(plane.slots, n))
        case _:
            assert_never(plane.slots)


# --- draws ----------------------------------------------------------------------------------


def _drawn_tiles(branch: Branch, n: int, shape: Shape) -> int | None:
    """Draws of blocks that are made of whole tiles, beside the formula's."""
    draws, query_tile = drawn(branch), shape[0]
    if draws is None or any(size % side for size in _blocks(branch) for side in shape):
        return None
    return _rows_of_draws(draws.plane, n, shape) if -(-n // query_tile) <= MOST_DRAWN else None


def _blocks(branch: Branch) -> list[int]:
    return [atom.table.block for atom in atoms_of(branch.predicate) if isinstance(atom, InRow)]


@lru_cache(maxsize=256)
def _rows_of_draws(plane: Plane, n: int, shape: Shape) -> int:
    """Every drawn block is `block / key tile` tiles for each row of tiles in it."""
    first = np.arange(0, n, shape[0])
    return sum(int(lengths(run, first, Sizes(n, 0)).sum()) for run in plane.in_rows()) // shape[1]
