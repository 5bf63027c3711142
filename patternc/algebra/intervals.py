"""Runs: closed-form intervals of values for each row, and what they are at a given n.

A run is what integer sets print as one loop. Rows and values are tokens or tiles; formulas name
them i and j. Everything is vectorised over rows; filtered runs expand in bounded chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from patternc.algebra.evaluate import Booleans, Integers, Values, evaluate, holds
from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import TRUE, conjunction
from patternc.algebra.work_budget import spend
from patternc.frozen import frozen
from patternc.ir.formula import All, Condition, Expression, VariableName

CHUNK = 1 << 16


@frozen
class Interval:
    """Values start <= j < stop in steps of `step` for row i, where `guard` holds.

    Expressions over i and n. A guard that names j filters the values one by one.
    """

    guard: Condition
    start: Expression
    stop: Expression
    step: int = 1


class Sizes(NamedTuple):
    """How long things are at a call: n tokens, and m slots of the key source."""

    n: int
    m: int

    @property
    def values(self) -> dict[VariableName, int]:
        return {"n": self.n, "m": self.m}


@lru_cache(maxsize=65536)
def filter_of(run: Interval) -> Condition:
    """The part of the run's guard that chooses values one by one."""
    return conjunction(item for item in _conjuncts(run.guard) if "j" in variables_of(item))


@lru_cache(maxsize=65536)
def row_guard(run: Interval) -> Condition:
    """The part that chooses rows."""
    return conjunction(item for item in _conjuncts(run.guard) if "j" not in variables_of(item))


def _conjuncts(guard: Condition) -> tuple[Condition, ...]:
    return guard.items if isinstance(guard, All) else (guard,)


def spans(run: Interval, rows: Integers, sizes: Sizes) -> tuple[Integers, Integers]:
    """start, stop of the run for each row; empty spans where its guard is false."""
    values: Values = {"i": rows, **sizes.values}
    start, stop = (
        np.broadcast_to(evaluate(end, values), rows.shape) for end in (run.start, run.stop)
    )
    return start, np.where(holds(row_guard(run), values), np.maximum(start, stop), start)


def lengths(run: Interval, rows: Integers, sizes: Sizes) -> Integers:
    """Values that the run visits for each row, its filter not applied."""
    start, stop = spans(run, rows, sizes)
    return -(-(stop - start) // run.step)


def expand(run: Interval, rows: Integers, sizes: Sizes) -> Iterator[tuple[Integers, Integers]]:
    """The run's values one by one as (row, value), in chunks, its filter applied."""
    start, visited = spans(run, rows, sizes)[0], lengths(run, rows, sizes)
    spend(int(visited.sum()), kept=False)
    ends = np.cumsum(visited)
    first = 0
    while first < len(rows):
        reached = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, reached + CHUNK)))
        part = slice(first, last)
        row = np.repeat(rows[part], visited[part])
        offset = np.arange(len(row)) - np.repeat(
            ends[part] - visited[part] - reached, visited[part]
        )
        value = np.repeat(start[part], visited[part]) + offset * run.step
        chosen = filter_of(run)
        if chosen != TRUE:
            kept = np.broadcast_to(holds(chosen, {"i": row, "j": value, **sizes.values}), row.shape)
            row, value = row[kept], value[kept]
        yield row, value
        first = last


def values_of_row(run: Interval, row: int, sizes: Sizes) -> Integers:
    """The values that the run visits for one row, ascending."""
    known: Values = {"i": row, **sizes.values}
    if not holds(row_guard(run), known):
        return np.zeros(0, np.int64)
    start, stop = (int(evaluate(end, known)) for end in (run.start, run.stop))
    spend((stop - start) // run.step)
    values = np.arange(start, stop, run.step)
    kept = holds(filter_of(run), {**known, "j": values})
    return np.asarray(values[np.broadcast_to(kept, values.shape)])


def in_runs(runs: tuple[Interval, ...], row: Integers, value: Integers, sizes: Sizes) -> Booleans:
    """Is value[t] of row[t] in one of the runs?"""
    found = np.zeros(row.shape, np.bool_)
    values: Values = {"i": row, "j": value, **sizes.values}
    for run in runs:
        start, stop = evaluate(run.start, values), evaluate(run.stop, values)
        visited = (value >= start) & (value < stop) & ((value - start) % run.step == 0)
        found |= visited & holds(run.guard, values)
    return found
