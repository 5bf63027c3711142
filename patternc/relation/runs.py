"""Runs: closed-form intervals of values for each row, and what they are at a given n.

A run is what integer sets print as one loop. Rows and values are tokens or tiles; formulas name
them i and j. Everything is vectorised over rows; filtered runs expand in bounded chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from patternc.language.formula import All, Condition, Expression
from patternc.relation.evaluation import Integers, Values, evaluate, holds
from patternc.relation.fold import TRUE, conjunction
from patternc.relation.formulas import variables_of

CHUNK = 1 << 22


@dataclass(frozen=True, slots=True)
class Run:
    """Values start <= j < stop in steps of `step` for row i, where `guard` holds.

    Expressions over i and n. A guard that names j filters the values one by one.
    """

    guard: Condition
    start: Expression
    stop: Expression
    step: int = 1


@lru_cache(maxsize=65536)
def filter_of(run: Run) -> Condition:
    """The part of the run's guard that chooses values one by one."""
    return conjunction(item for item in _conjuncts(run.guard) if "j" in variables_of(item))


@lru_cache(maxsize=65536)
def _row_guard(run: Run) -> Condition:
    return conjunction(item for item in _conjuncts(run.guard) if "j" not in variables_of(item))


def _conjuncts(guard: Condition) -> tuple[Condition, ...]:
    return guard.items if isinstance(guard, All) else (guard,)


def spans(run: Run, rows: Integers, n: int) -> tuple[Integers, Integers]:
    """start, stop of the run for each row; empty spans where its guard is false."""
    values: Values = {"i": rows, "n": n}
    start, stop = (
        np.broadcast_to(evaluate(end, values), rows.shape) for end in (run.start, run.stop)
    )
    return start, np.where(holds(_row_guard(run), values), np.maximum(start, stop), start)


def lengths(run: Run, rows: Integers, n: int) -> Integers:
    """Values that the run visits for each row, its filter not applied."""
    start, stop = spans(run, rows, n)
    return -(-(stop - start) // run.step)


def count(run: Run, rows: Integers, n: int) -> int:
    """Values that the run visits over all rows."""
    if filter_of(run) == TRUE:
        return int(lengths(run, rows, n).sum())
    return sum(len(row) for row, _ in expand(run, rows, n))


def expand(run: Run, rows: Integers, n: int) -> Iterator[tuple[Integers, Integers]]:
    """The run's values one by one as (row, value), in chunks, its filter applied."""
    start, sizes = spans(run, rows, n)[0], lengths(run, rows, n)
    ends = np.cumsum(sizes)
    first = 0
    while first < len(rows):
        reached = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, reached + CHUNK)))
        part = slice(first, last)
        row = np.repeat(rows[part], sizes[part])
        offset = np.arange(len(row)) - np.repeat(ends[part] - sizes[part] - reached, sizes[part])
        value = np.repeat(start[part], sizes[part]) + offset * run.step
        chosen = filter_of(run)
        if chosen != TRUE:
            kept = np.broadcast_to(holds(chosen, {"i": row, "j": value, "n": n}), row.shape)
            row, value = row[kept], value[kept]
        yield row, value
        first = last


def values_of_row(run: Run, row: int, n: int) -> Integers:
    """The values that the run visits for one row, ascending."""
    known: Values = {"i": row, "n": n}
    if not holds(_row_guard(run), known):
        return np.zeros(0, np.int64)
    start, stop = (int(evaluate(end, known)) for end in (run.start, run.stop))
    values = np.arange(start, stop, run.step)
    kept = holds(filter_of(run), {**known, "j": values})
    return np.asarray(values[np.broadcast_to(kept, values.shape)])


def in_runs(runs: tuple[Run, ...], row: Integers, value: Integers, n: int) -> NDArray[np.bool_]:
    """Is value[t] of row[t] in one of the runs?"""
    found = np.zeros(row.shape, np.bool_)
    values: Values = {"i": row, "j": value, "n": n}
    for run in runs:
        start, stop = evaluate(run.start, values), evaluate(run.stop, values)
        found |= (value >= start) & (value < stop) & holds(run.guard, values)
    return found
