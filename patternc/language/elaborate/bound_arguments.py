"""The arguments of one word of the language, by name, as values.

Converts a call whose arguments are checked to numbers and words of one (layer, head). A value that
is impossible raises `NoValueError`.
"""

from __future__ import annotations

from collections.abc import Mapping

from patternc.frozen import frozen
from patternc.ir.builtin_words import BuiltinParameter
from patternc.ir.formula import Expression
from patternc.language.check.arguments import fill
from patternc.language.check.environment import Environment
from patternc.language.elaborate.bounds import at_least
from patternc.language.elaborate.constants import constant, fitting, value_error
from patternc.language.syntax.ast import Argument, Call, Decimal, Name, Node, Unary, node_of
from patternc.language.syntax.builtins import HEADER_CALLS, PRIMITIVES


@frozen
class BoundArguments:
    """The arguments of a relation, source or modifier by name."""

    call: Call
    slots: Mapping[str, BuiltinParameter]
    arguments: Mapping[str, Argument]
    place: Environment

    @staticmethod
    def of(node: Name | Call, place: Environment) -> BoundArguments:
        """A word without arguments is a bare name in the text."""
        call = Call(node.name, (), node.span) if isinstance(node, Name) else node
        filled, _ = fill(call, (PRIMITIVES | HEADER_CALLS)[call.function])
        slots = {slot.name: slot for slot, _ in filled}
        return BoundArguments(
            call, slots, {slot.name: argument for slot, argument in filled}, place
        )

    def __contains__(self, name: str) -> bool:
        return name in self.arguments

    def value(self, name: str) -> Node:
        return node_of(self.arguments[name])

    def count(self, name: str, default: int) -> int:
        """A constant, at least as large as its slot asks."""
        if name not in self:
            return default
        least = self.slots[name].minimum
        if least is None:
            return constant(self.value(name), self.place)
        return at_least(least, name, self.value(name), self.place, of=self.call.function)

    def at_least(self, name: str, least: int, note: str, advice: str) -> int:
        """A constant, at least as large as other arguments let it be."""
        value = self.count(name, least)
        if value >= least:
            return value
        raise value_error(
            "P105.below_others",
            self.value(name),
            self.place,
            name=name,
            function=self.call.function,
            least=least,
            value=value,
            note=note,
            advice=advice,
        )

    def even(self, name: str) -> int:
        """A constant that 2 divides."""
        value = self.count(name, 2)
        if value % 2 == 0:
            return value
        raise value_error(
            "P105.not_even",
            self.value(name),
            self.place,
            name=name,
            function=self.call.function,
            value=value,
        )

    def width(self, name: str, default: Expression) -> Expression:
        return fitting(self.value(name), self.place) if name in self else default

    def positive(self, name: str) -> float:
        """A number above 0, with a point or without."""
        node = self.value(name)
        value = _number(node, self.place)
        if 0 < value < float("inf"):
            return value
        raise value_error(
            "P105.not_positive",
            node,
            self.place,
            name=name,
            function=self.call.function,
            value=value,
        )

    def word(self, name: str) -> str:
        value = self.arguments[name].value if name in self else None
        return value.name if isinstance(value, Name) else ""


def _number(node: Node, place: Environment) -> float:
    match node:
        case Decimal(text):
            return float(text)
        case Unary("-", operand):
            return -_number(operand, place)
        case _:
            return float(constant(node, place))
