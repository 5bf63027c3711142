"""Walks over formulas: their parts, what they name, and which parts deserve a name.

Does not print anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import assert_never

from patternc.algebra.atoms import InRow, Member, SameLabel, Within
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
    Scalar,
    Subtract,
    Truth,
    Variable,
)


def subexpressions(value: Expression) -> Iterator[Expression]:
    """The expression and all its parts."""
    yield value
    match value:
        case Constant() | Variable() | Scalar():
            return
        case Absolute(operand):
            yield from subexpressions(operand)
        case (
            Add(left, right)
            | Subtract(left, right)
            | Multiply(left, right)
            | FloorDivide(left, right)
            | Modulo(left, right)
            | Minimum(left, right)
            | Maximum(left, right)
        ):
            yield from subexpressions(left)
            yield from subexpressions(right)
        case _:
            assert_never(value)


def operands(value: Condition) -> Iterator[Expression]:
    """The expressions that a condition compares, or asks a table about."""
    match value:
        case Truth():
            return
        case Compare(_, left, right):
            yield from (left, right)
        case All(items) | Any(items):
            for item in items:
                yield from operands(item)
        case Not(operand):
            yield from operands(operand)
        case InRow(_, row, key) | SameLabel(_, row, key) | Within(_, row, key):
            yield from (row, key)
        case Member(_, position):
            yield position
        case Atom():
            raise TypeError(f"no operands of {type(value).__name__}")
        case _:
            assert_never(value)


def aliases(value: Condition) -> dict[Expression, str]:
    """Names for blocks and residues of a position that occur more than once."""
    found = Counter(part for root in operands(value) for part in subexpressions(root))
    names = {part: name_of(part) for part, count in found.items() if count > 1}
    return {part: name for part, name in names.items() if name}


def name_of(value: Expression) -> str:
    """`i_over_64`, `j_mod_3`, `blocks_of_64`; empty for anything longer."""
    match value:
        case FloorDivide(Variable(name), Constant(size)):
            return f"{name}_over_{size}"
        case Modulo(Variable(name), Constant(size)):
            return f"{name}_mod_{size}"
        case FloorDivide(Add(Variable("n"), Constant(less)), Constant(size)) if less == size - 1:
            return f"blocks_of_{size}"
        case _:
            return ""
