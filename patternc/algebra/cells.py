"""Cells: positions that a condition cannot tell apart.

Maps a condition to its coordinates: expressions in i alone and in j alone whose values decide it.
It has some where i and j meet only through quotients and remainders of each; where one of them is
compared by itself, the outcome is a coordinate. Does not evaluate anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from patternc.algebra.atoms import InRow, Member, SameLabel
from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import maximum, minimum, subtract
from patternc.algebra.walk import children, leaves
from patternc.ir.formula import (
    Compare,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Modulo,
    Multiply,
    Truth,
    Variable,
)

Side = Literal["i", "j"]


class UncellularError(Exception):
    """Cells do not decide the condition."""


def coordinates(condition: Condition) -> Iterator[tuple[Side, Expression]]:
    """What tells positions apart. Raises `UncellularError`."""
    for leaf in leaves(condition):
        match leaf:
            case Truth():
                pass
            case Compare(_, left, right):
                yield from _compared(left, right)
            case InRow(_, row, key) | SameLabel(_, row, key):
                yield from _of(row)
                yield from _of(key)
            case Member(_, position):
                yield from _of(position)
            case _:
                raise UncellularError


def _compared(left: Expression, right: Expression) -> list[tuple[Side, Expression]]:
    """Where one position is compared as it is, the sign of the difference is enough."""
    try:
        return [*_of(left), *_of(right)]
    except UncellularError:
        names = sorted((variables_of(left) | variables_of(right)) & {"i", "j"})
        if len(names) > 1:
            raise
    difference = subtract(left, right)
    return [(_side(names[0]), minimum(maximum(difference, Constant(-1)), Constant(1)))]


def _side(name: str) -> Side:
    return "i" if name == "i" else "j"


def _of(expression: Expression) -> Iterator[tuple[Side, Expression]]:
    """What must be known of one position; raises where that is the position itself."""
    names = sorted(variables_of(expression) & {"i", "j"})
    match expression:
        case _ if not names:
            return
        case Variable():
            raise UncellularError
        case FloorDivide() | Modulo() if len(names) == 1:
            yield _side(names[0]), expression
        case Modulo(operand, Constant() as divisor) if _is_linear(operand):
            yield "i", Modulo(Variable("i"), divisor)
            yield "j", Modulo(Variable("j"), divisor)
        case FloorDivide() | Modulo():
            raise UncellularError
        case _:
            for operand in children(expression):
                yield from _of(operand)


def _is_linear(expression: Expression) -> bool:
    """Whether the expression is a sum of multiples of variables."""
    match expression:
        case FloorDivide() | Modulo():
            return False
        case Multiply(Constant(), operand):
            return _is_linear(operand)
        case _:
            return all(map(_is_linear, children(expression)))
