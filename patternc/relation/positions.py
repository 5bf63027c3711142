"""Position sets to conditions on one position.

Ends that count from n are resolved here: a constant at once, an expression in n by cases, so no
later package knows of negative positions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from patternc.algebra.atoms import ConstantSet, Member, SetTable
from patternc.algebra.simplify import add, conjunction, disjunction, modulo
from patternc.frozen import frozen
from patternc.ir.formula import CompareOperator, Condition, Constant, Expression
from patternc.ir.terms import Listing, Period, PositionRange, Positions, RunTimeSet
from patternc.relation.comparisons import compare

# Above this many intervals integer sets grow out of hand, and a table is the better form.
MOST_INTERVALS = 4
ZERO = Constant(0)


@frozen
class Among:
    """What the positions of a set are among.

    Negative ones count from `count`. Tables know the position by `number`, in units of `block` or
    `parts`; `of_rows` as in the tables. Of those that are not `whole`, a part of the sequence,
    tables know no end.
    """

    count: Expression
    number: Expression
    block: int = 1
    parts: int = 0
    of_rows: bool = False
    whole: bool = True


def lower_positions(
    positions: Positions, at: Expression, among: Among, resolve: Callable[[Expression], Expression]
) -> Condition:
    """Is position `at` in the set?

    `at` is one of the positions by itself: keys are, and rows are asked for i >= 0 beside this.
    """
    match positions:
        case RunTimeSet(name):
            table = SetTable(name, among.block, among.parts, among.of_rows)
            return Member(table, among.number)
        case Period(length, start, stop):
            residue = modulo(at, Constant(length))
            return conjunction(
                [compare(residue, ">=", Constant(start)), compare(residue, "<", Constant(stop))]
            )
        case Listing(ranges):
            merged = merge(ranges)
            known = among.whole or all(map(_constant_span, ranges))
            if len(merged) > MOST_INTERVALS and known and not isinstance(at, Constant):
                scattered = ConstantSet(positions, among.block, among.of_rows)
                return Member(scattered, among.number)
            return disjunction(_in_range(item, at, among.count, resolve) for item in merged)
        case _:
            assert_never(positions)


def merge(ranges: tuple[PositionRange, ...]) -> tuple[PositionRange, ...]:
    """Constant positions from the start, joined where they touch; the others as they are."""
    spans, others = [], []
    for item in ranges:
        span = _constant_span(item)
        others.append(item) if span is None else spans.append(span)
    return (*_joined(sorted(spans)), *others)


def _constant_span(item: PositionRange) -> tuple[int, int] | None:
    match item:
        case PositionRange(Constant(start), _, True) if start >= 0:
            return start, start + 1
        case PositionRange(Constant(start), Constant(stop), False) if start >= 0 and stop >= 0:
            return start, stop
    return None


def _joined(spans: list[tuple[int, int]]) -> list[PositionRange]:
    joined: list[tuple[int, int]] = []
    for start, stop in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        elif start < stop:
            joined.append((start, stop))
    return [PositionRange(Constant(start), Constant(stop)) for start, stop in joined]


def _in_range(
    item: PositionRange,
    at: Expression,
    count: Expression,
    resolve: Callable[[Expression], Expression],
) -> Condition:
    def bound(operator: CompareOperator, end: Expression | None) -> Condition:
        return _against_end(at, operator, None if end is None else resolve(end), count)

    if item.single:
        return bound("==", item.start)
    match item.start, item.stop:
        case Constant(start), Constant(stop) if stop == start + 1 and start >= 0:
            return compare(at, "==", item.start)
    return conjunction([bound(">=", item.start), bound("<", item.stop)])


def _against_end(
    at: Expression, operator: CompareOperator, end: Expression | None, count: Expression
) -> Condition:
    """Compare with an end that counts from n where it is negative; a missing end is not a bound."""
    if end is None:
        return conjunction([])
    from_start = [compare(end, ">=", ZERO), compare(at, operator, end)]
    from_end = [compare(end, "<", ZERO), compare(at, operator, add(end, count))]
    return disjunction([conjunction(from_start), conjunction(from_end)])
