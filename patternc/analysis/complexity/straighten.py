"""Comparisons of a floor of the key, written without the floor.

floor(j / c) >= e is j >= c * e: rows of blocks then have keys in intervals, which integer sets
list as plain runs. The condition stays the same for every i, j and n.
"""

from __future__ import annotations

from patternc.ir.formula import (
    All,
    Any,
    Compare,
    CompareOperator,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Not,
    Subtract,
)
from patternc.relation import fold
from patternc.relation.formulas import variables_of
from patternc.relation.linear import Linear, linear


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
    difference = linear(Subtract(given.left, given.right))
    match [item for item in difference.terms if "j" in variables_of(item[0])]:
        case [(FloorDivide(inner, Constant(divisor)), 1 | -1 as sign) as asked]:
            rest = Linear(difference.terms - {asked}, difference.number).times(-sign)
            operator = given.operator if sign == 1 else fold.MIRRORED[given.operator]
            return _without_floor(inner, divisor, operator, rest.expression())
    return given


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
