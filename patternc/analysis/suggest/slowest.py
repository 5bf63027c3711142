"""The slowest pair: one that needs all the layers until everything is connected.

From relations to a query and a key, by exact products of bits, a few columns at a time. Non-goals:
the way between them, which `why` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from patternc.analysis.reach.bits import Step, propagated, step_of
from patternc.analysis.reach.edges import edges_of
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables

MOST_POSITIONS = 1 << 14
_COLUMNS = 1024


def slowest(
    relations: Sequence[Sequence[Relation]], tables: HeadTables, layers: int
) -> tuple[int, int] | None:
    """A pair (query, key) that `layers` layers connect and no fewer: the farthest of the first.

    None where there is none, or there are too many positions.
    """
    n = tables.n
    if n > MOST_POSITIONS or layers < 1:
        return None
    steps = [step_of(edges_of(heads), [tables]) for heads in relations]
    for first in range(0, n, _COLUMNS):
        columns = range(first, min(first + _COLUMNS, n))
        found = _last_connected(steps, n, layers, columns)
        if found is not None:
            return found
    return None


def _last_connected(
    steps: Sequence[Step], n: int, layers: int, columns: range
) -> tuple[int, int] | None:
    start = np.zeros((n, -(-len(columns) // 64)), np.uint64)
    at = np.arange(len(columns))
    start[columns.start + at, at // 64] = np.uint64(1) << (at % 64).astype(np.uint64)
    *_, (before, after) = pairwise([start, *propagated(steps, n, layers, True, columns)])
    late = np.unpackbits((after & ~before).view(np.uint8), axis=1, bitorder="little")
    row, column = np.nonzero(late[:, : len(columns)])
    if not len(row):
        return None
    farthest = int(np.abs(row - column - columns.start).argmax())
    return int(row[farthest]), columns.start + int(column[farthest])
