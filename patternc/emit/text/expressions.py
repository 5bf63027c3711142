"""Formulas and predicates to Python text, in five dialects.

`TORCH` prints over int64 tensors, `FLEX` over one pair, `TRITON` over int32 blocks, `PYTHON` over
integers, `CUTE` over one pair of CuTe's int32. All round divisions to minus infinity. Does not
handle statements or tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import assert_never

from patternc.algebra.atoms import Compared, InRow, Member, SameLabel, Within
from patternc.algebra.simplify import FALSE, compare, conjunction, disjunction, negation
from patternc.emit.text.layout import (
    AND,
    COMPARISON,
    OR,
    PRODUCT,
    SUM,
    Call,
    Chain,
    Leaf,
    Method,
    Prefixed,
    Text,
)
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
from patternc.schedule.schedule import TableSlot

Two = Callable[[Text, Text], Text]


@frozen
class Dialect:
    """How a language writes what Python has no operator for.

    Divisions of one that `truncates` need care. In a `pointwise` one, atoms are asked for the batch
    element `b` and the head `h`. Remainders of one with `signed_remainders` have the sign of what
    is divided, while its divisions round down.
    """

    minimum: Two
    maximum: Two
    absolute: Callable[[Text], Text]
    truncates: bool
    pointwise: bool = False
    signed_remainders: bool = False


@frozen
class Names:
    """What variables, scalars and tables are called in a text.

    `unsigned` names the variables that are never negative: their divisions need no care.
    """

    variables: Mapping[str, str] = field(
        default_factory=lambda: {"i": "i", "j": "j", "n": "n", "m": "m"}
    )
    unsigned: frozenset[str] = frozenset({"j", "n", "m"})


POSITIONS = Names()
_TILES = frozenset({"i", "j", "n", "m"})
TILES = Names({"i": "a", "j": "b", "n": "n", "m": "m"}, _TILES)
# Of runs of query tiles in a key tile's column.
COLUMN_TILES = Names({"i": "b", "j": "a", "n": "n", "m": "m"}, _TILES)


def _call(function: str) -> Two:
    return lambda left, right: Call(function, (left, right))


def _clamped(function: str, side: str) -> Two:
    """torch has no minimum of a tensor and a number: `x.clamp(max=3)`."""

    def text(left: Text, right: Text) -> Text:
        match left, right:
            case _, Leaf(word) if _is_number(word):
                return Method(left, "clamp", (Leaf(f"{side}={word}"),))
            case Leaf(word), _ if _is_number(word):
                return Method(right, "clamp", (Leaf(f"{side}={word}"),))
        return Call(function, (left, right))

    return text


def _is_number(word: str) -> bool:
    return word.lstrip("-").isdigit()


TORCH = Dialect(
    _clamped("torch.minimum", "max"),
    _clamped("torch.maximum", "min"),
    lambda operand: Method(operand, "abs", ()),
    truncates=False,
)
FLEX = replace(TORCH, pointwise=True)
TRITON = Dialect(
    _call("tl.minimum"),
    _call("tl.maximum"),
    lambda operand: Call("tl.abs", (operand,)),
    truncates=True,
)
PYTHON = Dialect(
    _call("min"),
    _call("max"),
    lambda operand: Call("abs", (operand,)),
    truncates=False,
)
CUTE = Dialect(
    _call("cutlass.min"),
    _call("cutlass.max"),
    lambda operand: Call("cutlass.max", (operand, Prefixed("-", operand))),
    truncates=False,
    pointwise=True,
    signed_remainders=True,
)


@frozen
class Printer:
    """One dialect with the names of one function's parameters."""

    dialect: Dialect
    names: Names = POSITIONS
    aliases: Mapping[Expression, str] = field(default_factory=dict)

    def expression(self, value: Expression) -> Text:
        if value in self.aliases:
            return Leaf(self.aliases[value])
        match value:
            case Constant(number):
                return Leaf(str(number))
            case Variable(name):
                return Leaf(self.names.variables[name])
            case Scalar(slot):
                return Leaf(f"s{slot}")
            case Reading(table, position):
                return self._ask("_read", table, position)
            case Add(left, right):
                return self._chain(SUM, "+", left, right)
            case Subtract(left, right):
                return self._chain(SUM, "-", left, right)
            case Multiply(left, right):
                return self._chain(PRODUCT, "*", left, right)
            case FloorDivide(left, right):
                return self._rounded("//", "_floor_div", left, right)
            case Modulo(left, right) if self.dialect.signed_remainders and not self.unsigned(left):
                whole = Multiply(FloorDivide(left, right), right)
                return self.expression(Subtract(left, whole))
            case Modulo(left, right):
                return self._rounded("%", "_floor_mod", left, right)
            case Minimum(left, right):
                return self.dialect.minimum(self.expression(left), self.expression(right))
            case Maximum(left, right):
                return self.dialect.maximum(self.expression(left), self.expression(right))
            case Absolute(operand):
                return self.dialect.absolute(self.expression(operand))
            case _:
                assert_never(value)

    def condition(self, value: Condition) -> Text:
        match simplified(value):
            case Truth(held):
                # Keys are never negative: always, or never, and a tensor either way.
                return self.condition(Compare(">=" if held else "<", Variable("j"), Constant(0)))
            case simple:
                return self._condition(simple)

    def _condition(self, value: Condition) -> Text:
        match value:
            case Compare(operator, left, right) | Compared(operator, left, right):
                sides = self.expression(left), self.expression(right)
                return Chain(COMPARISON, sides[0], ((operator, sides[1]),))
            case All(items):
                return self._joined(AND, "&", items)
            case Any(items):
                return self._joined(OR, "|", items)
            case Not(operand):
                return Prefixed("~", self._condition(operand))
            case Atom():
                return self._atom(value)
            case Truth():
                raise TypeError("a truth inside a formula that was folded")
            case _:
                assert_never(value)

    def _atom(self, atom: Atom) -> Text:
        match atom:
            case InRow(table, row, key):
                return self._ask("_in_row", table, row, key)
            case Member(table, position):
                return self._ask("_is_member", table, position)
            case SameLabel(table, row, key):
                return self._ask("_same_label", table, row, key)
            case Within(table, index, position):
                return self._ask("_within", table, index, position)
            case _:
                raise TypeError(f"no text for {type(atom).__name__}")

    def _ask(self, function: str, table: object, *operands: Expression) -> Text:
        slot = f"table{slot_of(table)}"
        if self.dialect.truncates:
            wide = {"_in_row": ("rows", "entries"), "_within": ("size", "ends")}
            sizes = wide.get(function, ("size",))
            leading = [Leaf(slot), *(Leaf(f"{slot}_{size}") for size in sizes)]
            return Call(f"{function}_kernel", (*leading, *map(self.expression, operands)))
        if self.dialect.pointwise:
            leading = [Leaf(slot), Leaf("b"), Leaf("h")]
            return Call(f"{function}_of_pair", (*leading, *map(self.expression, operands)))
        return Call(function, (Leaf(slot), *map(self.expression, operands)))

    def _chain(self, level: int, operator: str, left: Expression, right: Expression) -> Text:
        first, second = self.expression(left), self.expression(right)
        match first:
            case Chain(strength, head, rest) if strength == level and level == SUM:
                return Chain(level, head, (*rest, (operator, second)))
        return Chain(level, first, ((operator, second),))

    def _rounded(self, operator: str, function: str, left: Expression, right: Expression) -> Text:
        if self.dialect.truncates and not self.unsigned(left):
            return Call(function, (self.expression(left), self.expression(right)))
        return self._chain(PRODUCT, operator, left, right)

    def _joined(self, level: int, operator: str, items: tuple[Condition, ...]) -> Text:
        first, *rest = map(self._condition, items)
        return Chain(level, first, tuple((operator, item) for item in rest))

    def unsigned(self, value: Expression) -> bool:
        """Is the value never negative, as far as its form shows?"""
        match value:
            case Constant(number):
                return number >= 0
            case Variable(name):
                return name in self.names.unsigned
            case Add(left, right) | Multiply(left, right) | Minimum(left, right):
                return self.unsigned(left) and self.unsigned(right)
            case Maximum(left, right):
                return self.unsigned(left) or self.unsigned(right)
            case FloorDivide(left, _):
                return self.unsigned(left)
            case Modulo() | Absolute():
                return True
            case Subtract() | Scalar() | Reading():
                return False
            case _:
                assert_never(value)


def simplified(value: Condition) -> Condition:
    """The condition with decided parts gone: what is left holds no `Truth`, or is one.

    Rows before a table are in none.
    """
    match value:
        case All(items):
            return conjunction(map(simplified, items))
        case Any(items):
            return disjunction(map(simplified, items))
        case Not(operand):
            return negation(simplified(operand))
        case Compare(operator, left, right):
            return compare(left, operator, right)
        case InRow(_, Constant(number), _) | SameLabel(_, Constant(number), _) if number < 0:
            return FALSE
        case Member(_, Constant(number)) if number < 0:
            return FALSE
        case _:
            return value


def slot_of(table: object) -> int:
    """The index of a `TableSlot`; anything else is a table that no schedule has placed."""
    match table:
        case TableSlot(index):
            return index
        case _:
            raise TypeError(f"{type(table).__name__} stands where a table slot should")
