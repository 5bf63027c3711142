"""The meaning of one relation as a dense mask, line by line as in the table of the manual.

Maps a relation, and an index space that defines its positions, to booleans [queries, keys].
Combining and lifting relations is in `semantics.mask`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import assert_never

import numpy as np

from patternc.algebra.evaluate import (
    Booleans,
    Integers,
    Keys,
    Values,
    evaluate,
    holds,
    intervals,
)
from patternc.algebra.queries import variables_of
from patternc.algebra.walk import readings_in
from patternc.frozen import frozen
from patternc.ir.formula import Condition, Reading
from patternc.ir.sources import TEXT, TOKENS, KeySource, Tree, labels_of
from patternc.ir.sources import Rows as RowsOf
from patternc.ir.terms import (
    AvailableSpans,
    Causal,
    Columns,
    Contextual,
    Diagonal,
    DilatedSegment,
    Empty,
    Full,
    Global,
    IndexList,
    Listing,
    Local,
    Neighborhood,
    Offsets,
    Period,
    Permutation,
    Positions,
    Random,
    Rows,
    RunTimeSet,
    SameDocument,
    Segment,
    SpanOf,
    Strided,
    Where,
    Windows,
)
from patternc.semantics import input_arrays
from patternc.semantics import tree_spans as spans
from patternc.semantics.neighborhoods import neighborhood
from patternc.semantics.random_tables import draw
from patternc.semantics.windows import windows

Inputs = Mapping[str, np.ndarray]


@frozen
class EvaluationContext:
    """Query positions `rows`, ascending, on the keys of `source`; inside a lift both count blocks.

    `stands_on` is the source of a relation as it stands: the tokens outside every `on`.
    `query_count` is how many rows there are, n where the tokens are `query_rows`. `own` is where
    rows appear among the tokens, also on an encoder, where `rows` are their numbers.
    """

    rows: Integers
    own: Integers
    n: int
    keys: Keys
    inputs: Inputs
    query_count: int
    source: KeySource = TOKENS
    stands_on: KeySource = TOKENS
    query_rows: RowsOf = TOKENS

    @property
    def i(self) -> Integers:
        return self.rows[:, None]

    @property
    def j(self) -> Integers:
        return np.arange(self.keys.first, self.keys.stop, dtype=np.int64)[None, :]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), self.keys.stop - self.keys.first

    @property
    def listed(self) -> Booleans:
        """Rows at positions 0..height-1; on an encoder there may be others past n too."""
        return np.asarray((self.i >= 0) & (self.i < self.query_count))

    @property
    def every_row(self) -> Keys:
        """What listed rows are among."""
        return Keys(0, self.query_count, self.query_count)


def nothing(scope: EvaluationContext) -> Booleans:
    return np.zeros(scope.shape, np.bool_)


Relation = (
    Full | Empty | Diagonal | Causal | Local | Strided | Segment | DilatedSegment | Columns
    | Rows | Global | Permutation | IndexList | Offsets | Neighborhood | Windows | SameDocument
    | Where | Contextual | AvailableSpans | SpanOf
)  # fmt: skip


def relation(term: Relation, scope: EvaluationContext) -> Booleans:
    """One relation; the result broadcasts to [rows, n]."""
    match term:
        case Columns(positions):
            return contains(positions, scope.j, scope.keys, scope)
        case SameDocument(name):
            return same(name, scope)
        case Where(condition) if any(readings_in(condition)):
            return where(condition, scope)
        case (
            Rows() | Global() | Permutation() | IndexList() | Offsets() | Neighborhood() | Windows()
        ):
            return scope.listed & of_query_positions(term, scope)
        case Contextual() | AvailableSpans() | SpanOf():
            return of_spans(term, scope)
        case _:
            return formula(term, scope.i, scope.j, scope.n)


Formula = (
    Full | Empty | Diagonal | Causal | Local | Strided | Segment | DilatedSegment | Where
)  # fmt: skip


def formula(term: Formula, i: Integers, j: Integers, n: int) -> Booleans:
    """The relations that are evaluated as they stand, at negative i too."""
    match term:
        case Full():
            return np.asarray(True)
        case Empty():
            return np.asarray(False)
        case Diagonal():
            return np.asarray(j == i)
        case Causal():
            return np.asarray(j <= i)
        case Local():
            return local(term, j - i, n)
        case Strided(stride):
            return np.asarray((i - j) % stride == 0)
        case Segment(width, back, ahead):
            step = j // width - i // width
            return np.asarray((-back <= step) & (step <= ahead))
        case DilatedSegment():
            return dilated_segment(term, i, j)
        case Where(condition):
            return holds(condition, {"i": i, "j": j, "n": n})
        case _:
            assert_never(term)


def local(term: Local, distance: Integers, n: int) -> Booleans:
    left, right = evaluate(term.left, {"n": n}), evaluate(term.right, {"n": n})
    within = (-left * term.dilation <= distance) & (distance <= right * term.dilation)
    return np.asarray(within & (distance % term.dilation == 0))


def dilated_segment(term: DilatedSegment, i: Integers, j: Integers) -> Booleans:
    residue = term.offset % term.dilation
    row_in = i % term.width % term.dilation == residue
    key_in = j % term.width % term.dilation == residue
    return np.asarray((i // term.width == j // term.width) & row_in & key_in)


OfQueryPositions = Rows | Global | Permutation | IndexList | Offsets | Neighborhood | Windows


def of_query_positions(term: OfQueryPositions, scope: EvaluationContext) -> Booleans:
    """The relations that hold nothing outside 0 <= i < n; what appears here for them is lost."""
    match term:
        case Rows(positions):
            return contains(positions, scope.i, scope.every_row, scope)
        case Global(positions):
            row, key = (
                contains(positions, at, scope.every_row, scope) for at in (scope.i, scope.j)
            )
            return row | key
        case Permutation(table):
            return in_table(np.array(table, np.int64)[:, None], scope)
        case IndexList(name):
            rows, entries = scope.query_count, -(-scope.shape[1] // term.width)
            listed = input_arrays.listed(name, scope.inputs, rows, entries)
            return in_table(_spread(listed, term.width, scope.shape[1]), scope)
        case Offsets(name, back):
            distance = scope.i - scope.j if back else scope.j - scope.i
            return np.isin(distance, input_arrays.offsets(name, scope.inputs))
        case Neighborhood():
            return neighborhood(term, scope.i, scope.j, scope.n)
        case Windows():
            return windows(term, scope.i, scope.j, scope.n)
        case _:
            assert_never(term)


def contains(
    positions: Positions, position: Integers, among: Keys, scope: EvaluationContext
) -> Booleans:
    """Whether `position`, one of `among`, is in the set; others are in none but a period."""
    match positions:
        case Listing():
            spans = intervals(positions, scope.n, among)
            inside = ((start <= position) & (position < stop) for start, stop in spans)
            return reduce(np.logical_or, inside, np.zeros(position.shape, np.bool_))
        case Period(length, start, stop):
            return (start <= position % length) & (position % length < stop)
        case RunTimeSet(name):
            members = input_arrays.members(name, scope.inputs, among.stop - among.first)
            return np.isin(position, np.flatnonzero(members) + among.first)
        case _:
            assert_never(positions)


def in_table(table: Integers, scope: EvaluationContext) -> Booleans:
    """The slot of j is an entry of row i of `table` [rows, k]; rows beyond the table are empty."""
    result = nothing(scope)
    known = np.flatnonzero((scope.rows >= 0) & (scope.rows < len(table)))
    slot = table[scope.rows[known]]
    at, entry = np.nonzero((slot >= 0) & (slot < scope.shape[1]))
    result[known[at], slot[at, entry]] = True
    return result


def _spread(table: Integers, width: int, slots: int) -> Integers:
    """Every one of the `width` keys that an entry stands for, of so many slots."""
    keys = table[..., None] * width + np.arange(min(width, slots))
    rows, entries, each = keys.shape
    return np.where(table[..., None] < 0, -1, keys).reshape(rows, entries * each)


def drawn(term: Random, avoid: Booleans, scope: EvaluationContext) -> Booleans:
    """The draws of the scope's rows, from the dense mask of what they pass over."""

    def avoided(rows: Integers, slots: Integers) -> Booleans:
        return np.asarray(avoid[np.searchsorted(scope.rows, rows), slots])

    table = draw(replace(term, past_only=False), scope.n, scope.rows, avoided, scope.keys)
    result = nothing(scope)
    at, entry = np.nonzero(table >= 0)
    result[at, table[at, entry]] = True
    return result & scope.listed


def same(name: str, scope: EvaluationContext) -> Booleans:
    """The slots of another sequence have labels of their own, 0 the oldest."""
    of_rows = input_arrays.labels(
        labels_of(name, scope.query_rows), scope.inputs, scope.query_count
    )
    row = labelled(of_rows, scope.own[:, None])
    input_arrays.warn_unlabelled(name, row, scope.own)
    keys = Keys(0, scope.n, scope.n) if scope.source in (TOKENS, TEXT) else scope.keys
    of_keys = input_arrays.labels(
        labels_of(name, scope.source), scope.inputs, keys.stop - keys.first
    )
    key = labelled(of_keys, scope.j - keys.first)
    return np.asarray((row == key) & (row >= 0))


def where(condition: Condition, scope: EvaluationContext) -> Booleans:
    """With run-time integers: nothing at rows that have none, where it asks those of rows."""

    def read(reading: Reading, _: Values) -> Integers:
        assert isinstance(reading.table, str)
        return integers_at(reading.table, "i" in variables_of(reading), scope)

    of_rows = any("i" in variables_of(reading) for reading in readings_in(condition))
    numbered = (scope.own >= 0) & (scope.own < scope.query_count) | (not of_rows)
    values: Values = {"i": scope.i, "j": scope.j, "n": scope.n}
    return np.asarray(holds(condition, values, read=read) & numbered[:, None])


def integers_at(name: str, of_rows: bool, scope: EvaluationContext) -> Integers:
    """The integers of the rows, or of the keys; 0 where there are none."""
    if of_rows:
        own = labels_of(name, scope.query_rows)
        table = input_arrays.integers(own, scope.inputs, scope.query_count)
        return table[np.clip(scope.own, 0, scope.query_count - 1)][:, None]
    keys = Keys(0, scope.n, scope.n) if scope.source in (TOKENS, TEXT) else scope.keys
    own = labels_of(name, scope.source)
    table = input_arrays.integers(own, scope.inputs, keys.stop - keys.first)
    return table[scope.j - keys.first]


def of_spans(term: Contextual | AvailableSpans | SpanOf, scope: EvaluationContext) -> Booleans:
    """Relations of the spans of a tree, over the tokens of each."""
    match term:
        case Contextual(count, past_only):
            assert isinstance(scope.source, Tree)
            branching = scope.source.branching
            held = spans.walked(scope.rows, scope.n, branching, count)
            return held & of_spans(AvailableSpans(branching), scope) if past_only else held
        case AvailableSpans(branching):
            return np.asarray(spans.ranges(scope.n, branching)[:, 1] - 1 <= scope.i)
        case SpanOf(branching):
            tokens = spans.ranges(scope.n, branching)[scope.n + scope.rows]
            return np.asarray((tokens[:, :1] <= scope.j) & (scope.j < tokens[:, 1:]))


def labelled(labels: Integers, position: Integers) -> Integers:
    """-1 where a position has no label."""
    inside = (position >= 0) & (position < len(labels))
    return np.where(inside, np.append(labels, -1)[np.where(inside, position, -1)], -1)
