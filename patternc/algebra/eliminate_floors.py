"""Comparisons of a floor of the key, written without the floor.

floor(j / c) >= e is j >= c * e: rows of blocks then have keys in intervals, which integer sets
list as plain runs. The condition stays the same for every i, j and n.
"""

from __future__ import annotations

from patternc.algebra import simplify
from patternc.algebra.affine import Linear, linear
from patternc.algebra.queries import variables_of
from patternc.algebra.walk import Leaf, map_leaves
from patternc.ir.formula import (
    Compare,
    CompareOperator,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Subtract,
)


def straightened(condition: Condition) -> Condition:
    return map_leaves(condition, _leaf)


def _leaf(leaf: Leaf) -> Condition:
    return _comparison(leaf) if isinstance(leaf, Compare) else leaf


def _comparison(given: Compare) -> Condition:
    difference = linear(Subtract(given.left, given.right))
    match [item for item in difference.terms if "j" in variables_of(item[0])]:
        case [(FloorDivide(inner, Constant(divisor)), 1 | -1 as sign) as asked]:
            rest = Linear(difference.terms - {asked}, difference.number).times(-sign)
            operator = given.operator if sign == 1 else simplify.MIRRORED[given.operator]
            return _without_floor(inner, divisor, operator, rest.expression())
    return given


def _without_floor(
    inner: Expression, divisor: int, operator: CompareOperator, rest: Expression
) -> Condition:
    first = simplify.multiply(Constant(divisor), rest)
    behind = simplify.add(first, Constant(divisor))
    at_least = simplify.compare(inner, ">=", first)
    match operator:
        case ">=":
            return at_least
        case "<":
            return simplify.compare(inner, "<", first)
        case "<=":
            return simplify.compare(inner, "<", behind)
        case ">":
            return simplify.compare(inner, ">=", behind)
        case "==":
            return simplify.conjunction([at_least, simplify.compare(inner, "<", behind)])
        case "!=":
            outside = [simplify.compare(inner, "<", first), simplify.compare(inner, ">=", behind)]
            return simplify.disjunction(outside)
