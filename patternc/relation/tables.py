"""Tables at a given n: what the atoms of a predicate ask.

Converts random keys, constants and run-time inputs of one head to numpy arrays, each made once.
Does not handle devices or batches (the caller passes the inputs of one batch element and head).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from patternc.algebra.atoms import (
    Compared,
    ConstantSet,
    InRow,
    IntegerTable,
    LabelTable,
    ListedTable,
    Member,
    MemberTable,
    OffsetTable,
    PermutationTable,
    RandomTable,
    RowTable,
    SameLabel,
    SetTable,
    SpanTable,
    Within,
)
from patternc.algebra.evaluate import Values, evaluate, holds, intervals
from patternc.algebra.intervals import Sizes
from patternc.algebra.isl_context import KeyCount
from patternc.algebra.work_budget import compute, spend
from patternc.ir.formula import Atom, Compare, Condition, Reading
from patternc.ir.sources import TEXT, TOKENS, KeySource, Rows
from patternc.ir.terms import Random
from patternc.relation.excluded_keys import avoided_on
from patternc.relation.row_entries import RowEntries
from patternc.semantics import input_arrays
from patternc.semantics import tree_spans as spans
from patternc.semantics.random_tables import draw
from patternc.semantics.source_slots import keys_of, row_count, slots

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
# Up to so many rows are drawn by themselves where a table has more than these.
FEW_ROWS, MANY_ROWS = 1 << 12, 1 << 20
# Numbers that one draw computes, about.
DRAW = 64


class Tables:
    """The tables of one head at n query positions, for keys of one source.

    `m` is the number of slots of a `source` other than the tokens. With `rows` other than the
    tokens' n is how many those are, over `tokens` tokens.
    """

    def __init__(
        self,
        n: int,
        inputs: Mapping[str, NDArray[np.generic]] | None = None,
        m: int | None = None,
        source: KeySource = TOKENS,
        rows: Rows = TOKENS,
        tokens: int | None = None,
    ) -> None:
        self.n = n
        self.tokens = n if tokens is None else tokens
        self.source = source
        self.query_rows = rows
        self.m = n if m is None else m
        self.keys: KeyCount = "n" if m is None else "m"
        self.sizes = Sizes(self.n, self.m)
        self._inputs = dict(inputs or {})
        self._rows: dict[RowTable, Integers] = {}
        self._entries: dict[RowTable, RowEntries] = {}
        self._members: dict[MemberTable, Booleans] = {}
        self._integers: dict[IntegerTable, Integers] = {}
        self._spans: dict[SpanTable, Integers] = {}

    def rows(self, table: RowTable) -> Integers:
        """Keys by row, [rows, k], in the units of the table; -1 where empty."""
        if table not in self._rows:
            self._rows[table] = self._make_rows(table)
        return self._rows[table]

    def members(self, table: MemberTable) -> Booleans:
        """Is position p (in the units of the table) in the set? [ceil(n / block)]."""
        if table not in self._members:
            self._members[table] = self._make_members(table)
        return self._members[table]

    def labels(self, table: LabelTable) -> Integers:
        """Labels of the positions, in the units of the table; those of the slots before them."""
        labels = input_arrays.labels(table.name, self._inputs, self._count(table, self.n))
        if not table.keys:
            return labels
        # All rows ask here, so that a row's number is its position.
        labels = labels[np.arange(self.n) // table.block] if table.own else labels
        of_keys = input_arrays.labels(table.keys, self._inputs, self._count(table, self.m))
        return np.append(of_keys, labels)

    def label(self, table: LabelTable, position: Integers) -> Integers:
        """The label of a position; -1 where it has none."""
        return _label(self.labels(table), np.asarray(position))

    def integers(self, table: IntegerTable) -> Integers:
        """Run-time integers of the positions, in the units of the table."""
        if table not in self._integers:
            self._integers[table] = self._make_integers(table)
        return self._integers[table]

    def _make_integers(self, table: IntegerTable) -> Integers:
        if table.size:
            return np.reshape(input_arrays.size(table.name, self._inputs), 1)
        count = self._count(table, self.m if table.of_keys else self.n)
        found = input_arrays.integers(table.name, self._inputs, count)
        # All rows ask here, so that a row's number is its position.
        return found[np.arange(self.n) // table.block] if table.own else found

    def read(self, reading: Reading, values: Values) -> Integers:
        """The integer of a position; 0 where it has none."""
        assert isinstance(reading.table, IntegerTable)
        found = self.integers(reading.table)
        at = np.asarray(evaluate(reading.position, values))
        return found[np.clip(at, 0, len(found) - 1)] if len(found) else np.zeros_like(at)

    def is_given(self, name: str) -> bool:
        """Is there such a run-time input?"""
        return self._inputs.get(name) is not None

    def required(self, name: str) -> NDArray[np.generic]:
        """A run-time input. Raises `InputError` where it is missing."""
        return input_arrays.required(name, self._inputs)

    def spans(self, table: SpanTable) -> Integers:
        """Intervals by slot or row, [slots or rows, 2 * intervals]."""
        if table not in self._spans:
            self._spans[table] = _shared_spans(table, self.tokens)
        return self._spans[table]

    def holds(self, predicate: Condition, values: Values) -> Booleans:
        """Where a predicate is true, by broadcasting over the values of i and j."""
        return holds(predicate, {**self.sizes.values, **values}, self._ask)

    def _ask(self, atom: Atom, values: Values) -> Booleans:
        match atom:
            case InRow(table, row, key):
                at, of = (np.asarray(evaluate(side, values)) for side in (row, key))
                return self._in_row(table, at, of)
            case Member(table, position):
                return _at(self.members(table), np.asarray(evaluate(position, values)))
            case SameLabel(table, row, key):
                left, right = (self.label(table, evaluate(side, values)) for side in (row, key))
                return np.asarray((left >= 0) & (left == right))
            case Compared(operator, left, right):
                return holds(Compare(operator, left, right), values, read=self.read)
            case Within(table, index, position):
                at, of = (np.asarray(evaluate(side, values)) for side in (index, position))
                return _in_spans(self.spans(table), at, of)
            case _:
                raise TypeError(f"no table answers {type(atom).__name__}")

    def _in_row(self, table: RowTable, row: Integers, key: Integers) -> Booleans:
        height, width = (self._count(table, length) for length in (self.n, self.m))
        few = row.size <= FEW_ROWS and height > MANY_ROWS and table not in self._rows
        if few and isinstance(table, RandomTable):
            asked, place = np.unique(row.clip(0, height - 1), return_inverse=True)
            drawn = RowEntries.of(self._drawn(table.random, height, width, asked), width)
            held = drawn.hold(place.reshape(row.shape), key)
            return np.asarray((row >= 0) & (row < height) & held)
        if table not in self._entries:
            self._entries[table] = RowEntries.of(self.rows(table), width)
        return self._entries[table].hold(row, key)

    def _make_rows(self, table: RowTable) -> Integers:
        rows, keys = (self._count(table, length) for length in (self.n, self.m))
        spend(rows * (table.random.count if isinstance(table, RandomTable) else 1))
        compute(rows * table.random.count * DRAW if isinstance(table, RandomTable) else 0)
        match table:
            case RandomTable(random):
                return self._drawn(random, rows, keys, np.arange(rows))
            case ListedTable(name):
                keys = -(-keys // (table.width if table.found else table.entry))
                return input_arrays.listed(name, self._inputs, rows, keys)
            case PermutationTable(entries):
                listed = np.asarray(entries, np.int64).reshape(-1, 1)
                return np.where(listed < keys, listed, -1)[:rows]
            case _:
                assert_never(table)

    def _drawn(self, random: Random, rows: int, keys: int, asked: Integers) -> Integers:
        """The draws of some of the `rows` positions, in their own scope with `keys` slots."""
        if self.source == TOKENS:
            avoided = _held(avoided_on(random, TOKENS, TOKENS), Tables(keys, self._inputs))
            return draw(random, keys, asked, avoided)
        tokens = keys if self.source == TEXT else rows
        there = Tables(rows, self._inputs, keys, self.source, self.query_rows, tokens)
        avoided = _held(avoided_on(random, self.source, self.query_rows), there)
        among = keys_of(self.source, keys)
        anywhere = replace(random, past_only=False)
        return draw(anywhere, tokens, asked, avoided, among)

    def _make_members(self, table: MemberTable) -> Booleans:
        of_rows = isinstance(table, OffsetTable) or table.of_rows
        count = self._count(table, self.n if of_rows else self.m)
        spend(count // 8)
        members = np.zeros(count, np.bool_)
        match table:
            case ConstantSet(listing):
                n = self._count(table, self.tokens)
                among = keys_of(TOKENS if table.of_rows else self.source, count)
                for start, stop in intervals(listing, n, among):
                    members[start - among.first : stop - among.first] = True
            case OffsetTable(name):
                given = input_arrays.offsets(name, self._inputs) + count
                members = np.zeros(2 * count, np.bool_)
                members[given[(given >= 0) & (given < 2 * count)]] = True
            case SetTable(name):
                members = input_arrays.members(name, self._inputs, count)
            case _:
                assert_never(table)
        return members

    def _count(self, table: RowTable | MemberTable | LabelTable | IntegerTable, length: int) -> int:
        """`length` positions in the units of the table."""
        parts = 0 if isinstance(table, ConstantSet) else table.parts
        return -(-(parts or length) // table.block)


class HeadTables:
    """The tables of one head, by key source.

    `sizes` gives the slots known only at call time: `memory`, `compressed`, `encoder`. With `rows`
    other than those of the n tokens, query positions are their slots.
    """

    def __init__(
        self,
        n: int,
        inputs: Mapping[str, NDArray[np.generic]] | None = None,
        sizes: Mapping[str, int] | None = None,
        rows: Rows = TOKENS,
    ) -> None:
        self.n = n
        self.rows = rows
        self._inputs = inputs
        self._sizes = dict(sizes or {})
        self._tables: dict[tuple[KeySource, Rows], Tables] = {}

    def of(self, source: KeySource, rows: Rows | None = None) -> Tables:
        """What answers for keys of a source; `rows` in place of those that ask here."""
        asking = self.rows if rows is None else rows
        if (source, asking) not in self._tables:
            m = None if source == TOKENS else slots(source, self.n, self._sizes)
            count = row_count(asking, self.n)
            tables = Tables(count, self._inputs, m, source, asking, self.n)
            self._tables[source, asking] = tables
        return self._tables[source, asking]

    def asked_by(self, rows: Rows) -> HeadTables:
        """The same for other rows."""
        return HeadTables(self.n, self._inputs, self._sizes, rows)

    @property
    def row_count(self) -> int:
        """How many query positions there are."""
        return row_count(self.rows, self.n)


def _held(predicate: Condition, tables: Tables) -> Callable[[Integers, Integers], Booleans]:
    """Whether a row holds a key of the tables' source."""

    def held(rows: Integers, keys: Integers) -> Booleans:
        found = tables.holds(predicate, {"i": rows, "j": keys})
        return np.broadcast_to(found, np.broadcast_shapes(rows.shape, keys.shape))

    return held


_SPANS: WeakValueDictionary[tuple[SpanTable, int], Integers] = WeakValueDictionary()
"""Those of every head and layer that asks for the same, as long as one of them holds them."""


def _shared_spans(table: SpanTable, tokens: int) -> Integers:
    found = _SPANS.get((table, tokens))
    if found is None:
        spend(2 * spans.node_count(tokens, table.branching))
        found = _make_spans(table, tokens)
        found.setflags(write=False)
        _SPANS[table, tokens] = found
    return found


def _make_spans(table: SpanTable, tokens: int) -> Integers:
    match table:
        case SpanTable("contextual", branching, count):
            return spans.contextual(tokens, branching, count)
        case SpanTable("past", branching, count):
            return spans.contextual(tokens, branching, count)[:, 2:]
        case SpanTable("ended", branching):
            return spans.ended(tokens, branching)
        case SpanTable(_, branching):
            return spans.covered(tokens, branching)


def _in_spans(table: Integers, index: Integers, position: Integers) -> Booleans:
    inside = (index >= 0) & (index < len(table))
    if not len(table):
        return np.broadcast_to(inside, np.broadcast_shapes(index.shape, position.shape))
    ends = table[np.where(inside, index, 0)]
    held = np.asarray(False)
    for first in range(0, table.shape[1], 2):
        start, stop = ends[..., first], ends[..., first + 1]
        held = held | ((start <= position) & (position < stop))
    return np.asarray(inside & held)


def _at(members: Booleans, position: Integers) -> Booleans:
    inside = (position >= 0) & (position < len(members))
    return inside & (members[np.where(inside, position, 0)] if len(members) else inside)


def _label(labels: Integers, position: Integers) -> Integers:
    inside = (position >= 0) & (position < len(labels))
    return np.where(inside, labels[np.where(inside, position, 0)] if len(labels) else -1, -1)
