"""Ranges: the keys of every row at one length, as arithmetic progressions.

Maps an edge and the tables of a head to arrays of (row, start, stop) with one step each. Time and
memory grow with n and with the pairs that only tables hold. Does not compose layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from patternc.algebra.atoms import InRow, SpanTable, Within
from patternc.algebra.evaluate import Integers
from patternc.algebra.intervals import Interval, Sizes, expand, filter_of, spans
from patternc.algebra.simplify import TRUE, conjunction
from patternc.analysis.reach.edges import Edge
from patternc.analysis.table_pairs import UnknownError, held
from patternc.frozen import frozen
from patternc.ir.formula import Compare, Condition, Constant, Multiply, Not, Variable
from patternc.relation.cases import Literal
from patternc.relation.coordinates import IndexSpace, substitute
from patternc.relation.relation import Conjunct
from patternc.relation.tables import Tables
from patternc.tiling.key_runs import key_runs
from patternc.tiling.tile_lists import unit_of

_CELLS = 1 << 22
_UNCUT = (TRUE, Compare("<=", Variable("j"), Variable("i")))


@frozen
class Ranges:
    """Slots start <= j < stop in steps of `step` for row[t]; a row may appear in several."""

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
            yield from _of_run(run, tables.sizes, np.arange(tables.n))


def ranges_of_blocks(edge: Edge, block: int, tables: Tables, rows: Integers) -> Iterator[Ranges]:
    """The edge's pairs in the rows, each the first of a block, where keys are whole blocks.

    Raises `UnknownError` where they have no intervals.
    """
    if edge.literals:
        entries = _entries(edge, tables, rows)
        if entries is None:
            raise UnknownError
        yield entries
        return
    for run in _block_runs(edge, block):
        blocks = Sizes(tables.n, -(-tables.n // block))
        for found in _of_run(run, blocks, rows // block):
            start, stop = found.start * block, np.minimum(found.stop * block, tables.n)
            yield Ranges(1, found.row * block, start, stop)


def _block_runs(edge: Edge, block: int) -> tuple[Interval, ...]:
    """Runs over the m blocks of keys of a block of rows, with i and j counting blocks."""
    row, key = (Multiply(Constant(block), Variable(name)) for name in ("i", "j"))
    scope = IndexSpace(row, key, Variable("n"), Variable("n"))
    runs = key_runs(substitute(edge.formula, scope), "m")
    if runs is None or any(filter_of(run) != TRUE or run.step > 1 for run in runs):
        raise UnknownError
    return runs


def _has_runs(edge: Edge, tables: Tables) -> bool:
    """Known tables list their own pairs."""
    return not (edge.literals and edge.is_known)


def _of_run(run: Interval, sizes: Sizes, rows: Integers) -> Iterator[Ranges]:
    if filter_of(run) == TRUE:
        start, stop = spans(run, rows, sizes)
        kept = start < stop
        yield Ranges(run.step, rows[kept], start[kept], stop[kept])
    else:
        for row, key in expand(run, rows, sizes):
            yield _merged(row, key)


def _listed(edge: Edge, tables: Tables, runs: tuple[Interval, ...] | None) -> Iterator[Ranges]:
    """Pairs that tables choose: listed by the tables themselves, or among those of the formula."""
    if (entries := _entries(edge, tables, np.arange(tables.n))) is not None:
        yield entries
    elif (spans_of := _only_spans(edge)) is not None:
        yield from _by_row(tables.spans(spans_of), np.arange(tables.n))
    elif edge.is_known:
        for row, key in held(Conjunct(edge.formula, edge.literals), tables):
            order = np.lexsort((key, row))
            yield _merged(row[order], key[order])
    elif runs is None:
        yield from map(_merged, *zip(*_evaluated(edge, tables), strict=True))
    else:
        yield from _chosen(edge, tables, runs)


def _entries(edge: Edge, tables: Tables, rows: Integers) -> Ranges | None:
    """The entries of one table as intervals, where nothing but `j <= i` cuts them."""
    match edge.literals:
        case (Literal(InRow() as atom, True),) if unit_of(atom) and edge.formula in _UNCUT:
            block = atom.table.block
        case _:
            return None
    table = tables.rows(atom.table)
    height = rows // block
    inside = np.flatnonzero(height < len(table))
    place, slot = np.nonzero(table[height[inside]] >= 0)
    row = rows[inside[place]]
    start = table[row // block, slot] * block
    stop = np.minimum(start + block, tables.m)
    if edge.formula != TRUE:
        stop = np.minimum(stop, row + 1)
    kept = start < stop
    return Ranges(1, row[kept], start[kept], stop[kept])


def _only_spans(edge: Edge) -> SpanTable | None:
    """The spans of a tree that hold all of the edge's pairs, where nothing else cuts them."""
    match edge.literals:
        case (Literal(Within(table, Variable("j"), Variable("i")), True),) if edge.formula == TRUE:
            return table
        case _:
            return None


def _by_row(intervals: Integers, rows: Integers) -> Iterator[Ranges]:
    """The slots of each row from the rows of each slot: half-open intervals [slots, 2 * count].

    Along a level of a tree the ends of intervals ascend, so that the slots of a row are an interval
    of the level: from the first that ends behind the row to the last that starts before it.
    """
    for side in range(0, intervals.shape[1], 2):
        start, stop = intervals[:, side], intervals[:, side + 1]
        falls = np.flatnonzero((np.diff(start) < 0) | (np.diff(stop) < 0)) + 1
        for first, last in pairwise((0, *falls.tolist(), len(start))):
            low = first + np.searchsorted(stop[first:last], rows, "right")
            high = first + np.searchsorted(start[first:last], rows, "right")
            kept = low < high
            yield Ranges(1, rows[kept], low[kept], high[kept])


def _chosen(edge: Edge, tables: Tables, runs: tuple[Interval, ...]) -> Iterator[Ranges]:
    """The pairs of the formula that satisfy the literals, one by one."""
    condition = conjunction(_conditions(edge))
    for run in runs:
        for row, key in expand(run, np.arange(tables.n), tables.sizes):
            kept = np.broadcast_to(tables.holds(condition, {"i": row, "j": key}), row.shape)
            yield _merged(row[kept], key[kept])


def _conditions(edge: Edge) -> Iterator[Condition]:
    return (one.atom if one.positive else Not(one.atom) for one in edge.literals)


def _evaluated(edge: Edge, tables: Tables) -> Iterator[tuple[Integers, Integers]]:
    """Pairs of an edge without closed runs, a chunk of rows at a time."""
    n, m = tables.sizes
    condition = conjunction([edge.formula, *_conditions(edge)])
    height = max(1, _CELLS // max(m, 1))
    for first in range(0, n, height):
        rows, keys = np.arange(first, min(first + height, n))[:, None], np.arange(m)[None, :]
        found = tables.holds(condition, {"i": rows, "j": keys})
        row, key = np.nonzero(np.broadcast_to(found, (len(rows), m)))
        yield row + first, key


def _merged(row: Integers, key: Integers) -> Ranges:
    """Single pairs, in order, as progressions with the commonest step between two keys."""
    within, between = row[1:] == row[:-1], key[1:] - key[:-1]
    steps, times = np.unique(between[within], return_counts=True)
    step = int(steps[times.argmax()]) if len(steps) else 1
    first = np.append(True, ~within | (between != step))[: len(row)]
    last = np.append(first[1:], True)[: len(row)]
    return Ranges(step, row[first], key[first], key[last] + 1)
