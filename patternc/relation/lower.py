"""Terms to predicates: every relation of the language as one condition on i, j, n and m.

Converts a term without key sources and modifiers, in a scope, to a condition on token positions and
slots. Does not handle tiles or the numbers of heads that share a kernel.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from patternc.algebra.atoms import (
    InRow,
    LabelTable,
    ListedTable,
    Member,
    OffsetTable,
    PermutationTable,
    RandomTable,
    RowTable,
    SameLabel,
    SpanKind,
    SpanTable,
    Within,
)
from patternc.algebra.simplify import (
    FALSE,
    TRUE,
    add,
    conjunction,
    disjunction,
    floor_divide,
    maximum,
    minimum,
    modulo,
    multiply,
    negation,
    subtract,
)
from patternc.algebra.value_bounds import READ
from patternc.algebra.walk import readings_in
from patternc.ir.formula import Compare, Condition, Constant, Expression
from patternc.ir.sources import Encoder, Tree, labels_of
from patternc.ir.terms import (
    AvailableSpans,
    Blocks,
    Causal,
    Columns,
    Complement,
    Contextual,
    Diagonal,
    Difference,
    DilatedSegment,
    Empty,
    EqualParts,
    Full,
    Global,
    IndexList,
    Intersection,
    Local,
    Neighborhood,
    Offsets,
    On,
    Part,
    Permutation,
    PositionRange,
    Positions,
    Random,
    Rows,
    SameDocument,
    Segment,
    SpanOf,
    Strided,
    Term,
    Union,
    Where,
    Windows,
    With,
)
from patternc.relation.comparisons import compare
from patternc.relation.coordinates import TOKENS, ZERO, IndexSpace, in_index_space, substitute
from patternc.relation.neighborhoods import lower_neighborhood
from patternc.relation.positions import Among, lower_positions
from patternc.relation.windows import lower_windows
from patternc.semantics.source_slots import QUERY

# A permutation of more entries than this is a table.
MOST_CASES = 8


def lower(term: Term, scope: IndexSpace = TOKENS) -> Condition:
    """The predicate of `term`; i may be negative, j is a token below n or a slot below m."""
    match term:
        case Full():
            return TRUE
        case Empty():
            return FALSE
        case Diagonal():
            return compare(scope.key, "==", scope.row)
        case Causal():
            return compare(scope.key, "<=", scope.row)
        case Local():
            return _local(term, scope)
        case Strided(stride):
            return _divides(stride, subtract(scope.row, scope.key))
        case Segment(width, back, ahead):
            return _segment(width, back, ahead, scope)
        case DilatedSegment():
            return _dilated_segment(term, scope)
        case On() | With():
            raise TypeError("key sources and modifiers are separated before lowering")
        case Columns(positions):
            return _keys(positions, scope)
        case Rows(positions):
            return _rows(positions, scope)
        case Global(positions):
            either = disjunction([_keys(positions, scope), _queries(positions, scope)])
            return conjunction([_existing_row(scope), either])
        case Permutation(table):
            return _permuted(table, scope)
        case Random():
            units = scope.block, scope.parts
            return _in_row(RandomTable(term, *units, scope.source, scope.query_rows), scope)
        case IndexList(name, None, entry):
            lists = ListedTable(name, scope.block, scope.parts, entry=entry)
            return _in_row(lists, scope, entry)
        case IndexList(name, found):
            lists = ListedTable(name, 1, 0, found, scope.source, scope.query_rows)
            return _in_row(lists, scope, lists.width)
        case Neighborhood():
            grid = lower_neighborhood(term, scope.row, scope.key)
            return conjunction([_existing_row(scope), grid])
        case Windows():
            grid = lower_windows(term, scope.row, scope.key)
            return conjunction([_existing_row(scope), grid])
        case SameDocument(name):
            return _same(name, scope)
        case Contextual(count, past_only):
            assert isinstance(scope.source, Tree)
            kind: SpanKind = "past" if past_only else "contextual"
            walks = SpanTable(kind, scope.source.branching, count)
            return Within(walks, scope.key, scope.row)
        case AvailableSpans(branching):
            return Within(SpanTable("ended", branching), scope.key, scope.row)
        case SpanOf(branching):
            return Within(SpanTable("covered", branching), scope.row, scope.key)
        case Offsets(name, back):
            return _offsets(name, back, scope)
        case Where(condition):
            return _where(condition, scope)
        case Blocks(size, body):
            return lower(body, _blocks(size, scope))
        case EqualParts(parts, body):
            return _parts(parts, body, scope)
        case Part(positions, body):
            return _within(positions, body, scope)
        case Union(terms):
            return disjunction(lower(item, scope) for item in terms)
        case Intersection(terms):
            return conjunction(lower(item, scope) for item in terms)
        case Difference(left, right):
            return conjunction([lower(left, scope), negation(lower(right, scope))])
        case Complement(operand):
            return negation(lower(operand, scope))
        case _:
            assert_never(term)


def _same(name: str, scope: IndexSpace) -> Condition:
    """Labels of the keys, and those of the rows: the same, or behind them in one table."""
    if _is_before(scope.row):
        return FALSE
    rows, keys = labels_of(name, scope.query_rows), labels_of(name, scope.source)
    units = scope.block, scope.parts
    if rows == keys:
        return SameLabel(LabelTable(rows, *units), scope.row, scope.key)
    own = scope.source == Encoder()
    table = LabelTable(rows, *units, keys, own)
    row, behind = QUERY if own else scope.row, subtract(scope.count, scope.first)
    return conjunction([_existing_row(scope), SameLabel(table, add(row, behind), scope.slot)])


def _offsets(name: str, back: bool, scope: IndexSpace) -> Condition:
    """The distance as a member of a table of those from -n on."""
    first, second = (scope.row, scope.key) if back else (scope.key, scope.row)
    table = OffsetTable(name, scope.block, scope.parts)
    held = Member(table, add(subtract(first, second), scope.length))
    return conjunction([_existing_row(scope), held])


def _where(condition: Condition, scope: IndexSpace) -> Condition:
    """Rows before the first have no integers.

    On an encoder, where rows are numbers, such a one has less than any integer.
    """
    asked = [reading for reading in readings_in(condition) if reading.position == QUERY]
    if not asked:
        return substitute(condition, scope)
    if _is_before(scope.row):
        return FALSE
    known = substitute(Compare(">=", asked[0], Constant(READ[0])), scope)
    exists = known if scope.source == Encoder() else _existing_row(scope)
    return conjunction([exists, substitute(condition, scope)])


def _existing_row(scope: IndexSpace) -> Condition:
    return compare(scope.row, ">=", ZERO)


def _in_row(table: RowTable, scope: IndexSpace, width: int = 1) -> Condition:
    """A row that is surely before the first has no entries; one stands for `width` slots."""
    entry = floor_divide(scope.slot, Constant(width))
    return FALSE if _is_before(scope.row) else InRow(table, scope.row, entry)


def _is_before(position: Expression) -> bool:
    return isinstance(position, Constant) and position.value < 0


def _permuted(table: tuple[int, ...], scope: IndexSpace) -> Condition:
    """Few entries, and rows that are numbers, are cases; the others a table."""
    if len(table) > MOST_CASES and not isinstance(scope.row, Constant):
        return _in_row(PermutationTable(table, scope.block, scope.parts), scope)
    return disjunction(
        conjunction(
            [compare(scope.row, "==", Constant(row)), compare(scope.key, "==", Constant(key))]
        )
        for row, key in enumerate(table)
    )


def _keys(positions: Positions, scope: IndexSpace) -> Condition:
    among = Among(scope.count, scope.slot, scope.block, scope.parts, whole=scope.whole)
    return lower_positions(positions, scope.key, among, lambda end: in_index_space(end, scope))


def _queries(positions: Positions, scope: IndexSpace) -> Condition:
    among = Among(
        scope.query_count, scope.row, scope.block, scope.parts, not scope.tokens, scope.whole
    )
    return lower_positions(positions, scope.row, among, lambda end: in_index_space(end, scope))


def _rows(positions: Positions, scope: IndexSpace) -> Condition:
    """Only on a key source may there be rows past n."""
    below = TRUE if scope.tokens else compare(scope.row, "<", scope.query_count)
    return conjunction([_existing_row(scope), below, _queries(positions, scope)])


def _divides(divisor: int, expression: Expression) -> Condition:
    return compare(modulo(expression, Constant(divisor)), "==", ZERO)


def _local(term: Local, scope: IndexSpace) -> Condition:
    step = Constant(term.dilation)
    distance = subtract(scope.key, scope.row)
    left = multiply(step, in_index_space(term.left, scope))
    right = multiply(step, in_index_space(term.right, scope))
    return conjunction(
        [
            compare(distance, ">=", subtract(ZERO, left)),
            compare(distance, "<=", right),
            _divides(term.dilation, distance),
        ]
    )


def _segment(width: int, back: int, ahead: int, scope: IndexSpace) -> Condition:
    row = floor_divide(scope.row, Constant(width))
    key = floor_divide(scope.key, Constant(width))
    if back == ahead == 0:
        return compare(key, "==", row)
    return conjunction(
        [
            compare(key, ">=", subtract(row, Constant(back))),
            compare(key, "<=", add(row, Constant(ahead))),
        ]
    )


def _dilated_segment(term: DilatedSegment, scope: IndexSpace) -> Condition:
    """Within a segment equal residues mean a distance that r divides: half the work for isl."""
    width, dilation = Constant(term.width), Constant(term.dilation)
    residue = modulo(modulo(scope.row, width), dilation)
    return conjunction(
        [
            _segment(term.width, 0, 0, scope),
            compare(residue, "==", Constant(term.offset % term.dilation)),
            _divides(term.dilation, subtract(scope.key, scope.row)),
        ]
    )


def _blocks(size: int, scope: IndexSpace) -> IndexSpace:
    block = Constant(size)
    count, length, height = (
        floor_divide(add(positions, Constant(size - 1)), block)
        for positions in (scope.count, scope.length, scope.query_count)
    )
    return replace(
        scope,
        row=floor_divide(scope.row, block),
        key=floor_divide(scope.key, block),
        count=count,
        length=length,
        query_count=height,
        block=scope.block * size,
        first=floor_divide(scope.first, block),
    )


def _parts(parts: int, body: Term, scope: IndexSpace) -> Condition:
    """Cases over the part of i and of j; rows before the sequence reach `parts` parts back.

    Keys are tokens, or `body` is about rows only.
    """
    count = Constant(parts)
    cases = []
    keys = range(parts if scope.tokens else 1)
    own = {row: _in_part(row, parts, scope.row, scope) for row in range(-parts, parts)}
    other = [_in_part(key, parts, scope.key, scope) if scope.tokens else TRUE for key in keys]
    for row in range(-parts, parts):
        for key in keys:
            inner = replace(
                scope, row=Constant(row), key=Constant(key), count=count, length=count,
                query_count=count, block=1, parts=parts, first=ZERO,
            )  # fmt: skip
            held = lower(body, inner)
            if held != FALSE:
                cases.append(conjunction([held, own[row], other[key]]))
    return disjunction(cases)


def _within(positions: PositionRange, body: Term, scope: IndexSpace) -> Condition:
    """The body on the positions of a range, counted from its start; the rest holds nothing."""
    cases = []
    for above, start in _ends(positions.start, ZERO, scope):
        for below, stop in _ends(positions.stop, scope.length, scope):
            first, last = maximum(start, ZERO), minimum(stop, scope.length)
            count = subtract(last, first)
            inside = [
                condition
                for at in (scope.row, scope.key)
                for condition in (compare(at, ">=", first), compare(at, "<", last))
            ]
            inner = replace(
                scope, row=subtract(scope.row, first), key=subtract(scope.key, first),
                count=count, length=count, query_count=count, whole=False,
            )  # fmt: skip
            cases.append(conjunction([above, below, *inside, lower(body, inner)]))
    return disjunction(cases)


def _ends(
    end: Expression | None, missing: Expression, scope: IndexSpace
) -> tuple[tuple[Condition, Expression], ...]:
    """What an end of a range is, and when: a negative one counts from n."""
    if end is None:
        return ((TRUE, missing),)
    value = in_index_space(end, scope)
    from_start, from_end = compare(value, ">=", ZERO), compare(value, "<", ZERO)
    every = ((from_start, value), (from_end, add(value, scope.length)))
    return tuple((when, at) for when, at in every if when != FALSE)


def _in_part(part: int, parts: int, position: Expression, scope: IndexSpace) -> Condition:
    """parts * position // n == part, without a division by n."""
    scaled = multiply(Constant(parts), position)
    return conjunction(
        [
            compare(scaled, ">=", multiply(Constant(part), scope.length)),
            compare(scaled, "<", multiply(Constant(part + 1), scope.length)),
        ]
    )
