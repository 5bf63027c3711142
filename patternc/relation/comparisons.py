"""Comparisons in predicates: those that read run-time integers are atoms, which ask tables."""

from __future__ import annotations

from patternc.algebra import simplify
from patternc.algebra.atoms import Compared
from patternc.algebra.walk import readings_of
from patternc.ir.formula import Compare, CompareOperator, Condition, Expression


def compare(left: Expression, operator: CompareOperator, right: Expression) -> Condition:
    """`left operator right`, decided where the sides tell."""
    found = simplify.compare(left, operator, right)
    if isinstance(found, Compare) and any(readings_of(found.left, found.right)):
        return Compared(found.operator, found.left, found.right)
    return found
