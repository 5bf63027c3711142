"""Walks over formulas: their parts, what they name, and which parts deserve a name.

Does not print anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from patternc.algebra.atoms import Compared, InRow, Member, SameLabel, Within
from patternc.algebra.walk import leaves, subexpressions
from patternc.ir.formula import (
    Add,
    Atom,
    Compare,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Modulo,
    Reading,
    Truth,
    Variable,
)
from patternc.schedule.schedule import TableSlot


def operands(value: Condition) -> Iterator[Expression]:
    """The expressions that a condition compares, or asks a table about."""
    for leaf in leaves(value):
        match leaf:
            case Truth():
                pass
            case Compare(_, left, right) | Compared(_, left, right):
                yield from (left, right)
            case InRow(_, row, key) | SameLabel(_, row, key) | Within(_, row, key):
                yield from (row, key)
            case Member(_, position):
                yield position
            case Atom():
                raise TypeError(f"no operands of {type(leaf).__name__}")


def aliases(value: Condition) -> dict[Expression, str]:
    """Names for blocks and residues of a position that occur more than once."""
    found = Counter(part for root in operands(value) for part in subexpressions(root))
    names = {part: name_of(part) for part, count in found.items() if count > 1}
    return {part: name for part, name in names.items() if name}


def name_of(value: Expression) -> str:
    """`i_over_64`, `j_mod_3`, `blocks_of_64`, `table0_at_i`; empty for anything longer."""
    match value:
        case Reading(TableSlot(index), Variable(name)):
            return f"table{index}_at_{name}"
        case FloorDivide(Variable(name), Constant(size)):
            return f"{name}_over_{size}"
        case Modulo(Variable(name), Constant(size)):
            return f"{name}_mod_{size}"
        case FloorDivide(Add(Variable("n"), Constant(less)), Constant(size)) if less == size - 1:
            return f"blocks_of_{size}"
        case _:
            return ""
