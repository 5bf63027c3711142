"""Patterns to terms, for one (layer, head).

From parts whose kinds are checked, with `avoid=` written out, to `Term`s. A relation with an
impossible value is reported and stands for nothing, so that one run finds them all. Non-goals: key
sources and modifiers, which are refused before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from patternc.language import terms
from patternc.language.arguments import fill
from patternc.language.arithmetic import Fault, Place, condition, constant, fitting
from patternc.language.diagnostics import Findings
from patternc.language.formula import Constant
from patternc.language.grids import neighborhood
from patternc.language.positions import order, pool, positions
from patternc.language.primitives import PRIMITIVES
from patternc.language.program import Argument, Binary, Call, Lift, Name, Node, Unary
from patternc.language.sizes import at_least, not_empty
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
                return tuple(
                    branch
                    for argument in arguments
                    for branch in self.branches(argument.value)  # type: ignore[arg-type]
                )
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
        except Fault as fault:
            self.findings.add(fault.diagnostic)
            return terms.Empty()

    def _lift(self, node: Lift) -> Term:
        body = self.term(node.body)
        (argument,) = node.call.arguments
        value: Node = argument.value  # type: ignore[assignment]
        size = at_least(1, "blocks" if argument.name is None else "parts", value, self.place)
        return terms.Blocks(size, body) if argument.name is None else terms.Parts(size, body)

    def _relation(self, node: Call) -> Term:
        given = {slot.name: argument for slot, argument in fill(node, PRIMITIVES[node.function])[0]}
        return _RELATIONS[node.function](node, given, self)


Given = dict[str, Argument]


def _value(given: Given, name: str) -> Node:
    return given[name].value  # type: ignore[return-value]


def _count(given: Given, name: str, default: int, lowering: Lowering, least: int | None) -> int:
    if name not in given:
        return default
    if least is None:
        return constant(_value(given, name), lowering.place)
    return at_least(least, name, _value(given, name), lowering.place)


def _local(node: Call, given: Given, lowering: Lowering) -> Term:
    place = lowering.place
    sides = {name: fitting(_value(given, name), place) for name in ("left", "right") if name in given}
    both = fitting(_value(given, "r"), place) if "r" in given else Constant(0)
    left, right = sides.get("left", both), sides.get("right", both)
    dilation = _count(given, "dilation", 1, lowering, 1)
    not_empty(left, right, node, place)
    return terms.Local(left, right, dilation)


def _strided(node: Call, given: Given, lowering: Lowering) -> Term:
    return terms.Strided(_count(given, "s", 1, lowering, 1))


def _segment(node: Call, given: Given, lowering: Lowering) -> Term:
    width = _count(given, "w", 1, lowering, 1)
    dilation = _count(given, "dilation", 1, lowering, 1)
    offset = _count(given, "offset", 0, lowering, None)
    back = _count(given, "back", 0, lowering, None)
    ahead = _count(given, "ahead", 0, lowering, None)
    if dilation > 1:
        return terms.DilatedSegment(width, dilation, offset % dilation)
    return terms.Segment(width, back, ahead)


def _random(node: Call, given: Given, lowering: Lowering) -> Term:
    place = lowering.place
    drawn = terms.Listing((terms.PositionRange(None, None),))
    shared = given["share"].value if "share" in given else None
    word = shared.name if isinstance(shared, Name) else ""
    return terms.Random(
        _count(given, "k", 1, lowering, 1),
        pool(given["pool"].value, place) if "pool" in given else drawn,
        _count(given, "seed", 0, lowering, None),
        0 if word == "layer" else place.layer,
        0 if word == "head" else place.head,
        lowering.term(_value(given, "avoid")) if "avoid" in given else terms.Empty(),
        lowering.causal,
    )


def _permuted(node: Call, given: Given, lowering: Lowering) -> Term:
    return terms.Permuted(order(_value(given, "p"), lowering.place))


def _where(node: Call, given: Given, lowering: Lowering) -> Term:
    return terms.Where(condition(_value(given, "condition"), lowering.place))


def _on_positions(make: Callable[[terms.Positions], Term]) -> Callable[..., Term]:
    def lower(node: Call, given: Given, lowering: Lowering) -> Term:
        return make(positions(_value(given, "positions"), lowering.place))

    return lower


def _on_input(make: Callable[[str], Term]) -> Callable[..., Term]:
    def lower(node: Call, given: Given, lowering: Lowering) -> Term:
        name = given["name"].value
        assert isinstance(name, Name)
        return make(name.name)

    return lower


def _neighborhood(node: Call, given: Given, lowering: Lowering) -> Term:
    values = {name: argument.value for name, argument in given.items()}
    return neighborhood(node, values, lowering.place)


_BARE: dict[str, Term] = {
    "full": terms.Full(),
    "none": terms.Empty(),
    "diagonal": terms.Diagonal(),
    "causal": terms.Causal(),
}
_RELATIONS: dict[str, Callable[[Call, Given, Lowering], Term]] = {
    "local": _local,
    "strided": _strided,
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
