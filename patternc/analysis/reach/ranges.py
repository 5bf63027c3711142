"""Ranges: the keys of every row at one length, as arithmetic progressions.

From an edge and the tables of a head to arrays of (row, start, stop) with one step each. Time and
memory grow with n and with the pairs that only tables hold. Non-goals: composition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from patternc.analysis.listed import UnknownError, held
from patternc.analysis.reach.edges import Edge
from patternc.language.formula import Not
from patternc.layout.count import key_runs
from patternc.relation.evaluation import Integers
from patternc.relation.fold import TRUE, conjunction
from patternc.relation.relation import Conjunct
from patternc.relation.runs import Run, Sizes, expand, filter_of, spans
from patternc.relation.tables import Tables

_CELLS = 1 << 22


@dataclass(frozen=True, slots=True)
class Ranges:
    """Slots start <= j < stop in steps of `step` for row[t]; a row may stand in several."""

    step: int
    row: Integers
    start: Integers
    stop: Integers


def ranges_of(edge: Edge, tables: Tables) -> Iterator[Ranges]:
    """The edge's pairs; several ranges may hold the same pair. Raises `UnknownError`."""
    runs = key_runs(edge.formula, edge.keys) if _has_runs(edge, tables) else None
    if edge.literals:
        yield from _listed(edge, tables, runs)
    elif runs is None:
        yield from map(_merged, *zip(*_evaluated(edge, tables), strict=True))
    else:
        for run in runs:
            yield from _of_run(run, tables.sizes)


def _has_runs(edge: Edge, tables: Tables) -> bool:
    """Known tables list their own pairs."""
    return not (edge.literals and edge.is_known)


def _of_run(run: Run, sizes: Sizes) -> Iterator[Ranges]:
    rows = np.arange(sizes.n)
    if filter_of(run) == TRUE:
        start, stop = spans(run, rows, sizes)
        kept = start < stop
        yield Ranges(run.step, rows[kept], start[kept], stop[kept])
    else:
        for row, key in expand(run, rows, sizes):
            yield _merged(row, key)


def _listed(edge: Edge, tables: Tables, runs: tuple[Run, ...] | None) -> Iterator[Ranges]:
    """Pairs that tables choose: listed by the tables themselves, or among those of the formula."""
    if edge.is_known:
        for row, key in held(Conjunct(edge.formula, edge.literals), tables):
            yield _merged(row, key)
        return
    if runs is None:
        raise UnknownError
    condition = conjunction(one.atom if one.positive else Not(one.atom) for one in edge.literals)
    for run in runs:
        for row, key in expand(run, np.arange(tables.n), tables.sizes):
            kept = np.broadcast_to(tables.holds(condition, {"i": row, "j": key}), row.shape)
            yield _merged(row[kept], key[kept])


def _evaluated(edge: Edge, tables: Tables) -> Iterator[tuple[Integers, Integers]]:
    """Pairs of a formula without closed runs, a chunk of rows at a time."""
    n, m = tables.sizes
    height = max(1, _CELLS // max(m, 1))
    for first in range(0, n, height):
        rows, keys = np.arange(first, min(first + height, n))[:, None], np.arange(m)[None, :]
        found = tables.holds(edge.formula, {"i": rows, "j": keys})
        row, key = np.nonzero(np.broadcast_to(found, (len(rows), m)))
        yield row + first, key


def _merged(row: Integers, key: Integers) -> Ranges:
    """Single pairs as intervals."""
    order = np.lexsort((key, row))
    row, key = row[order], key[order]
    first = np.ones(len(row), np.bool_)
    first[1:] = (row[1:] != row[:-1]) | (key[1:] > key[:-1] + 1)
    last = np.append(first[1:], True) if len(row) else first
    return Ranges(1, row[first], key[first], key[last] + 1)
