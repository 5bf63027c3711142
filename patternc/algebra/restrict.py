"""A condition where its positions lie in given ranges, counted from their starts.

Maps i = start + i', 0 <= i' < count (and j, n and m likewise) to a condition over i' and j': what
the ranges decide is decided, quotients that are constant are numbers, and equal conditions of
different ranges are written alike. Does not handle tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

from patternc.algebra import simplify
from patternc.algebra.simplify import MIRRORED, compare
from patternc.algebra.walk import Leaf, map_leaves
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


@dataclass(frozen=True, slots=True)
class _Value:
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


def restricted(condition: Condition, ranges: Ranges) -> Condition:
    """The condition over positions of the ranges. Raises `NotRestrictedError`."""
    return map_leaves(condition, lambda leaf: _leaf(leaf, ranges))


def _leaf(leaf: Leaf, ranges: Ranges) -> Condition:
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


def _value(expression: Expression, ranges: Ranges) -> _Value:
    match expression:
        case Constant(number):
            return _constant(number)
        case Variable(name):
            start, count = ranges[name]
            known = count == 1
            return (
                _constant(start) if known else _Value(expression, start, start, start + count - 1)
            )
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
