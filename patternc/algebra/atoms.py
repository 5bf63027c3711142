"""Predicates: the meaning of a term as one condition on token positions i, j and n.

`Condition` of the `language` package, widened by atoms that ask a table. Every consumer (integer
sets, numpy, torch and Triton text) prints or evaluates this one tree. Does not handle tiles or
devices.
"""

from __future__ import annotations

from typing import Literal

from patternc.algebra.simplify import NEGATED
from patternc.frozen import frozen
from patternc.ir.formula import (
    All,
    Any,
    Atom,
    Compare,
    CompareOperator,
    Condition,
    Expression,
    Not,
    Truth,
)
from patternc.ir.sources import TOKENS, KeySource, Rows
from patternc.ir.terms import Found, Listing, Random


@frozen
class RandomTable:
    """Draws of one `Random`: integers [rows, count], -1 where empty.

    Rows and keys count blocks of `block` tokens, or the parts of `parts` when that is not 0. Keys
    are slots of `source`, as the `rows` see it.
    """

    random: Random
    block: int = 1
    parts: int = 0
    source: KeySource = TOKENS
    rows: Rows = TOKENS


@frozen
class ListedTable:
    """A run-time input: integers [rows, k], [heads, rows, k] or [batch, heads, rows, k].

    Negative entries are empty. Rows and keys count blocks of `block` tokens, or parts. Lists that
    are `found` are about slots of `source`, as the `rows` see it; their entries stand for `width`
    slots each. Other entries stand for `entry` blocks or slots.
    """

    name: str
    block: int = 1
    parts: int = 0
    found: Found | None = None
    source: KeySource = TOKENS
    rows: Rows = TOKENS
    entry: int = 1

    @property
    def width(self) -> int:
        return self.found.search.width if self.found else self.block * self.entry


@frozen
class PermutationTable:
    """A constant permutation as a table of one key a row: integers [len(keys), 1]."""

    keys: tuple[int, ...]
    block: int = 1
    parts: int = 0


RowTable = RandomTable | ListedTable | PermutationTable


@frozen
class SetTable:
    """A run-time set by its name: booleans or positions, counting blocks or parts.

    It counts slots of the branch's key source; with `of_rows` query positions where those differ.
    """

    name: str
    block: int = 1
    parts: int = 0
    of_rows: bool = False


@frozen
class ConstantSet:
    """A scattered constant set, too many intervals for closed forms; `of_rows` as above."""

    listing: Listing
    block: int = 1
    of_rows: bool = False


@frozen
class OffsetTable:
    """A run-time list of distances, integers [k], [heads, k] or [batch, heads, k], as a set.

    Of n positions, blocks or parts, distance d is its member d + n.
    """

    name: str
    block: int = 1
    parts: int = 0


MemberTable = SetTable | ConstantSet | OffsetTable


@frozen
class LabelTable:
    """Run-time integer labels [n] or [batch, n], by blocks or parts; negative: equal to nothing.

    With `keys` the labels of that input go before, those of the slots: of another sequence. There
    rows are those of the queries, one by one, if they are their `own`: on an encoder, where the
    position of a query is its number.
    """

    name: str
    block: int = 1
    parts: int = 0
    keys: str = ""
    own: bool = False


@frozen
class IntegerTable:
    """Run-time integers of positions: [n], [batch, n], [heads, n] or [batch, heads, n].

    They count blocks or parts as labels do. Those of an encoder's queries are of each query by
    itself if they are its `own`: the position of a query is its number there. With `of_keys` they
    are those of the key source's slots. A `size` is one number for all positions.
    """

    name: str
    block: int = 1
    parts: int = 0
    own: bool = False
    of_keys: bool = False
    size: bool = False


SpanKind = Literal["contextual", "past", "ended", "covered"]


@frozen
class SpanTable:
    """Half-open intervals by the spans of a tree: integers [slots or rows, 2 * intervals].

    `contextual`, `past` and `ended`: the query positions that a slot is attended to by, by those
    behind it alone, and available to; `covered`: the tokens of a span, by its row.
    """

    kind: SpanKind
    branching: int
    count: int = 0


Table = RowTable | MemberTable | LabelTable | IntegerTable | SpanTable


@frozen
class InRow(Atom):
    """`key` is an entry of row `row` of `table`; false at rows outside the table."""

    table: RowTable
    row: Expression
    key: Expression


@frozen
class Member(Atom):
    """`position` is in the set; false outside it."""

    table: MemberTable
    position: Expression


@frozen
class SameLabel(Atom):
    """The labels at token positions `row` and `key` are equal and not negative."""

    table: LabelTable
    row: Expression
    key: Expression


@frozen
class Within(Atom):
    """`position` lies in an interval of `index` of `table`; false at an `index` outside it."""

    table: SpanTable
    index: Expression
    position: Expression


@frozen
class Compared(Atom):
    """A comparison of expressions that hold a `Reading`; its positions are inside their tables."""

    operator: CompareOperator
    left: Expression
    right: Expression

    def negated(self) -> Compared:
        return Compared(NEGATED[self.operator], self.left, self.right)


Predicate = Condition

__all__ = [
    "All",
    "Any",
    "Atom",
    "Compare",
    "Compared",
    "Condition",
    "ConstantSet",
    "InRow",
    "IntegerTable",
    "LabelTable",
    "ListedTable",
    "Member",
    "MemberTable",
    "Not",
    "OffsetTable",
    "PermutationTable",
    "Predicate",
    "RandomTable",
    "RowTable",
    "SameLabel",
    "SetTable",
    "SpanKind",
    "SpanTable",
    "Table",
    "Truth",
    "Within",
]
