"""The cost model: tiles that a formula visits at a given length, over positions or classes.

Maps a formula and a tile shape to a number of tiles; a tile's cost is its products, since kernels
compute all of them. Does not handle devices or tiles that depend on tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from patternc.algebra.evaluate import Integers
from patternc.algebra.filtered_intervals import count, looked_at
from patternc.algebra.intervals import Interval, Sizes
from patternc.algebra.isl_context import KeyCount
from patternc.ir.formula import Condition
from patternc.schedule.residue_classes import EVERY, Classes
from patternc.tiling.classify import classify

# Positions at which schedules are weighed, and the longest segment that is weighed whole.
LENGTH = 16384
MOST_WEIGHED = 1 << 22
# Tiles that are looked at one by one for a weight.
MOST_LOOKED_AT = 1 << 24


@lru_cache(maxsize=4096)
def visited(
    formula: Condition,
    classes: Classes | None,
    query_tile: int,
    key_tile: int,
    n: int,
    keys: KeyCount = "n",
) -> int:
    """Full and partial tiles of a formula, over all classes."""
    found = classify(formula, query_tile, key_tile, keys)
    return tiles_of(found.full + found.partial, classes, query_tile, n)


def is_weighed_soon(formula: Condition, query_tile: int, key_tile: int, n: int) -> bool:
    """Whether few tiles of the whole formula are looked at one by one to count the others."""
    found = classify(formula, query_tile, key_tile)
    return _is_short(found.full + found.partial, np.arange(-(-n // query_tile)), Sizes(n, n))


def tiles_of(runs: Iterable[Interval], classes: Classes | None, query_tile: int, n: int) -> int:
    """Tiles that the runs of one class list, over all classes of n positions."""
    classes, runs = classes or EVERY, tuple(runs)
    segment = classes.segment or n
    for positions in (min(segment, max(n, MOST_WEIGHED)), min(segment, n)):
        length = max(0, -(-(positions - classes.offset) // classes.stride))
        rows, sizes = np.arange(-(-length // query_tile)), Sizes(length, length)
        if _is_short(runs, rows, sizes):
            break
    return classes.count(n) * sum(count(run, rows, sizes) for run in runs)


def _is_short(runs: Iterable[Interval], rows: Integers, sizes: Sizes) -> bool:
    return sum(looked_at(run, rows, sizes) for run in runs) <= MOST_LOOKED_AT
