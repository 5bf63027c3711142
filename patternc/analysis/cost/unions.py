"""Pairs that several planes hold, each counted once.

Maps planes whose rows are plain runs to the tally of their union, by inclusion and exclusion: runs
of one row are progressions, and progressions meet in progressions (Chinese remainders). Rows that a
meeting leaves empty are dropped at once, so that dilated segments cost what they hold. Does not
handle pair sets that depend on n or whose intervals are filtered (their union is one formula).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from math import ceil, gcd, lcm, prod

import numpy as np

from patternc.algebra import eventually_periodic, simplify
from patternc.algebra.evaluate import Booleans, Integers
from patternc.algebra.eventually_periodic import Eventual, Recurring
from patternc.algebra.intervals import Interval, Sizes, filter_of, spans
from patternc.algebra.isl_context import BudgetError, budget
from patternc.analysis.cost.pair_sets import Plane, Runs, Sides
from patternc.analysis.cost.quasi_polynomial import (
    Sparse,
    Tally,
    UncountedError,
    accumulated,
    shortest,
    tally,
)

MOST_MEETINGS = 256


@lru_cache(maxsize=1024)
def union(planes: tuple[Plane, ...]) -> Tally | Sparse:
    """The pairs of any of the planes, over the same slots. Raises `UncountedError`."""
    if len(planes) == 1:
        return tally(planes[0])
    try:
        with budget():
            runs = [plane.new_at() for plane in planes if plane.grows]
    except BudgetError as error:
        raise UncountedError from error
    plain = all(filter_of(run) == simplify.TRUE for sides in runs for side in sides for run in side)
    if len(runs) == len(planes) and plain:
        return shortest(_by_runs(runs))
    return tally(_joined(planes))


def _joined(planes: tuple[Plane, ...]) -> Plane:
    return replace(planes[0], formula=simplify.disjunction(plane.formula for plane in planes))


def _by_runs(planes: list[Sides]) -> Tally:
    sides = [[plane[side] for plane in planes] for side in (0, 1)]
    if sum(prod(1 + len(runs) for runs in side) for side in sides) > MOST_MEETINGS:
        raise UncountedError
    shape = eventually_periodic.together([_recurrence(side) for side in sides])
    return accumulated(shape, lambda rows: sum((_held(side, rows) for side in sides), rows * 0))


def _recurrence(planes: list[Runs]) -> Recurring:
    """From where on, and how often, all meetings of the runs repeat.

    Bounds that all move by one distance, modulo a common step, leave their meetings as they are.
    Bounds that grow apart meet no more, however far that step moves them.
    """
    runs = [run for plane in planes for run in plane]
    step = lcm(*(run.step for run in runs))
    bounds = [eventually_periodic.expression(end) for run in runs for end in (run.start, run.stop)]
    between = [left - right for left, right in combinations(bounds, 2)]
    moved = [Recurring(each.modulo_period(step), _parting(each, step)) for each in between]
    guards = [eventually_periodic.condition(run.guard) for run in runs]
    return eventually_periodic.together([*moved, *guards])


def _parting(between: Eventual, step: int) -> int:
    if between.slope == 0:
        return between.start
    farthest = max(abs(between.low), abs(between.high)) + step
    return max(between.start, ceil(farthest / abs(between.slope)) + 1)


# --- meetings -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Progressions:
    """For each of `rows`: start <= j < stop with j congruent to `phase`, modulo `step`."""

    rows: Integers
    start: Integers
    stop: Integers
    phase: Integers
    step: int

    def kept(self, where: Booleans) -> Progressions:
        return Progressions(
            self.rows[where], self.start[where], self.stop[where], self.phase[where], self.step
        )

    def lengths(self) -> Integers:
        first = self.start + (self.phase - self.start) % self.step
        return np.maximum(-(-(self.stop - first) // self.step), 0)


def _held(planes: list[Runs], rows: Integers) -> Integers:
    """How many keys of each row any of the planes holds."""
    total = np.zeros(len(rows), np.int64)
    known = [[_of_run(run, rows) for run in runs] for runs in planes]
    for sign, meeting in _meetings(known, None, 1):
        # A row occurs once in a meeting.
        total[meeting.rows] += sign * meeting.lengths()
    return total


def _meetings(
    planes: list[list[Progressions]], met: Progressions | None, sign: int
) -> Iterator[tuple[int, Progressions]]:
    """What one run of each of some planes have in common, with the sign of their number."""
    for at, runs in enumerate(planes):
        for run in runs:
            meeting = run.kept(run.start < run.stop) if met is None else _met(met, run)
            if len(meeting.rows):
                yield sign, meeting
                yield from _meetings(planes[at + 1 :], meeting, -sign)


def _of_run(run: Interval, rows: Integers) -> Progressions:
    """The run in every row; of some rows it holds nothing."""
    start, stop = spans(run, rows, Sizes(len(rows), 0))
    return Progressions(rows, start, stop, start % run.step, run.step)


def _met(left: Progressions, right: Progressions) -> Progressions:
    """What is in both; `right` has all rows, in order."""
    start = np.maximum(left.start, right.start[left.rows])
    stop = np.minimum(left.stop, right.stop[left.rows])
    apart = right.phase[left.rows] - left.phase
    both = gcd(left.step, right.step)
    shared = np.flatnonzero((start < stop) & (apart % both == 0))
    inverse = pow(left.step // both, -1, right.step // both) if right.step > both else 0
    times = apart[shared] // both * inverse % (right.step // both)
    step = lcm(left.step, right.step)
    phase = (left.phase[shared] + left.step * times) % step
    return Progressions(left.rows[shared], start[shared], stop[shared], phase, step)
