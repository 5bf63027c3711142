"""Filtered runs, counted without a list of their values.

Maps an interval and queries to the number of values it visits in each. A filter that decides by the
residues of i and j has a period in the value, and is looked at over one period where runs are
longer than that. Other filters are asked value by value. Does not handle symbolic n.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import lcm

import numpy as np

from patternc.algebra.evaluate import Integers, holds
from patternc.algebra.intervals import Interval, Sizes, expand, filter_of, lengths, spans
from patternc.algebra.queries import variables_of
from patternc.algebra.row_sums import summed
from patternc.algebra.simplify import TRUE
from patternc.algebra.walk import children, leaves, sides_of
from patternc.algebra.work_budget import spend, strips
from patternc.ir.formula import (
    Add,
    Compare,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Maximum,
    Minimum,
    Modulo,
    Multiply,
    Subtract,
    Variable,
)

_CELLS = 1 << 18
# Rows that are looked at one by one sooner than by parts.
FEW_ROWS = 1 << 16


def count(run: Interval, rows: Integers, sizes: Sizes) -> int:
    """Values that the run visits over consecutive rows."""
    return int(counts(run, rows, sizes).sum())


def counted(run: Interval, rows: int, sizes: Sizes) -> int:
    """Values that the run visits over the rows from 0 on, some rows at a time or by parts."""
    if rows > FEW_ROWS and filter_of(run) == TRUE:
        return summed(run, rows, sizes)
    return sum(count(run, np.arange(*strip), sizes) for strip in strips(rows))


def looked_at(run: Interval, rows: Integers, sizes: Sizes) -> int:
    """Values that `counts` asks a filter about."""
    if filter_of(run) == TRUE:
        return 0
    visited = int(lengths(run, rows, sizes).sum())
    return min(visited, period_of_filter(run) * len(rows)) if is_countable(run) else visited


def counts(run: Interval, rows: Integers, sizes: Sizes) -> Integers:
    """Values that the run visits for each of consecutive rows."""
    visited = lengths(run, rows, sizes)
    if filter_of(run) == TRUE:
        return visited
    if is_countable(run) and period_of_filter(run) * len(rows) < visited.sum():
        return periodic_counts(run, rows, sizes)
    found = np.zeros(len(rows), np.int64)
    for row, _ in expand(run, rows, sizes):
        found += np.bincount(row - rows[0], minlength=len(rows))
    return found


def periodic_counts(run: Interval, rows: Integers, sizes: Sizes) -> Integers:
    """The same for any rows, of a countable run."""
    start, stop = spans(run, rows, sizes)
    steps = -(-(stop - start) // run.step)
    if filter_of(run) == TRUE:
        return steps
    if run.step == 1 and "i" not in variables_of(filter_of(run)):
        return _chosen_before(run, np.maximum(start, stop), sizes) - _chosen_before(
            run, start, sizes
        )
    found = np.zeros(rows.shape, np.int64)
    period = period_of_filter(run)
    spend(len(rows) * period, kept=False)
    height = max(1, _CELLS // period)
    for first in range(0, len(rows), height):
        some = slice(first, first + height)
        keys = start[some, None] + np.arange(period) * run.step
        held = holds(filter_of(run), {"i": rows[some, None], "j": keys, **sizes.values})
        passed = np.cumsum(np.broadcast_to(held, keys.shape), axis=1)
        whole, rest = np.divmod(steps[some], period)
        partial = np.take_along_axis(passed, np.maximum(rest - 1, 0)[:, None], axis=1)[:, 0]
        found[some] = whole * passed[:, -1] + np.where(rest, partial, 0)
    return found


def _chosen_before(run: Interval, keys: Integers, sizes: Sizes) -> Integers:
    """Values from 0 on below the keys that a filter chooses which does not name the row."""
    period = period_of_filter(run)
    spend(period)
    held = holds(filter_of(run), {"j": np.arange(period), **sizes.values})
    passed = np.append(0, np.cumsum(np.broadcast_to(held, period)))
    whole, rest = np.divmod(keys, period)
    return np.asarray(whole * passed[-1] + passed[rest])


@lru_cache(maxsize=4096)
def is_countable(run: Interval) -> bool:
    """Whether the run has no filter, or one that is periodic in the key."""
    return _is_periodic(filter_of(run))


@lru_cache(maxsize=4096)
def period_of_filter(run: Interval) -> int:
    """Of the filter of a countable run."""
    return lcm(*map(period_of, sides_of(filter_of(run))))


def _is_periodic(condition: Condition) -> bool:
    """Whether i and j decide by their residues only, in every comparison that names j."""
    compared = (leaf for leaf in leaves(condition) if isinstance(leaf, Compare))
    return all(
        _slope(item.left, name) is not None and _slope(item.left, name) == _slope(item.right, name)
        for item in compared
        if "j" in variables_of(item)
        for name in ("i", "j")
    )


def _slope(expression: Expression, name: str) -> Fraction | None:
    """How fast the expression grows in a variable over long distances; None where it varies."""
    match expression:
        case Variable(found):
            return Fraction(found == name)
        case Constant() | Modulo():
            return Fraction(0)
        case FloorDivide(operand, Constant(divisor)):
            inner = _slope(operand, name)
            return None if inner is None else inner / divisor
        case Multiply(Constant(factor), operand):
            inner = _slope(operand, name)
            return None if inner is None else inner * factor
    sides = [_slope(operand, name) for operand in children(expression)]
    if len(sides) != 2 or sides[0] is None or sides[1] is None:
        return None
    match expression:
        case Add():
            return sides[0] + sides[1]
        case Subtract():
            return sides[0] - sides[1]
        case Minimum() | Maximum() if sides[0] == sides[1]:
            return sides[0]
    return None


def period_of(expression: Expression) -> int:
    """The product of what the expression is divided by: its growth repeats after as many."""
    match expression:
        case FloorDivide(operand, Constant(divisor)) | Modulo(operand, Constant(divisor)):
            return period_of(operand) * divisor
        case _:
            return lcm(1, *map(period_of, children(expression)))
