"""Expressions, conditions and listed positions at given i, j and n, in numpy's int64.

Maps formulas to arrays, by broadcasting. numpy's `//` and `%` round to minus infinity, as the
language does. Does not handle tables or symbolic n.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, ne, or_, xor
from typing import assert_never, cast

import numpy as np
from numpy.typing import NDArray

from patternc.algebra.work_budget import compute
from patternc.frozen import frozen
from patternc.ir.formula import (
    Absolute,
    Add,
    All,
    Any,
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
    Not,
    Reading,
    Scalar,
    Subtract,
    Truth,
    Variable,
    VariableName,
)
from patternc.ir.terms import Listing, PositionRange

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Binary = Add | Subtract | Multiply | FloorDivide | Modulo | Minimum | Maximum
Values = Mapping[VariableName, Integers | int]
Ask = Callable[[Atom, Values], Booleans]
Read = Callable[[Reading, Values], Integers]
_COMPARISONS: dict[str, Callable[[Integers, Integers], Booleans]] = {
    "<": lt,
    "<=": le,
    "==": eq,
    "!=": ne,
    ">=": ge,
    ">": gt,
}


def no_input(reading: Reading, values: Values) -> Integers:
    raise TypeError(f"{reading.table} is a run-time input, which a formula cannot read")


def evaluate(expression: Expression, values: Values, read: Read = no_input) -> Integers:
    """The value of `expression`: an array by broadcasting, a plain int where all values are.

    `read` gives the run-time integers.
    """
    match expression:
        case Constant(value):
            return cast(Integers, value)
        case Variable(name):
            return cast(Integers, values[name])
        case Scalar(slot):
            raise TypeError(f"scalar {slot} has no value outside a schedule")
        case Reading():
            return read(expression, values)
        case Absolute(operand):
            found = abs(evaluate(operand, values, read))
        case _:
            left = evaluate(expression.left, values, read)
            right = evaluate(expression.right, values, read)
            found = _computed(expression, left, right)
    if isinstance(found, np.ndarray):
        compute(found.size)
    return found


def _computed(expression: Binary, left: Integers, right: Integers) -> Integers:
    match expression:
        case Add():
            return left + right
        case Subtract():
            return left - right
        case Multiply():
            return left * right
        case FloorDivide():
            return left // right
        case Modulo():
            # numpy takes quotients several times faster than remainders.
            return left - left // right * right
        case Minimum():
            return _extreme(min, np.minimum, left, right)
        case Maximum():
            return _extreme(max, np.maximum, left, right)
        case _:
            assert_never(expression)


def _extreme(
    plain: Callable[[Integers, Integers], Integers], wide: np.ufunc, left: Integers, right: Integers
) -> Integers:
    """numpy's minimum and maximum would turn plain ints, which are faster, into arrays."""
    both = isinstance(left, int) and isinstance(right, int)
    return plain(left, right) if both else cast(Integers, wide(left, right))


def no_table(atom: Atom, values: Values) -> Booleans:
    raise TypeError(f"{type(atom).__name__} asks a table, which a formula cannot")


def holds(
    condition: Condition, values: Values, ask: Ask = no_table, read: Read = no_input
) -> Booleans:
    """Where `condition` is true; `ask` answers the atoms, which a `where` never holds.

    A plain bool where all values are plain ints. `read` gives the integers that a `where` reads.
    """

    def of(operand: Condition) -> Booleans:
        return holds(operand, values, ask, read)

    match condition:
        case Truth(value):
            return cast(Booleans, value)
        case Compare(operator, left, right):
            sides = (evaluate(side, values, read) for side in (left, right))
            return _COMPARISONS[operator](*sides)
        case All(items):
            return reduce(and_, map(of, items), cast(Booleans, True))
        case Any(items):
            return reduce(or_, map(of, items), cast(Booleans, False))
        case Not(operand):
            return cast(Booleans, xor(of(operand), True))
        case Atom():
            return ask(condition, values)
        case _:
            assert_never(condition)


@frozen
class Keys:
    """Positions first <= p < stop; in listings negative ones count from `count`."""

    first: int
    stop: int
    count: int


def intervals(listing: Listing, n: int, keys: Keys | None = None) -> tuple[tuple[int, int], ...]:
    """The listed ones of `keys` (of 0..n-1) as disjoint ascending intervals start <= p < stop."""
    ranges = sorted(interval(part, n, keys or Keys(0, n, n)) for part in listing.ranges)
    merged: list[tuple[int, int]] = []
    for start, stop in ranges:
        if start >= stop:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return tuple(merged)


def interval(part: PositionRange, n: int, keys: Keys) -> tuple[int, int]:
    """One range cut at the ends of `keys`; a single position outside gives an empty interval."""

    def end(expression: Expression | None, default: int) -> int:
        if expression is None:
            return default
        value = int(evaluate(expression, {"n": n}))
        return value + keys.count if value < 0 else value

    start = end(part.start, keys.first)
    stop = start + 1 if part.single else end(part.stop, keys.stop)
    return max(start, keys.first), min(stop, keys.stop)
