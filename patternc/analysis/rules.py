"""Rules as they are written, beside what they mean: what warnings point at.

Maps an elaborated program to the rule of every layer and head. Does not search for anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from patternc.frozen import frozen
from patternc.ir.terms import HeadPattern
from patternc.language.check.environment import Environment
from patternc.language.elaborate.elaborate import Elaborated
from patternc.language.elaborate.lower import Lowering
from patternc.language.syntax.ast import Binary, Call, Name, Node, Range, children, node_of
from patternc.language.syntax.diagnostics import Findings

_BRANCHING = ("mix", "gate", "difference", "sum", "mean")


@frozen
class Rule:
    """The rule of one head: as it is written, and what it means there."""

    written: Node
    place: Environment
    pattern: HeadPattern
    causal: bool

    @property
    def where(self) -> str:
        return self.place.where()

    def meaning(self, part: Node) -> HeadPattern:
        """A part of the rule alone."""
        return HeadPattern(Lowering(self.place, self.causal, Findings()).branches(part))

    def calls(self, *functions: str) -> Iterator[Call]:
        """Calls that appear in the rule; what draws avoid is written out and no part of it."""
        return _calls(self.written, self.place, functions, set())


def rules_of(program: Elaborated, layer: int, rows: str = "") -> Iterator[Rule]:
    """The rules of a layer's heads, for the tokens' rows or those of a stream."""
    for head in range(program.heads or 1):
        written, place = program.written(layer, head, rows)
        yield Rule(written, place, program.resolve(layer, head, rows), program.causal)


def distinct(rules: Iterable[Rule]) -> list[Rule]:
    """The first head of every rule and pattern."""
    first: dict[tuple[int, HeadPattern], Rule] = {}
    for rule in rules:
        first.setdefault((id(rule.written), rule.pattern), rule)
    return list(first.values())


def _calls(
    node: Node | Range, place: Environment, functions: tuple[str, ...], seen: set[str]
) -> Iterator[Call]:
    """Each let in `seen` was looked at: lets that double would take exponential time."""
    match node:
        case Name(name) if name in place.lets:
            if name not in seen:
                seen.add(name)
                yield from _calls(place.lets[name], place, functions, seen)
        case Call(function) if function in functions:
            yield node
        case Call("random"):
            return
        case _:
            for child in children(node):
                yield from _calls(child, place, functions, seen)


def operands(node: Node, place: Environment) -> Iterator[Node]:
    """The terms of the outermost union, whatever its modifiers and branches."""
    return _opened(node, place, _operands_of)


def summands(node: Node, place: Environment) -> Iterator[Node]:
    """The terms of the outermost union, with their modifiers."""
    return _opened(node, place, _summands_of)


def _opened(
    node: Node, place: Environment, parts_of: Callable[[Node], tuple[Node, ...]]
) -> Iterator[Node]:
    """A node taken apart while it has parts; a let that is a single term stands for itself."""
    if isinstance(node, Name) and node.name in place.lets:
        found = list(_opened(place.lets[node.name], place, parts_of))
        yield from found if len(found) > 1 else [node]
    elif parts := parts_of(node):
        for part in parts:
            yield from _opened(part, place, parts_of)
    else:
        yield node


def _summands_of(node: Node) -> tuple[Node, ...]:
    return (node.left, node.right) if isinstance(node, Binary) and node.operator == "+" else ()


def _operands_of(node: Node) -> tuple[Node, ...]:
    match node:
        case Binary("with", left, _):
            return (left,)
        case Call(function) if function in _BRANCHING:
            return branches_of(node)
        case _:
            return _summands_of(node)


def branches_of(node: Call) -> tuple[Node, ...]:
    """The arguments that are patterns, of `mix`, `gate`, `sum` or `mean`."""
    return tuple(node_of(argument) for argument in node.arguments if argument.name is None)


def is_idle(rule: Rule) -> bool:
    """Whether the rule is the word `none` alone, which says that nothing is attended to."""
    return all(_none(part, rule.place) for part in operands(rule.written, rule.place))


def _none(part: Node, place: Environment) -> bool:
    match part:
        case Name(name) if name in place.lets:
            return _none(place.lets[name], place)
        case _:
            return isinstance(part, Name) and part.name == "none"


def joined(*parts: str) -> str:
    """The parts that are not empty, behind commas."""
    return ", ".join(part for part in parts if part)
