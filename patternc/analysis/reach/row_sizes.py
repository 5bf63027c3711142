"""How the sizes of n rows are distributed, exactly and without visiting them.

Maps closed-form runs to arithmetic progressions of row sizes. Within a residue class of rows that
all divisors divide, every bound is affine between the rows at which a comparison changes its sign;
an affine difference with one sign at both ends of a stretch has it throughout. So a stretch with
equal signs at its ends is one progression, and any other is cut in two. Filters that choose keys
one by one count where they are periodic in the key. Does not handle other filters.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm

import numpy as np
from numpy.typing import NDArray

from patternc.algebra.evaluate import Integers, Values, evaluate
from patternc.algebra.filtered_intervals import is_countable, period_of, periodic_counts
from patternc.algebra.intervals import Interval, Sizes, filter_of
from patternc.algebra.isl_context import BudgetError
from patternc.algebra.queries import variables_of
from patternc.algebra.walk import children, leaves, sides_of
from patternc.frozen import frozen
from patternc.ir.formula import (
    Absolute,
    Atom,
    Compare,
    Condition,
    Constant,
    Expression,
    Maximum,
    Minimum,
    Truth,
)

# Up to here every row is a class of its own.
_FEW = 1 << 14
_MOST_STRETCHES = 1 << 21


@frozen
class Progressions:
    """Sizes first, first + step, .., `count` of them, each progression `times` over."""

    count: Integers
    first: Integers
    step: Integers
    times: Integers

    @staticmethod
    def of(sizes: Integers) -> Progressions:
        """Of single rows."""
        first, times = np.unique(sizes, return_counts=True)
        return Progressions(np.ones_like(first), first, np.zeros_like(first), times)

    @staticmethod
    def joined(parts: list[Progressions]) -> Progressions:
        return Progressions(
            np.concatenate([part.count for part in parts]),
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.step for part in parts]),
            np.concatenate([part.times for part in parts]),
        )

    def repeated(self, times: int) -> Progressions:
        return Progressions(self.count, self.first, self.step, self.times * times)

    @property
    def last(self) -> Integers:
        return self.first + self.step * (self.count - 1)

    @property
    def rows(self) -> int:
        return int((self.count * self.times).sum())

    @property
    def least(self) -> int:
        return int(np.minimum(self.first, self.last).min())

    @property
    def greatest(self) -> int:
        return int(np.maximum(self.first, self.last).max())

    @property
    def total(self) -> int:
        wide = 2 * self.rows * self.greatest >= 1 << 63
        times = self.times.astype(object) if wide else self.times
        return int(((self.first + self.last) * self.count * times).sum()) // 2

    @property
    def median(self) -> int | float:
        """The middle size, or the mean of the two in the middle."""
        ranks = (self.rows - 1) // 2, self.rows // 2
        low, high = map(self._ranked, ranks) if self.step.any() else self._sorted(ranks)
        return (low + high) // 2 if (low + high) % 2 == 0 else (low + high) / 2

    def _sorted(self, ranks: tuple[int, int]) -> tuple[int, int]:
        """The sizes at two ranks, where no progression has a second size."""
        order = np.argsort(self.first, kind="stable")
        below = np.cumsum((self.count * self.times)[order])
        low, high = self.first[order][np.searchsorted(below, ranks, side="right")].tolist()
        return low, high

    def _ranked(self, rank: int) -> int:
        """The size at a rank counted from 0, sizes ascending."""
        low, high = self.least, self.greatest
        while low < high:
            middle = (low + high) // 2
            if self._at_most(middle) > rank:
                high = middle
            else:
                low = middle + 1
        return low

    def _at_most(self, size: int) -> int:
        """Rows of at most this size."""
        smallest = np.minimum(self.first, self.last)
        step = np.maximum(np.abs(self.step), 1)
        found = np.clip((size - smallest) // step + 1, 0, self.count)
        within = np.where(self.step == 0, np.where(size >= smallest, self.count, 0), found)
        return int((within * self.times).sum())


def row_sizes(runs: tuple[Interval, ...], n: int) -> Progressions:
    """The sizes of rows 0 <= i < n; runs are disjoint. Raises `BudgetError`."""
    if not all(map(is_countable, runs)):
        raise BudgetError("the keys of a row are chosen one by one")
    period = n if n <= _FEW else min(n, _period_of(runs))
    if period > _MOST_STRETCHES:
        raise BudgetError("the sizes of the rows have too long a period")
    start = np.arange(period)
    stop = start + (n - 1 - start) // period * period
    return Progressions.joined(list(_stretches(runs, period, start, stop)))


def _stretches(
    runs: tuple[Interval, ...], period: int, start: Integers, stop: Integers
) -> Iterator[Progressions]:
    while len(start):
        if len(start) > _MOST_STRETCHES:
            raise BudgetError("the sizes of the rows take too many progressions")
        (low, low_signs), (high, high_signs) = _traced(runs, start), _traced(runs, stop)
        affine = (low_signs == high_signs).all(axis=0) | (stop == start)
        count = (stop - start)[affine] // period + 1
        rise = (high - low)[affine] // np.maximum(count - 1, 1)
        yield Progressions(count, low[affine], rise, np.ones_like(count))
        start, stop = start[~affine], stop[~affine]
        middle = start + (stop - start) // period // 2 * period
        start, stop = np.append(start, middle + period), np.append(middle, stop)


def _traced(runs: tuple[Interval, ...], rows: Integers) -> tuple[Integers, NDArray[np.int8]]:
    """Sizes of the rows, and the sign of every comparison that decides about them."""
    signs = [np.zeros(rows.shape, np.int8)]
    sizes = np.zeros(rows.shape, np.int64)
    for run in runs:
        signs.extend(_signs(run.guard, rows))
        signs.extend(_turns(run.start, rows))
        signs.extend(_turns(run.stop, rows))
        signs.append(_sign(run.stop, run.start, rows))
        sizes += periodic_counts(run, rows, Sizes(0, 0))
    return sizes, np.stack(signs)


def _signs(condition: Condition, rows: Integers) -> Iterator[NDArray[np.int8]]:
    for leaf in leaves(condition):
        match leaf:
            case Truth():
                pass
            case Compare(_, left, right):
                if "j" not in variables_of(leaf):
                    yield from _turns(left, rows)
                    yield from _turns(right, rows)
                    yield _sign(left, right, rows)
            case Atom():
                raise TypeError("runs hold no atoms")


def _turns(expression: Expression, rows: Integers) -> Iterator[NDArray[np.int8]]:
    """The signs that choose a side of every minimum and maximum."""
    match expression:
        case Minimum(left, right) | Maximum(left, right):
            yield _sign(left, right, rows)
        case Absolute(operand):
            yield _sign(operand, Constant(0), rows)
    for operand in children(expression):
        yield from _turns(operand, rows)


def _sign(left: Expression, right: Expression, rows: Integers) -> NDArray[np.int8]:
    values: Values = {"i": rows}
    difference = np.asarray(evaluate(left, values)) - np.asarray(evaluate(right, values))
    return np.broadcast_to(np.sign(difference).astype(np.int8), rows.shape)


def _period_of(runs: tuple[Interval, ...]) -> int:
    """Rows of equal residue of it have affine bounds, and lengths that steps divide alike."""
    periods = [1]
    for run in runs:
        bounds = lcm(period_of(run.start), period_of(run.stop))
        kept = lcm(1, *map(period_of, sides_of(filter_of(run))))
        periods += [bounds * run.step * kept, *map(period_of, sides_of(run.guard))]
    return lcm(*periods)
