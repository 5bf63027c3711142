"""Scopes: what the positions of a term count, and its formulas with that put in.

Tokens, slots of a key source, the blocks of a `blocks(B)`, or numbers inside `blocks(parts=p)`.
Converts a formula of the language to one over token positions and slots. Does not handle relations.
"""

from __future__ import annotations

from patternc.algebra.atoms import IntegerTable
from patternc.algebra.simplify import subtract
from patternc.algebra.walk import Leaf, map_children, map_leaves
from patternc.frozen import frozen
from patternc.ir import sources
from patternc.ir.formula import (
    Compare,
    Condition,
    Constant,
    Expression,
    Reading,
    Truth,
    Variable,
    is_size,
)
from patternc.ir.sources import Encoder, KeySource, Rows, Text, Tokens, labels_of
from patternc.relation.comparisons import compare
from patternc.semantics.source_slots import QUERY, M, N, count_of, first_of, key_of

ZERO = Constant(0)


@frozen
class IndexSpace:
    """What i, j and n of a term stand for, as expressions over token positions and slots.

    Listed keys count from `count`, which differs from `length`, the n of formulas, on key sources
    other than the `tokens`; tables number keys from `first` on. `query_count` is how many rows
    there are: n, but for the `query_rows` rows of a stream or tree. Where it is
    not `whole`, positions are those of a part of the sequence.
    """

    row: Expression
    key: Expression
    count: Expression
    length: Expression
    block: int = 1
    parts: int = 0
    first: Expression = ZERO
    tokens: bool = True
    query_count: Expression = N
    source: KeySource = sources.TOKENS
    query_rows: Rows = sources.TOKENS
    whole: bool = True

    @property
    def slot(self) -> Expression:
        """The key as tables number it."""
        unlifted = self.key == key_of(self.source)
        return Variable("j") if unlifted else subtract(self.key, self.first)


TOKENS = IndexSpace(Variable("i"), Variable("j"), Variable("n"), Variable("n"))


def index_space(source: KeySource, asking: Rows = sources.TOKENS) -> IndexSpace:
    """The scope of a term on `source`.

    The n of a pass is the number of its rows. Where those are not the tokens', the number of tokens
    is known on `Text` only, whose slots they are.
    """
    if source == Tokens():
        return TOKENS
    key, count, first = key_of(source), count_of(source), first_of(source)
    length = M if source == Text() else Variable("n")
    return IndexSpace(
        Variable("i"),
        key,
        count,
        length,
        first=first,
        tokens=False,
        source=source,
        query_rows=asking,
    )


def substitute(condition: Condition, scope: IndexSpace) -> Condition:
    """The condition with i, j and n of the scope in place of its variables.

    Comparisons that read run-time integers become atoms.
    """

    def put(leaf: Leaf) -> Condition:
        match leaf:
            case Truth():
                return leaf
            case Compare(operator, left, right):
                sides = in_index_space(left, scope), in_index_space(right, scope)
                return compare(sides[0], operator, sides[1])
            case _:
                raise TypeError(f"a where condition holds no {type(leaf).__name__}")

    return map_leaves(condition, put)


def in_index_space(expression: Expression, scope: IndexSpace) -> Expression:
    """The expression with i, j and n of the scope in place of its variables."""
    if isinstance(expression, Reading):
        return _reading(expression, scope)
    if isinstance(expression, Variable):
        return {"i": scope.row, "j": scope.key, "n": scope.length, "m": M}[expression.name]
    return map_children(expression, lambda child: in_index_space(child, scope))


def _reading(reading: Reading, scope: IndexSpace) -> Reading:
    """The integer of a row or of a key, from the input that counts those.

    On an encoder the position of a query is its number, and its integer that of its own.
    """
    name, units = str(reading.table), (scope.block, scope.parts)
    if is_size(reading):
        return Reading(IntegerTable(name, size=True), reading.position)
    if reading.position == QUERY:
        own = scope.source == Encoder()
        table = IntegerTable(labels_of(name, scope.query_rows), *units, own)
        return Reading(table, QUERY if own else scope.row)
    of_slots = not scope.tokens
    table = IntegerTable(labels_of(name, scope.source), *units, of_keys=of_slots)
    return Reading(table, scope.slot)
