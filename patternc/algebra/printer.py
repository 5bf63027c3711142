"""Formulas as text, in the notation that isl reads and people do.

Maps conditions and expressions to strings. Atoms and scalars, which isl does not know, are written
as questions and as s0, s1, ..: such text is human-readable only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import assert_never

from patternc.algebra.atoms import Compared, InRow, Member, SameLabel, Within
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
)


@frozen
class FormulaPrinter:
    """Writes formulas; `names` says what variables are called."""

    names: Mapping[str, str] = field(default_factory=dict)

    def condition(self, condition: Condition) -> str:
        match condition:
            case Truth(value):
                return "true" if value else "false"
            case Compare(operator, left, right) | Compared(operator, left, right):
                symbol = {"==": "="}.get(operator, operator)
                return f"{self.expression(left)} {symbol} {self.expression(right)}"
            case All(items):
                return self._joined(items, " and ")
            case Any(items):
                return self._joined(items, " or ")
            case Not(operand):
                return f"not ({self.condition(operand)})"
            case Atom():
                return self._atom(condition)
            case _:
                assert_never(condition)

    def expression(self, expression: Expression) -> str:
        match expression:
            case Constant(value):
                return f"({value})" if value < 0 else str(value)
            case Variable(name):
                return self.names.get(name, name)
            case Scalar(slot):
                return f"s{slot}"
            case Reading(table, position):
                return f"{getattr(table, 'name', table)}[{self.expression(position)}]"
            case Add(left, right):
                return f"({self.expression(left)} + {self.expression(right)})"
            case Subtract(left, right):
                return f"({self.expression(left)} - {self.expression(right)})"
            case Multiply(left, right):
                return f"({self._factor(left)} * {self._factor(right)})"
            case FloorDivide(left, right):
                return f"floor({self.expression(left)} / {self.expression(right)})"
            case Modulo(left, right):
                return f"({self.expression(left)} mod {self.expression(right)})"
            case Minimum(left, right):
                return f"min({self.expression(left)}, {self.expression(right)})"
            case Maximum(left, right):
                return f"max({self.expression(left)}, {self.expression(right)})"
            case Absolute():
                raise TypeError("absolute values are resolved by lowering")
            case _:
                assert_never(expression)

    def _joined(self, items: tuple[Condition, ...], word: str) -> str:
        return word.join(f"({self.condition(item)})" for item in items)

    def _factor(self, expression: Expression) -> str:
        """isl reads `-1 * n`, but not `(-1) * n`."""
        if isinstance(expression, Constant):
            return str(expression.value)
        return self.expression(expression)

    def _atom(self, atom: Atom) -> str:
        match atom:
            case InRow(table, row, key):
                return f"{self.expression(key)} in row {self.expression(row)} of {table}"
            case Member(table, position):
                return f"{self.expression(position)} in {table}"
            case SameLabel(table, row, key):
                return f"{table}[{self.expression(row)}] = {table}[{self.expression(key)}] >= 0"
            case Within(table, index, position):
                return f"{self.expression(position)} within {table}[{self.expression(index)}]"
            case _:
                raise TypeError(f"no text for {type(atom).__name__}")


PLAIN = FormulaPrinter()
