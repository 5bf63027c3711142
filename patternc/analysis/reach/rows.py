"""How the sizes of n rows are distributed, exactly and without visiting them.

From closed-form runs to arithmetic progressions of row sizes. Within a residue class of rows that
all divisors divide, every bound is affine between the rows at which a comparison changes its sign;
an affine difference with one sign at both ends of a stretch has it throughout. So a stretch with
equal signs at its ends is one progression, and any other is cut in two. Filters that choose keys
one by one count where they are periodic in the key. Non-goals: other filters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from patternc.language.formula import (
    Absolute,
    Add,
    All,
    Any,
    Atom,
    Compare,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Maximum,
    Minimum,
    Modulo,
    Multiply,
    Not,
    Subtract,
    Truth,
    Variable,
)
from patternc.relation.evaluation import Integers, Values, evaluate, holds
from patternc.relation.fold import TRUE
from patternc.relation.formulas import operands_of, variables_of
from patternc.relation.integer_sets import BudgetError
from patternc.relation.runs import Run, Sizes, filter_of, spans

# Up to here every row is a class of its own.
_FEW = 1 << 14
_MOST_STRETCHES = 1 << 21
_CELLS = 1 << 22


@dataclass(frozen=True, slots=True)
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
        low, high = self._ranked((self.rows - 1) // 2), self._ranked(self.rows // 2)
        return (low + high) // 2 if (low + high) % 2 == 0 else (low + high) / 2

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


def row_sizes(runs: tuple[Run, ...], n: int) -> Progressions:
    """The sizes of rows 0 <= i < n; runs are disjoint. Raises `BudgetError`."""
    if not all(map(is_countable, runs)):
        raise BudgetError("the keys of a row are chosen one by one")
    period = n if n <= _FEW else min(n, _period_of(runs))
    start = np.arange(period)
    stop = start + (n - 1 - start) // period * period
    return Progressions.joined(list(_stretches(runs, period, start, stop)))


def _stretches(
    runs: tuple[Run, ...], period: int, start: Integers, stop: Integers
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


def _traced(runs: tuple[Run, ...], rows: Integers) -> tuple[Integers, NDArray[np.int8]]:
    """Sizes of the rows, and the sign of every comparison that decides about them."""
    signs = [np.zeros(rows.shape, np.int8)]
    sizes = np.zeros(rows.shape, np.int64)
    for run in runs:
        signs.extend(_signs(run.guard, rows))
        signs.extend(_turns(run.start, rows))
        signs.extend(_turns(run.stop, rows))
        signs.append(_sign(run.stop, run.start, rows))
        sizes += visited(run, rows)
    return sizes, np.stack(signs)


def visited(run: Run, rows: Integers) -> Integers:
    """How many keys the run visits for each row."""
    start, stop = spans(run, rows, Sizes(0, 0))
    steps = -(-(stop - start) // run.step)
    chosen = filter_of(run)
    if chosen == TRUE:
        return steps
    counts = np.zeros(rows.shape, np.int64)
    period = lcm(*map(_period, _sides(chosen)))
    height = max(1, _CELLS // period)
    for first in range(0, len(rows), height):
        some = slice(first, first + height)
        keys = start[some, None] + np.arange(period) * run.step
        held = holds(chosen, {"i": rows[some, None], "j": keys})
        passed = np.cumsum(np.broadcast_to(held, keys.shape), axis=1)
        whole, rest = np.divmod(steps[some], period)
        partial = np.take_along_axis(passed, np.maximum(rest - 1, 0)[:, None], axis=1)[:, 0]
        counts[some] = whole * passed[:, -1] + np.where(rest, partial, 0)
    return counts


def is_countable(run: Run) -> bool:
    """Whether the run has no filter, or one that is periodic in the key."""
    return _is_periodic(filter_of(run))


def _is_periodic(condition: Condition) -> bool:
    """Whether i and j decide by their residues only, in every comparison that names j."""
    match condition:
        case Compare(_, left, right):
            names_key = "j" in variables_of(condition)
            return not names_key or all(
                _slope(left, name) is not None and _slope(left, name) == _slope(right, name)
                for name in ("i", "j")
            )
        case All(items) | Any(items):
            return all(map(_is_periodic, items))
        case Not(operand):
            return _is_periodic(operand)
        case _:
            return True


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
    sides = [_slope(operand, name) for operand in operands_of(expression)]
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


def _signs(condition: Condition, rows: Integers) -> Iterator[NDArray[np.int8]]:
    match condition:
        case Truth():
            return
        case Compare(_, left, right):
            if "j" not in variables_of(condition):
                yield from _turns(left, rows)
                yield from _turns(right, rows)
                yield _sign(left, right, rows)
        case All(items) | Any(items):
            for item in items:
                yield from _signs(item, rows)
        case Not(operand):
            yield from _signs(operand, rows)
        case Atom():
            raise TypeError("runs hold no atoms")
        case _:
            assert_never(condition)


def _turns(expression: Expression, rows: Integers) -> Iterator[NDArray[np.int8]]:
    """The signs that choose a side of every minimum and maximum."""
    match expression:
        case Minimum(left, right) | Maximum(left, right):
            yield _sign(left, right, rows)
        case Absolute(operand):
            yield _sign(operand, Constant(0), rows)
    for operand in operands_of(expression):
        yield from _turns(operand, rows)


def _sign(left: Expression, right: Expression, rows: Integers) -> NDArray[np.int8]:
    values: Values = {"i": rows}
    difference = np.asarray(evaluate(left, values)) - np.asarray(evaluate(right, values))
    return np.broadcast_to(np.sign(difference).astype(np.int8), rows.shape)


def _period_of(runs: tuple[Run, ...]) -> int:
    """Rows of equal residue of it have affine bounds, and lengths that steps divide alike."""
    periods = [1]
    for run in runs:
        bounds = lcm(_period(run.start), _period(run.stop))
        kept = lcm(1, *map(_period, _sides(filter_of(run))))
        periods += [bounds * run.step * kept, *map(_period, _sides(run.guard))]
    return lcm(*periods)


def _sides(condition: Condition) -> Iterator[Expression]:
    match condition:
        case Compare(_, left, right):
            yield from (left, right)
        case All(items) | Any(items):
            for item in items:
                yield from _sides(item)
        case Not(operand):
            yield from _sides(operand)


def _period(expression: Expression) -> int:
    match expression:
        case FloorDivide(operand, Constant(divisor)) | Modulo(operand, Constant(divisor)):
            return _period(operand) * divisor
        case _:
            return lcm(1, *map(_period, operands_of(expression)))
