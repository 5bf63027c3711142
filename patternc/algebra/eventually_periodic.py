"""Expressions in one position, from some position on: a straight line and a period.

Maps an expression or condition over i alone to its slope, period and start: for every i >= start
the value is slope * i + u(i mod period), with low <= u <= high. Floors and remainders by constants,
minima and maxima keep that shape, so that a count of rows has one from which it can be continued
indefinitely. Callers tabulate the periodic part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil, gcd, lcm
from typing import assert_never

from patternc.algebra.walk import Leaf, leaves
from patternc.frozen import frozen
from patternc.ir.formula import (
    Absolute,
    Add,
    Atom,
    Compare,
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

ZERO = Fraction(0)


@frozen
class Eventual:
    """slope * i + u(i mod period) for i >= start, low <= u <= high."""

    slope: Fraction = ZERO
    period: int = 1
    start: int = 0
    low: Fraction = ZERO
    high: Fraction = ZERO

    def __add__(self, other: Eventual) -> Eventual:
        return Eventual(
            self.slope + other.slope,
            lcm(self.period, other.period),
            max(self.start, other.start),
            self.low + other.low,
            self.high + other.high,
        )

    def times(self, factor: int | Fraction) -> Eventual:
        ends = sorted((self.low * factor, self.high * factor))
        return replace(self, slope=self.slope * factor, low=ends[0], high=ends[1])

    def __sub__(self, other: Eventual) -> Eventual:
        return self + other.times(-1)

    def modulo_period(self, divisor: int) -> int:
        """A period over which the value grows by a multiple of the divisor."""
        growth = self.slope * self.period
        assert growth.denominator == 1
        return self.period * (divisor // gcd(divisor, growth.numerator))


@frozen
class Recurring:
    """A condition with a period from `start` on."""

    period: int = 1
    start: int = 0


def residues(divisor: int, period: int, start: int) -> Eventual:
    """A value 0 <= u < divisor of which only the period is known."""
    return Eventual(ZERO, period, start, ZERO, Fraction(divisor - 1))


def quotient(value: Eventual, divisor: int) -> Eventual:
    """floor(value / divisor)."""
    scaled = value.times(Fraction(1, divisor))
    period = value.modulo_period(divisor)
    return replace(scaled, period=period, low=scaled.low - Fraction(divisor - 1, divisor))


def greater(left: Eventual, right: Eventual) -> Eventual:
    """The maximum: the steeper one once it has overtaken the other."""
    if left.slope == right.slope:
        both = left + right
        low, high = max(left.low, right.low), max(left.high, right.high)
        return replace(both, slope=left.slope, low=low, high=high)
    steep, flat = (left, right) if left.slope > right.slope else (right, left)
    crossing = ceil((flat.high - steep.low) / (steep.slope - flat.slope))
    return replace(steep, start=max(left.start, right.start, crossing))


Pick = Callable[[Eventual, Eventual], Eventual]


def lesser(left: Eventual, right: Eventual, pick: Pick = greater) -> Eventual:
    return pick(left.times(-1), right.times(-1)).times(-1)


def expression(given: Expression, pick: Pick = greater) -> Eventual:
    """The shape of an expression over i; `pick` says which of two values is the greater one."""
    match given:
        case Constant(value):
            return Eventual(low=Fraction(value), high=Fraction(value))
        case Variable("i"):
            return Eventual(slope=Fraction(1))
        case Add(left, right):
            return expression(left, pick) + expression(right, pick)
        case Subtract(left, right):
            return expression(left, pick) - expression(right, pick)
        case Multiply(Constant(factor), other) | Multiply(other, Constant(factor)):
            return expression(other, pick).times(factor)
        case FloorDivide(left, Constant(divisor)):
            return quotient(expression(left, pick), divisor)
        case Modulo(left, Constant(divisor)):
            divided = expression(left, pick)
            return residues(divisor, divided.modulo_period(divisor), divided.start)
        case Minimum(left, right):
            return lesser(expression(left, pick), expression(right, pick), pick)
        case Maximum(left, right):
            return pick(expression(left, pick), expression(right, pick))
        case Variable() | Scalar() | Reading() | Absolute() | Multiply() | FloorDivide() | Modulo():
            raise TypeError(f"{given} is no expression over i alone")
        case _:
            assert_never(given)


def condition(given: Condition) -> Recurring:
    """The period of a condition over i."""
    return together([_leaf(leaf) for leaf in leaves(given)])


def _leaf(leaf: Leaf) -> Recurring:
    match leaf:
        case Truth():
            return Recurring()
        case Compare(_, left, right):
            return _comparison(expression(left) - expression(right))
        case Atom():
            raise TypeError("a table has no period")
        case _:
            assert_never(leaf)


def _comparison(difference: Eventual) -> Recurring:
    """A difference that grows or falls keeps its sign once it is past zero."""
    if difference.slope == 0:
        return Recurring(difference.period, difference.start)
    farthest = max(abs(difference.low), abs(difference.high)) / abs(difference.slope)
    return Recurring(1, max(difference.start, ceil(farthest) + 1))


def together(items: list[Recurring]) -> Recurring:
    return Recurring(
        lcm(*(item.period for item in items)), max((item.start for item in items), default=0)
    )
