"""A condition where its positions lie in given ranges, counted from their starts.

Maps i = start + i', 0 <= i' < count (and j, n and m likewise) to a condition over i' and j': what
the ranges decide is decided, quotients that are constant are numbers, and equal conditions of
different ranges are written alike. Does not handle tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple, assert_never

from patternc.algebra import simplify
from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import MIRRORED, compare
from patternc.algebra.walk import Leaf, map_children, map_leaves
from patternc.frozen import frozen
from patternc.ir.formula import (
    Absolute,
    Add,
    Compare,
    CompareOperator,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Maximum,
    Minimum,
    Modulo,
    Multiply,
    Reading,
    Scalar,
    Subtract,
    Truth,
    Variable,
)

ZERO = Constant(0)
# start, count
Ranges = Mapping[str, tuple[int, int]]


class NotRestrictedError(Exception):
    """The condition asks tables or inputs."""


class Known:
    """Values by the object of an expression and the ranges of its positions."""

    def __init__(self) -> None:
        self.values: dict[tuple[object, ...], _Value] = {}
        self.names: dict[int, tuple[str, ...]] = {}

    def names_of(self, expression: Expression) -> tuple[str, ...]:
        key = id(expression)
        if key not in self.names:
            self.names[key] = tuple(sorted(variables_of(expression)))
        return self.names[key]


class _Value(NamedTuple):
    """`varying` + `offset`, between `least` and `most`."""

    varying: Expression
    offset: int
    least: int
    most: int

    @property
    def expression(self) -> Expression:
        return simplify.add(self.varying, Constant(self.offset))

    @property
    def is_constant(self) -> bool:
        return self.varying == ZERO


def restricted(condition: Condition, ranges: Ranges, known: Known | None = None) -> Condition:
    """The condition over positions of the ranges. Raises `NotRestrictedError`.

    `known` keeps what calls for the same `shared` condition and other ranges have in common.
    """
    asked = _Restriction(ranges, known or Known())
    return map_leaves(condition, lambda leaf: _leaf(leaf, asked))


def shared(condition: Condition) -> Condition:
    """The condition with one object for equal expressions."""
    objects: dict[Expression, Expression] = {}

    def one(expression: Expression) -> Expression:
        found = map_children(expression, one)
        return objects.setdefault(found, found)

    def of(leaf: Leaf) -> Condition:
        if not isinstance(leaf, Compare):
            return leaf
        return replace(leaf, left=one(leaf.left), right=one(leaf.right))

    return map_leaves(condition, of)


def _leaf(leaf: Leaf, ranges: _Restriction) -> Condition:
    match leaf:
        case Truth():
            return leaf
        case Compare(operator, left, right):
            one, other = _value(left, ranges), _value(right, ranges)
            apart = _difference(one, other)
            if (known := _decided(apart, operator)) is not None:
                return known
            if one.is_constant:
                return compare(other.varying, MIRRORED[operator], Constant(apart.offset))
            moved = simplify.add(other.varying, Constant(-apart.offset))
            return compare(one.varying, operator, moved)
        case _:
            raise NotRestrictedError


def _decided(value: _Value, operator: CompareOperator) -> Condition | None:
    """Whether the value compares so with 0, where its bounds say."""
    low, high = (compare(Constant(end), operator, ZERO) for end in (value.least, value.most))
    between = operator in ("==", "!=") and value.least < 0 < value.most
    return low if low == high and not between else None


@frozen
class _Restriction:
    ranges: Ranges
    known: Known


def _value(expression: Expression, asked: _Restriction) -> _Value:
    match expression:
        case Constant(number):
            return _constant(number)
        case Variable(name):
            return _at_range(expression, *asked.ranges[name])
    known, ranges = asked.known, asked.ranges
    key = id(expression), *[ranges[name] for name in known.names_of(expression)]
    found = known.values.get(key)
    if found is None:
        found = known.values[key] = _computed(expression, asked)
    return found


def _at_range(position: Variable, start: int, count: int) -> _Value:
    known = count == 1
    return _constant(start) if known else _Value(position, start, start, start + count - 1)


def _computed(expression: Expression, ranges: _Restriction) -> _Value:
    match expression:
        case Constant() | Variable():
            return _value(expression, ranges)
        case Scalar() | Reading():
            raise NotRestrictedError
        case Absolute(operand):
            return _absolute(_value(operand, ranges))
        case FloorDivide(left, Constant(divisor)):
            return _quotient(_value(left, ranges), divisor)
        case Modulo(left, Constant(divisor)):
            return _remainder(_value(left, ranges), divisor)
    one, other = _value(expression.left, ranges), _value(expression.right, ranges)
    match expression:
        case Add():
            return _sum(one, other)
        case Subtract():
            return _difference(one, other)
        case Multiply():
            return _product(one, other)
        case Minimum():
            return _chosen(one, other, simplify.minimum, min)
        case Maximum():
            return _chosen(one, other, simplify.maximum, max)
        case FloorDivide():
            return _quotient(one, _number(other))
        case Modulo():
            return _remainder(one, _number(other))
        case _:
            assert_never(expression)


def _constant(number: int) -> _Value:
    return _Value(ZERO, number, number, number)


def _number(value: _Value) -> int:
    """A divisor, which is n or m at most."""
    if not value.is_constant or value.offset <= 0:
        raise NotRestrictedError
    return value.offset


def _sum(one: _Value, other: _Value) -> _Value:
    varying = simplify.add(one.varying, other.varying)
    bounds = one.least + other.least, one.most + other.most
    return _Value(varying, one.offset + other.offset, *bounds)


def _difference(one: _Value, other: _Value) -> _Value:
    if one.varying == other.varying:
        return _constant(one.offset - other.offset)
    varying = simplify.subtract(one.varying, other.varying)
    bounds = one.least - other.most, one.most - other.least
    return _Value(varying, one.offset - other.offset, *bounds)


def _product(one: _Value, other: _Value) -> _Value:
    if other.is_constant:
        one, other = other, one
    if not one.is_constant:
        raise NotRestrictedError
    factor = one.offset
    ends = factor * other.least, factor * other.most
    varying = simplify.multiply(Constant(factor), other.varying)
    return _Value(varying, factor * other.offset, min(ends), max(ends))


def _quotient(value: _Value, divisor: int) -> _Value:
    least, most = value.least // divisor, value.most // divisor
    if least == most:
        return _constant(least)
    whole, rest = divmod(value.offset, divisor)
    moved = simplify.add(value.varying, Constant(rest))
    return _Value(simplify.floor_divide(moved, Constant(divisor)), whole, least, most)


def _remainder(value: _Value, divisor: int) -> _Value:
    least, most = value.least // divisor, value.most // divisor
    if least == most:
        return _sum(value, _constant(-least * divisor))
    moved = simplify.add(value.varying, Constant(value.offset % divisor))
    return _Value(simplify.modulo(moved, Constant(divisor)), 0, 0, divisor - 1)


def _absolute(value: _Value) -> _Value:
    return _chosen(value, _difference(_constant(0), value), simplify.maximum, max)


def _chosen(
    one: _Value,
    other: _Value,
    make: Callable[[Expression, Expression], Expression],
    choose: Callable[[int, int], int],
) -> _Value:
    """The smaller or the larger, without a choice where the ranges say which."""
    apart = _difference(one, other)
    if apart.least >= 0 or apart.most <= 0:
        larger, smaller = (one, other) if apart.least >= 0 else (other, one)
        return larger if choose is max else smaller
    bounds = choose(one.least, other.least), choose(one.most, other.most)
    return _Value(make(one.expression, other.expression), 0, *bounds)
