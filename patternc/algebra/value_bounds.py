"""Between which numbers an expression lies, whatever the positions.

By interval arithmetic from positions below 2**31, which rows before the first may be behind 0 by.
Does not state which numbers in between occur; positions are treated as independent.
"""

from __future__ import annotations

from typing import NamedTuple, assert_never

from patternc.ir.formula import (
    Absolute,
    Add,
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
    Variable,
)

# Every n and m is smaller.
POSITIONS = 1 << 31
# Run-time integers: the difference of any two fits 32 bits.
READ = -(1 << 30), (1 << 30) - 1
Extent = tuple[int, int]


class Reach(NamedTuple):
    """How large i and j, n and m, and scalars may be, either side of 0."""

    places: int = POSITIONS
    lengths: int = POSITIONS
    scalars: int = 0


def extent(value: Expression, reach: Reach = Reach()) -> Extent:  # noqa: B008
    """The smallest and the largest that the expression may be."""

    def of(operand: Expression) -> Extent:
        return extent(operand, reach)

    match value:
        case Constant(number):
            return number, number
        case Variable("n" | "m"):
            return -reach.lengths, reach.lengths
        case Variable():
            return -reach.places, reach.places
        case Scalar():
            return -reach.scalars, reach.scalars
        case Reading(_, Constant()):
            return 0, READ[1]
        case Reading():
            return READ
        case Add(left, right):
            (a, b), (c, d) = of(left), of(right)
            return a + c, b + d
        case Subtract(left, right):
            (a, b), (c, d) = of(left), of(right)
            return a - d, b - c
        case Multiply(left, right):
            corners = [x * y for x in of(left) for y in of(right)]
            return min(corners), max(corners)
        case FloorDivide(left, Constant(divisor)):
            a, b = of(left)
            return a // divisor, b // divisor
        case FloorDivide(left, _):
            a, b = of(left)
            return min(a, -1), max(b, 0)
        case Modulo(left, Constant(divisor)):
            return _remainders(*of(left), divisor)
        case Modulo():
            return 0, reach.scalars
        case Minimum(left, right):
            (a, b), (c, d) = of(left), of(right)
            return min(a, c), min(b, d)
        case Maximum(left, right):
            (a, b), (c, d) = of(left), of(right)
            return max(a, c), max(b, d)
        case Absolute(operand):
            a, b = of(operand)
            return max(0, a, -b), max(-a, b)
        case _:
            assert_never(value)


def _remainders(least: int, most: int, divisor: int) -> Extent:
    return (least, most) if least >= 0 and most < divisor else (0, divisor - 1)
