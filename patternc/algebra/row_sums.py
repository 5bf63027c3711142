"""How many values a run visits over all rows from 0 on, without a look at every row.

Between the rows at which its minima, maxima and guards change sides, the length of a run is a
straight line and a period. Maps a run without a filter, a number of rows and the sizes to the exact
sum: rows are halved until each part is of that kind, or short. Does not handle filters.
"""

from __future__ import annotations

from math import lcm

import numpy as np

from patternc.algebra import eventually_periodic
from patternc.algebra.eventually_periodic import Eventual
from patternc.algebra.intervals import Interval, Sizes, lengths, row_guard
from patternc.algebra.simplify import subtract
from patternc.algebra.walk import Leaf, leaves, map_children, map_leaves
from patternc.algebra.work_budget import compute, strips
from patternc.frozen import frozen
from patternc.ir.formula import Atom, Compare, Condition, Constant, Expression, Truth, Variable

# Parts of so few rows are looked at row by row, and so are those of fewer periods.
FEW_ROWS, FEW_PERIODS = 1 << 12, 4
ZERO = Eventual()


class _UnsettledError(Exception):
    """A minimum, maximum or comparison changes sides within these rows."""


@frozen
class _Part:
    """The rows from `first` to `last`, both included."""

    first: int
    last: int

    def ends(self, value: Eventual) -> tuple[float, float]:
        """Bounds of a value over the rows."""
        grown = sorted((value.slope * self.first, value.slope * self.last))
        return float(grown[0] + value.low), float(grown[1] + value.high)

    def greater(self, left: Eventual, right: Eventual) -> Eventual:
        least, most = self.ends(left - right)
        if least >= 0:
            return left
        if most <= 0:
            return right
        if left.slope == right.slope:
            return eventually_periodic.greater(left, right)
        raise _UnsettledError

    def period(self, leaf: Leaf) -> int:
        """After how many rows a comparison repeats."""
        match leaf:
            case Compare(_, left, right):
                difference = eventually_periodic.expression(subtract(left, right), self.greater)
                least, most = self.ends(difference)
                if difference.slope == 0:
                    return difference.period
                if least > 0 or most < 0:
                    return 1
                raise _UnsettledError
            case Truth():
                return 1
            case Atom():
                raise TypeError("a table has no period")


def summed(run: Interval, rows: int, sizes: Sizes) -> int:
    """Values of the run over the rows below `rows`."""
    ends = _fixed(run.start, sizes), _fixed(run.stop, sizes)
    known = Interval(_at(run.guard, sizes), *ends, run.step)
    total, parts = 0, [_Part(0, rows - 1)] if rows else []
    while parts:
        part = parts.pop()
        found = _of_part(known, part, sizes)
        if found is not None:
            total += found
            continue
        middle = (part.first + part.last) // 2
        parts += [_Part(part.first, middle), _Part(middle + 1, part.last)]
    return total


def _of_part(run: Interval, part: _Part, sizes: Sizes) -> int | None:
    """The sum over one part; None where it is to be halved."""
    count = part.last - part.first + 1
    if count <= FEW_ROWS:
        return _one_by_one(run, part, sizes)
    try:
        period = _period(run, part)
    except _UnsettledError:
        return None
    if count <= FEW_PERIODS * period:
        return _one_by_one(run, part, sizes)
    return _continued(run, part, period, sizes)


def _one_by_one(run: Interval, part: _Part, sizes: Sizes) -> int:
    count = part.last - part.first + 1
    compute(2 * count)  # the row itself and its length; ends are counted as they are evaluated
    return sum(
        int(lengths(run, np.arange(first, stop) + part.first, sizes).sum())
        for first, stop in strips(count)
    )


def _period(run: Interval, part: _Part) -> int:
    """After how many rows the length of the run has grown by the same number everywhere."""
    start, stop = (
        eventually_periodic.expression(end, part.greater) for end in (run.start, run.stop)
    )
    visited = part.greater(stop - start, ZERO)
    steps = eventually_periodic.quotient(visited, run.step)
    return lcm(steps.period, *(part.period(leaf) for leaf in leaves(row_guard(run))))


def _continued(run: Interval, part: _Part, period: int, sizes: Sizes) -> int:
    """From two periods: each residue is an arithmetic progression."""
    rows = np.arange(part.first, part.first + period)
    one, two = lengths(run, rows, sizes), lengths(run, rows + period, sizes)
    whole, rest = divmod(part.last - part.first + 1, period)
    grown = two - one
    return sum(
        times * int(one[some].sum()) + times * (times - 1) // 2 * int(grown[some].sum())
        for times, some in ((whole + 1, slice(0, rest)), (whole, slice(rest, period)))
    )


def _at(guard: Condition, sizes: Sizes) -> Condition:
    def leaf(item: Leaf) -> Condition:
        match item:
            case Compare(operator, left, right):
                return Compare(operator, _fixed(left, sizes), _fixed(right, sizes))
            case _:
                return item

    return map_leaves(guard, leaf)


def _fixed(expression: Expression, sizes: Sizes) -> Expression:
    """The expression with its sizes as numbers."""
    match expression:
        case Variable("n" | "m" as name):
            return Constant(sizes.values[name])
        case _:
            return map_children(expression, lambda each: _fixed(each, sizes))
