"""Receptive fields by classes of positions: exact, in time that grows with the classes.

Maps the cells of a schedule to the fields of every position. Where no pair is cut by `j <= i`,
positions of one cell have the same fields, but for themselves. Where all pairs are cut, cells of
different groups (the segments in which every layer holds all earlier positions) still see each
other as cells do, and only what lies before i and after j in their own groups is distinguished.
Source of the question: Ding et al. 2023 (LongNet), section 2.2. Does not handle key sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce

import numpy as np

from patternc.algebra.evaluate import Booleans, Integers
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_sets import implies
from patternc.algebra.simplify import compare, conjunction, floor_divide
from patternc.analysis.reach import equivalence_cells as cellular
from patternc.analysis.reach.edges import Edge, Layer
from patternc.analysis.reach.equivalence_cells import Cells, ManyCellsError
from patternc.analysis.reach.isl_engine import Field
from patternc.analysis.reach.row_sizes import Progressions
from patternc.frozen import frozen
from patternc.ir.formula import Constant, FloorDivide, Variable
from patternc.relation.tables import HeadTables

# Fewer cells than integer sets take time for, and as many as may be.
FEW_CELLS, MOST_CELLS = 1 << 8, 1 << 10
MOST_POSITIONS = 1 << 20


def fields(
    steps: Sequence[Layer],
    tables: Sequence[Sequence[HeadTables]],
    n: int,
    layers: int,
    residual: bool,
    most: int,
) -> Iterator[tuple[Field, Integers]]:
    """The fields after 1, 2, .., layers, and their sizes. Raises `ManyCellsError`.

    There are `most` cells at most.
    """
    if n > MOST_POSITIONS:
        raise ManyCellsError
    cut = {cellular.without_cut(edge.formula)[1] for step in steps for edge in step}
    cells = cellular.cells_of(steps, n, most)
    seen = [seen_cells(step, given, cells) for step, given in zip(steps, tables, strict=True)]
    schedule = [seen[layer % len(seen)] for layer in range(layers)]
    if cut == {True}:
        yield from _cut(schedule, len(seen), cells, _group(steps))
    elif cut <= {False}:
        yield from _uncut(schedule, len(seen), cells, residual)
    else:
        raise ManyCellsError


def seen_cells(step: Layer, tables: Sequence[HeadTables], cells: Cells) -> Booleans:
    """Which cells see which in one layer."""
    count = len(cells.first)
    parts = (cellular.held(edge, edge.asked_of(tables), cells) for edge in step)
    return reduce(np.logical_or, parts, np.zeros((count, count), np.bool_))


def _product(left: Booleans, right: Booleans) -> Booleans:
    return (left.astype(np.float32) @ right.astype(np.float32)) > 0


# --- without a cut ----------------------------------------------------------------------------


def _uncut(
    schedule: Sequence[Booleans], period: int, cells: Cells, residual: bool
) -> Iterator[tuple[Field, Integers]]:
    """A field is the union of some cells, and with `residual` the position itself."""
    reached: Booleans | None = None
    unchanged = 0
    for seen in schedule:
        if reached is None:
            reached = seen
        elif not residual:
            reached = _product(seen, reached)
        elif unchanged < period:
            before, reached = reached, reached | seen | _product(seen, reached)
            unchanged = unchanged + 1 if np.array_equal(before, reached) else 0
        yield _facts(reached, cells, ~reached.diagonal()[cells.of] & residual)


def _facts(reached: Booleans, cells: Cells, itself: Booleans) -> tuple[Field, Integers]:
    """Rows are cells; `itself` says which positions add themselves."""
    n, rows = len(cells.of), np.arange(len(cells.of))
    size = (reached @ cells.size)[cells.of]
    first = np.where(reached, cells.first, n).min(axis=1)[cells.of]
    last = np.where(reached, cells.last, -1).max(axis=1)[cells.of]
    first = np.where(itself, np.minimum(first, rows), first)
    last = np.where(itself, np.maximum(last, rows), last)
    return field_of(size + itself, first, last), size + itself


def field_of(size: Integers, first: Integers, last: Integers) -> Field:
    """Facts about fields from their sizes, and their first and last positions."""
    rows, held = np.arange(len(size)), size > 0
    return Field(
        Progressions.of(size),
        int((rows - first)[held].max(initial=0)),
        int((last - rows)[held].max(initial=0)),
        int((held & (last - first + 1 > size)).sum()),
    )


# --- cut by j <= i ----------------------------------------------------------------------------


def _group(steps: Sequence[Layer]) -> int:
    """The widest segment of which every layer holds all pairs j <= i."""
    for width in sorted(_widths(steps), reverse=True):
        if all(any(_holds_past(edge, width) for edge in step) for step in steps):
            return width
    raise ManyCellsError


def _widths(steps: Sequence[Layer]) -> set[int]:
    """Of segments whose ends are ends of cells."""
    coordinates = (
        coordinate for step in steps for edge in step for coordinate in cellular.coordinates(edge)
    )
    found = set()
    for coordinate in coordinates:
        match coordinate:
            case FloorDivide(Variable(), Constant(width)):
                found.add(width)
    return found


@lru_cache(maxsize=4096)
def _holds_past(edge: Edge, width: int) -> bool:
    """Whether the edge holds all pairs j <= i of a segment."""
    if edge.literals:
        return False
    row, key = (floor_divide(side, Constant(width)) for side in (cellular.ROW, cellular.KEY))
    past = conjunction([compare(row, "==", key), cellular.CUT])
    try:
        with budget():
            return implies(past, edge.formula)
    except BudgetError:
        return False


def _cut(
    schedule: Sequence[Booleans], period: int, cells: Cells, width: int
) -> Iterator[tuple[Field, Integers]]:
    """Chains from i to j in an earlier group, by the cells they go through.

    Inside a group every position sees all before it, so a chain moves there at most once before it
    jumps to an earlier group: in the group of i to a cell with a position up to i, elsewhere from
    whichever position of its cell suits. It may wait in any layer, as each position sees itself.
    `jumped[c, t]`: cell c gets to the targets t by a jump, at once or after waiting.
    """
    n, rows = len(cells.of), np.arange(len(cells.of))
    targets = _Ends.of_positions(cells, cells.last)
    sources = _Ends.of_positions(cells, cells.first)
    group = cells.first // width
    lower, same = group[:, None] > group, group[:, None] == group
    within = same & (cells.first <= cells.last[:, None])
    after = (group[:, None] == targets.at // width) & (cells.last[:, None] >= targets.at)
    before = (sources.at[:, None] // width == group) & (cells.first <= sources.at[:, None])
    arrived = np.arange(len(group))[:, None] == targets.cell
    jumped = np.zeros_like(arrived)
    unchanged = 0
    for seen in schedule:
        if unchanged < period:
            earlier, known = jumped, arrived
            jumped = jumped | _product(seen & lower, arrived)
            arrived = after | jumped | _product(within, earlier)
            same_again = np.array_equal(jumped, earlier) and np.array_equal(arrived, known)
            unchanged = unchanged + 1 if same_again else 0
            reached = jumped[sources.cell] | _product(before, earlier)
            size = (reached @ targets.size)[sources.of] + rows % width + 1
            first = np.where(reached, targets.at, n).min(axis=1)[sources.of]
            field = field_of(size, np.minimum(first, rows - rows % width), rows)
        yield field, size


@frozen
class _Ends:
    """Positions of one cell before which (after which) the same cells begin (end).

    `of[i]` is the class of position i; `at`, `cell` and `size` are those of each class.
    """

    of: Integers
    at: Integers
    cell: Integers
    size: Integers

    @staticmethod
    def of_positions(cells: Cells, ends: Integers) -> _Ends:
        rows = np.arange(len(cells.of))
        rank = np.searchsorted(np.sort(ends), rows, "left" if ends is cells.last else "right")
        names, at, of, size = np.unique(
            cells.of * (len(ends) + 1) + rank,
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        return _Ends(of, at, names // (len(ends) + 1), size)
