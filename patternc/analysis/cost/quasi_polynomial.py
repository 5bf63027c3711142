"""Tallies: how many pairs a plane has at every n, as a table and a quasi-polynomial.

Maps a plane to F(n) for n below some start, from there on by the polynomial of the residue of n.
Both the start and the period are proven, by `eventually_periodic` or by the vertices of the integer
sets, and the polynomials have degree two at most; three values of each residue then determine them.
Source: Ehrhart 1962; Verdoolaege et al. 2007, "Counting integer points in parametric polytopes".
Formatting is in `format_closed_form`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import lcm

import numpy as np

from patternc.algebra import eventually_periodic
from patternc.algebra.evaluate import Integers, Values, evaluate, holds
from patternc.algebra.eventually_periodic import Eventual, Recurring
from patternc.algebra.filtered_intervals import count, counts
from patternc.algebra.intervals import Interval, Sizes, filter_of
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_sets import period_and_start
from patternc.algebra.simplify import TRUE
from patternc.analysis.cost.pair_sets import Plane
from patternc.frozen import frozen
from patternc.ir.formula import Constant

# Rows looked at for one tally; pairs of lengths and rows; pairs of those and keys.
MOST_ROWS = 1 << 22
MOST_AT_LENGTHS = 1 << 22
MOST_FILTERED = 1 << 26
MOST_SPARSE = 1 << 13


Rows = Callable[[Integers], Integers]


class UncountedError(Exception):
    """The period is too long to be tabulated, or the sets exceed their budget."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """`table[n]` pairs for n < start + 3 * period; one polynomial a residue from `start` on."""

    start: int
    period: int
    table: Integers

    def at(self, n: int) -> int:
        if n < len(self.table):
            return int(self.table[n])
        return continued(n, self.start, self.period, lambda at: int(self.table[at]))

    def extended(self, stop: int) -> Integers:
        """F(n) for every n below `stop`."""
        table = self.table
        while len(table) < stop:
            zero, one, two = (
                table[len(table) - k * self.period : len(table) - (k - 1) * self.period or None]
                for k in (3, 2, 1)
            )
            table = np.concatenate([table, 3 * two - 3 * one + zero])
        return table[:stop]


@frozen
class Sparse:
    """A tally that would be too large: it is counted at the lengths asked for, and continued."""

    plane: Plane
    start: int
    period: int

    def at(self, n: int) -> int:
        return continued(n, self.start, self.period, lambda at: _count_at(self.plane, at))


def continued(n: int, start: int, period: int, count: Callable[[int], int]) -> int:
    """A count at n, from three lengths below start + 3 * period of the same residue."""
    if n < start + 3 * period:
        return count(n)
    steps, residue = divmod(n - start, period)
    zero, one, two = (count(start + residue + k * period) for k in range(3))
    return zero + steps * (one - zero) + steps * (steps - 1) // 2 * (two - 2 * one + zero)


def summed(parts: list[tuple[int, Tally]]) -> Tally:
    """The sum of tallies, each a number of times."""
    start = max((part.start for _, part in parts), default=0)
    period = lcm(*(part.period for _, part in parts))
    _verify_size(start + 3 * period)
    total = np.zeros(start + 3 * period, np.int64)
    for times, part in parts:
        total += times * part.extended(len(total))
    return Tally(start, period, total)


def shortest(tally: Tally) -> Tally:
    """The same with the smallest period and the smallest start."""
    period = next(d for d in divisors(tally.period) if _repeats(tally, d))
    table = tally.extended(tally.start + 3 * period)
    start = tally.start
    while start and _continues(table, start - 1, period):
        start -= 1
    return Tally(start, period, table[: start + 3 * period])


def _repeats(tally: Tally, period: int) -> bool:
    """Whether third differences over `period` vanish: on three whole periods, hence for all."""
    if period == tally.period:
        return True
    if not _third(tally, period, 64).all():
        return False
    return bool(_third(tally, period, 3 * tally.period).all())


def _third(tally: Tally, period: int, count: int) -> Integers:
    values = tally.extended(tally.start + count + 3 * period)[tally.start :]
    zero, one, two, three = (values[k * period : k * period + count] for k in range(4))
    return np.asarray(three - 3 * two + 3 * one - zero == 0)


def _continues(table: Integers, n: int, period: int) -> bool:
    zero, one, two, three = (int(table[n + k * period]) for k in range(4))
    return three - 3 * two + 3 * one - zero == 0


def divisors(number: int) -> list[int]:
    low = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return low + [number // d for d in reversed(low) if d * d != number]


@lru_cache(maxsize=4096)
def tally(plane: Plane) -> Tally | Sparse:
    """Every pair of the plane, at every n. Raises `UncountedError`."""
    try:
        with budget():
            found = _growing(plane) if plane.grows else _at_lengths(plane)
            return shortest(found) if isinstance(found, Tally) else found
    except BudgetError as error:
        raise UncountedError from error


def _verify_size(work: int, most: int = MOST_ROWS) -> None:
    if work > most:
        raise UncountedError


# --- pairs that come and never go -----------------------------------------------------------


def _growing(plane: Plane) -> Tally | Sparse:
    behind, ahead = plane.new_at()
    runs = behind + ahead
    if all(filter_of(run) == TRUE for run in runs):
        shape = recurrence([run_shape(run) for run in runs])
    else:
        period, start = period_and_start(plane.at_lengths())
        if (start + 2 * period) ** 2 > MOST_FILTERED:
            _verify_size(start + 3 * period, MOST_SPARSE)
            return Sparse(plane, start, period)
        shape = Recurring(period, start)
    return accumulated(shape, lambda rows: _new(runs, rows))


def accumulated(shape: Recurring, new: Rows) -> Tally:
    """From the pairs that each position brings, whose growth over a period is constant."""
    known = shape.start + 2 * shape.period
    _verify_size(known + 2 * shape.period)
    brought = new(np.arange(known))
    one, two = brought[shape.start : shape.start + shape.period], brought[-shape.period :]
    brought = np.concatenate([brought, 2 * two - one])
    return Tally(shape.start, shape.period, np.concatenate([[0], np.cumsum(brought)])[:-1])


def run_shape(run: Interval) -> tuple[Eventual, Recurring]:
    """The shape of the length of a run, and that of its guard."""
    length = eventually_periodic.expression(run.stop) - eventually_periodic.expression(run.start)
    rounded = length + eventually_periodic.expression(Constant(run.step - 1))
    visited = eventually_periodic.greater(
        eventually_periodic.quotient(rounded, run.step), Eventual()
    )
    return visited, eventually_periodic.condition(run.guard)


def recurrence(shapes: list[tuple[Eventual, Recurring]]) -> Recurring:
    lengths_of = [Recurring(length.period, length.start) for length, _ in shapes]
    return eventually_periodic.together(lengths_of + [guard for _, guard in shapes])


def _new(runs: tuple[Interval, ...], rows: Integers) -> Integers:
    sizes = Sizes(len(rows), 0)
    return sum((counts(run, rows, sizes) for run in runs), rows * 0)


# --- pairs that depend on n -----------------------------------------------------------------


def _at_lengths(plane: Plane) -> Tally | Sparse:
    period, start = period_and_start(plane.at_lengths())
    runs, stop = plane.in_rows(), start + 3 * period
    filtered = any(filter_of(run) != TRUE for run in runs)
    if stop**2 // 2 <= MOST_AT_LENGTHS and not (filtered and stop**3 // 3 > MOST_FILTERED):
        return Tally(start, period, _counts(runs, stop))
    _verify_size(stop, MOST_SPARSE if filtered else MOST_ROWS)
    return Sparse(plane, start, period)


@lru_cache(maxsize=4096)
def _count_at(plane: Plane, n: int) -> int:
    return sum(count(run, np.arange(n), Sizes(n, 0)) for run in plane.in_rows())


def _counts(runs: tuple[Interval, ...], stop: int) -> Integers:
    """The values of the runs over all rows i < n, for every n < stop."""
    plain = [run for run in runs if filter_of(run) == TRUE]
    total = np.zeros(stop, np.int64)
    for n, i in _triangle(stop):
        there = sum((_values(run, n, i) for run in plain), np.zeros(n.shape))
        total += np.bincount(n, weights=there, minlength=stop).astype(np.int64)
    for run in runs:
        if run not in plain:
            total += [count(run, np.arange(n), Sizes(n, 0)) for n in range(stop)]
    return total


def _values(run: Interval, n: Integers, i: Integers) -> Integers:
    """How many values a run without a filter has in row i of n."""
    at: Values = {"n": n, "i": i, "m": 0}
    length = -(-(evaluate(run.stop, at) - evaluate(run.start, at)) // run.step)
    return np.where(holds(run.guard, at), np.maximum(length, 0), 0)


def _triangle(stop: int) -> Iterator[tuple[Integers, Integers]]:
    """All 0 <= i < n < stop, some n at a time."""
    step = max(1, (1 << 16) // max(stop, 1))
    for first in range(0, stop, step):
        lengths_of = np.arange(first, min(first + step, stop))
        n = np.repeat(lengths_of, lengths_of)
        begin = np.cumsum(lengths_of) - lengths_of
        yield n, np.arange(len(n)) - np.repeat(begin, lengths_of)
