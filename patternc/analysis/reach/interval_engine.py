"""The fields after one layer, from lists of intervals: exact where a product would be too large.

Maps the edges of the first layer to facts. Rows that tables of blocks and formulas of blocks cannot
tell apart are listed once. Does not compose layers; does not handle key sources or pairs cut inside
a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import gcd

import numpy as np

from patternc.algebra.evaluate import Integers
from patternc.analysis.reach.edges import Layer
from patternc.analysis.reach.equivalence_cells import ManyCellsError, coordinates
from patternc.analysis.reach.isl_engine import Field
from patternc.analysis.reach.key_ranges import Ranges, ranges_of_blocks
from patternc.analysis.reach.row_sizes import Progressions
from patternc.ir.formula import Constant, FloorDivide, Variable
from patternc.ir.sources import TOKENS
from patternc.relation.tables import HeadTables

MOST_ROWS = 1 << 20
_CHUNK = 1 << 13


def first_field(
    step: Layer, tables: Sequence[HeadTables], n: int, residual: bool
) -> tuple[Field, int | None] | None:
    """Facts about the first layer, and the first position that does not depend on all.

    None where rows have no common block, or are too many.
    """
    block = _block(step)
    if block is None or -(-n // block) > MOST_ROWS:
        return None
    parts: list[Field] = []
    lacking: list[int] = []
    for first in range(0, n, _CHUNK * block):
        rows = np.arange(first, min(first + _CHUNK * block, n), block)
        found = [
            ranges
            for edge in step
            for ranges in ranges_of_blocks(edge, block, edge.asked_of(tables), rows)
        ]
        parts.append(_facts(rows, np.minimum(rows + block, n), found, residual))
        lacking += rows[parts[-1].sizes.first < n][:1].tolist()
    field = Field(
        Progressions.joined([part.sizes for part in parts]),
        max(part.left for part in parts),
        max(part.right for part in parts),
        sum(part.holes for part in parts),
    )
    return field, min(lacking, default=None)


def _block(step: Layer) -> int | None:
    """The most positions that appear in every row and key as one."""
    sizes = [0]
    try:
        for edge in step:
            if edge.source != TOKENS:
                return None
            for coordinate in coordinates(edge):
                match coordinate:
                    case FloorDivide(Variable(), Constant(size)):
                        sizes.append(size)
                    case _:
                        return None
    except ManyCellsError:
        return None
    return reduce(gcd, sizes) or None


def _facts(rows: Integers, ends: Integers, found: list[Ranges], residual: bool) -> Field:
    """Blocks of rows from `rows` up to `ends`, whose keys are whole blocks."""
    start, stop = _spread(rows, found)
    order = np.argsort(start, axis=1)
    start, stop = (np.take_along_axis(side, order, axis=1) for side in (start, stop))
    before = np.zeros_like(stop)
    before[:, 1:] = np.maximum.accumulate(stop, axis=1)[:, :-1]
    size = np.maximum(stop - np.maximum(start, before), 0).sum(axis=1)
    last = stop.max(axis=1)
    some = size > 0
    first = np.where(start < stop, start, np.iinfo(np.int64).max).min(axis=1)
    own = ((start <= rows[:, None]) & (rows[:, None] < stop)).any(axis=1) | (not residual)
    height = ends - rows
    split = some & (last - first > size)
    # A position that its block does not see appears alone, or next to the one interval of its keys.
    beside = ~own & some & ~split & ((first == ends) | (last == rows))
    holes = np.where(split, height, np.where(own | ~some, 0, height - beside))
    return Field(
        Progressions(np.ones_like(size), size + ~own, np.zeros_like(size), height),
        int((ends - 1 - first)[some].max(initial=0)),
        int((last - 1 - rows)[some].max(initial=0)),
        int(holes.sum()),
    )


def _spread(rows: Integers, found: list[Ranges]) -> tuple[Integers, Integers]:
    """The intervals of every row side by side, empty ones at the end."""
    row = np.concatenate([np.zeros(0, np.int64), *(each.row for each in found)])
    start = np.concatenate([np.zeros(0, np.int64), *(each.start for each in found)])
    stop = np.concatenate([np.zeros(0, np.int64), *(each.stop for each in found)])
    order = np.argsort(row, kind="stable")
    at = np.searchsorted(rows, row[order])
    begins = np.searchsorted(at, np.arange(len(rows)))
    rank = np.arange(len(at)) - begins[at]
    width = int(rank.max(initial=-1)) + 1
    starts, stops = np.zeros((2, len(rows), max(width, 1)), np.int64)
    starts[at, rank], stops[at, rank] = start[order], stop[order]
    return starts, stops
