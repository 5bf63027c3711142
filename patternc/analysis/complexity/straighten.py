"""Comparisons of a floor of the key, written without the floor.

floor(j / c) >= e is j >= c * e: rows of blocks then have keys in intervals, which integer sets
list as plain runs. The condition stays the same for every i, j and n.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from patternc.language.formula import (
    Add,
    All,
    Any,
    Compare,
    CompareOperator,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Multiply,
    Not,
    Subtract,
)
from patternc.relation import fold
from patternc.relation.formulas import variables_of

_MIRRORED: dict[CompareOperator, CompareOperator] = {
    "<": ">",
    "<=": ">=",
    "==": "==",
    "!=": "!=",
    ">=": "<=",
    ">": "<",
}
_Sum = Counter[Expression]


def straightened(condition: Condition) -> Condition:
    match condition:
        case Compare():
            return _comparison(condition)
        case All(items):
            return fold.conjunction(straightened(item) for item in items)
        case Any(items):
            return fold.disjunction(straightened(item) for item in items)
        case Not(operand):
            return fold.negation(straightened(operand))
        case _:
            return condition


def _comparison(given: Compare) -> Condition:
    total = Counter[Expression]()
    for expression, factor in (*_terms(given.left, 1), *_terms(given.right, -1)):
        total[expression] += factor
    with_key = [term for term in total if total[term] and "j" in variables_of(term)]
    if len(with_key) != 1 or abs(total[with_key[0]]) != 1:
        return given
    match with_key[0]:
        case FloorDivide(inner, Constant(divisor)) as term:
            sign = total.pop(term)
            rest = _written(total, -sign)
            operator = given.operator if sign == 1 else _MIRRORED[given.operator]
            return _without_floor(inner, divisor, operator, rest)
    return given


def _terms(expression: Expression, factor: int) -> Iterator[tuple[Expression, int]]:
    """The summands of a sum with their factors; numbers count as a factor of 1."""
    match expression:
        case Add(left, right):
            yield from (*_terms(left, factor), *_terms(right, factor))
        case Subtract(left, right):
            yield from (*_terms(left, factor), *_terms(right, -factor))
        case Multiply(Constant(value), other) | Multiply(other, Constant(value)):
            yield from _terms(other, factor * value)
        case Constant(value):
            yield Constant(1), factor * value
        case _:
            yield expression, factor


def _written(total: _Sum, sign: int) -> Expression:
    result: Expression = Constant(0)
    for term, factor in total.items():
        result = fold.add(result, fold.multiply(Constant(sign * factor), term))
    return result


def _without_floor(
    inner: Expression, divisor: int, operator: CompareOperator, rest: Expression
) -> Condition:
    first = fold.multiply(Constant(divisor), rest)
    behind = fold.add(first, Constant(divisor))
    at_least = fold.compare(inner, ">=", first)
    match operator:
        case ">=":
            return at_least
        case "<":
            return fold.compare(inner, "<", first)
        case "<=":
            return fold.compare(inner, "<", behind)
        case ">":
            return fold.compare(inner, ">=", behind)
        case "==":
            return fold.conjunction([at_least, fold.compare(inner, "<", behind)])
        case "!=":
            outside = [fold.compare(inner, "<", first), fold.compare(inner, ">=", behind)]
            return fold.disjunction(outside)
