"""How deep absolute values of positions are nested: the cases of a condition double with each."""

from __future__ import annotations

from patternc.ir.formula import Absolute, Constant, Expression, Reading, Scalar, Variable


def absolutes(value: Expression, most: int) -> int:
    """How many absolute values are nested in it, counted up to `most`."""
    match value:
        case Absolute(operand):
            return 1 + absolutes(operand, most - 1) if most else 0
        case Constant() | Variable() | Scalar() | Reading():
            return 0
        case _:
            return max(absolutes(value.left, most), absolutes(value.right, most))
