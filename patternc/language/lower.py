"""Patterns to terms, for one (layer, head).

From parts whose kinds are checked, with `avoid=` written out, to `Term`s. A relation with an
impossible value is reported and stands for nothing, so that one run finds them all. Non-goals: key
sources and modifiers, which are refused before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from patternc.language import terms
from patternc.language.arguments import fill
from patternc.language.arithmetic import NoValueError, Place, constant, fitting
from patternc.language.conditions import condition
from patternc.language.diagnostics import Findings
from patternc.language.formula import Constant, Expression
from patternc.language.grids import neighborhood
from patternc.language.positions import order, pool, positions
from patternc.language.primitives import PRIMITIVES, Slot
from patternc.language.program import (
    Argument,
    Binary,
    Call,
    Lift,
    Name,
    Node,
    Unary,
    node_of,
)
from patternc.language.sizes import at_least, not_empty, reaching
from patternc.language.terms import Term


@dataclass(slots=True)
class Lowering:
    """The terms of one (layer, head)."""

    place: Place
    causal: bool
    findings: Findings
    known: dict[str, tuple[Term, ...]] = field(default_factory=dict)

    def branches(self, node: Node) -> tuple[Term, ...]:
        """The arguments of `mix`, nested ones flattened; of anything else, the term itself."""
        match node:
            case Name(name) if name in self.place.lets:
                if name not in self.known:
                    self.known[name] = self.branches(self.place.lets[name])
                return self.known[name]
            case Call("mix", arguments):
                parts = (self.branches(node_of(argument)) for argument in arguments)
                return tuple(branch for part in parts for branch in part)
            case _:
                return (self.term(node),)

    def term(self, node: Node) -> Term:
        match node:
            case Name(name) if name in self.place.lets:
                (term,) = self.branches(node)
                return term
            case Name(name):
                return _BARE[name]
            case Binary("+", left, right):
                return terms.Union((*self._operands("+", left), self.term(right)))
            case Binary("&", left, right):
                return terms.Intersection((*self._operands("&", left), self.term(right)))
            case Binary("-", left, right):
                return terms.Difference(self.term(left), self.term(right))
            case Unary("~", operand):
                return terms.Complement(self.term(operand))
            case Lift() | Call():
                return self._guarded(node)
            case _:
                raise AssertionError(f"not a pattern: {node}")

    def _operands(self, operator: str, node: Node) -> tuple[Term, ...]:
        if isinstance(node, Binary) and node.operator == operator:
            return (*self._operands(operator, node.left), self.term(node.right))
        return (self.term(node),)

    def _guarded(self, node: Lift | Call) -> Term:
        try:
            return self._lift(node) if isinstance(node, Lift) else self._relation(node)
        except NoValueError as fault:
            self.findings.add(fault.diagnostic)
            return terms.Empty()

    def _lift(self, node: Lift) -> Term:
        body = self.term(node.body)
        (argument,) = node.call.arguments
        name = argument.name or "B"
        size = at_least(1, name, node_of(argument), self.place, of="blocks")
        return terms.Parts(size, body) if argument.name else terms.Blocks(size, body)

    def _relation(self, node: Call) -> Term:
        return _RELATIONS[node.function](_Given.of(node, self.place), self)


@dataclass(frozen=True, slots=True)
class _Given:
    """The arguments of a relation by name."""

    call: Call
    slots: Mapping[str, Slot]
    arguments: Mapping[str, Argument]
    place: Place

    @staticmethod
    def of(call: Call, place: Place) -> _Given:
        filled, _ = fill(call, PRIMITIVES[call.function])
        slots = {slot.name: slot for slot, _ in filled}
        return _Given(call, slots, {slot.name: argument for slot, argument in filled}, place)

    def __contains__(self, name: str) -> bool:
        return name in self.arguments

    def value(self, name: str) -> Node:
        return node_of(self.arguments[name])

    def count(self, name: str, default: int) -> int:
        """A constant, at least as large as its slot asks."""
        if name not in self:
            return default
        least = self.slots[name].least
        if least is None:
            return constant(self.value(name), self.place)
        return at_least(least, name, self.value(name), self.place, of=self.call.function)

    def width(self, name: str, default: Expression) -> Expression:
        return fitting(self.value(name), self.place) if name in self else default

    def word(self, name: str) -> str:
        value = self.arguments[name].value if name in self else None
        return value.name if isinstance(value, Name) else ""


def _local(given: _Given, lowering: Lowering) -> Term:
    both = given.width("r", Constant(0))
    left, right = given.width("left", both), given.width("right", both)
    dilation = given.count("dilation", 1)
    not_empty(left, right, given.call, given.place)
    return terms.Local(left, right, dilation)


def _segment(given: _Given, lowering: Lowering) -> Term:
    width, dilation = given.count("w", 1), given.count("dilation", 1)
    back, ahead = given.count("back", 0), given.count("ahead", 0)
    offset = given.count("offset", 0) % dilation
    reaching(back, ahead, given.call, given.place)
    if dilation > 1:
        return terms.DilatedSegment(width, dilation, offset)
    return terms.Segment(width, back, ahead)


def _random(given: _Given, lowering: Lowering) -> Term:
    place, shared = given.place, given.word("share")
    everywhere = terms.Listing((terms.PositionRange(None, None),))
    return terms.Random(
        given.count("k", 1),
        pool(given.arguments["pool"].value, place) if "pool" in given else everywhere,
        given.count("seed", 0),
        0 if shared == "layer" else place.layer,
        0 if shared == "head" else place.head,
        lowering.term(given.value("avoid")) if "avoid" in given else terms.Empty(),
        lowering.causal,
    )


def _permuted(given: _Given, lowering: Lowering) -> Term:
    return terms.Permuted(order(given.value("p"), given.place))


def _where(given: _Given, lowering: Lowering) -> Term:
    return terms.Where(condition(given.value("condition"), given.place))


def _neighborhood(given: _Given, lowering: Lowering) -> Term:
    values = {name: argument.value for name, argument in given.arguments.items()}
    return neighborhood(given.call, values, given.place)


def _on_positions(make: Callable[[terms.Positions], Term]) -> _Relation:
    return lambda given, _: make(positions(given.value("positions"), given.place))


def _on_input(make: Callable[[str], Term]) -> _Relation:
    return lambda given, _: make(given.word("name"))


_Relation = Callable[[_Given, Lowering], Term]
_BARE: dict[str, Term] = {
    "full": terms.Full(),
    "none": terms.Empty(),
    "diagonal": terms.Diagonal(),
    "causal": terms.Causal(),
}
_RELATIONS: dict[str, _Relation] = {
    "local": _local,
    "strided": lambda given, _: terms.Strided(given.count("s", 1)),
    "segment": _segment,
    "columns": _on_positions(terms.Columns),
    "rows": _on_positions(terms.Rows),
    "global": _on_positions(terms.Global),
    "permuted": _permuted,
    "random": _random,
    "listed": _on_input(terms.Listed),
    "same": _on_input(terms.Same),
    "neighborhood": _neighborhood,
    "where": _where,
}
