"""What is said about words and operators out of place."""

from __future__ import annotations

from patternc.ir.builtin_words import Builtin
from patternc.language.check.types import TypeInfo, as_written
from patternc.language.syntax.ast import Binary, Call, Lift, Name, Node, Unary
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.spelling import instead_of_call, suggestion


def two_positions(node: Binary, left: TypeInfo, right: TypeInfo) -> Diagnostic:
    one, other = (as_written(min(side.positional)) for side in (left, right))
    return diagnostic("P064.two_positions", node.span, left=one, right=other)


def positional_side(side: Node, what: str, facts: TypeInfo) -> Diagnostic:
    position = as_written(min(facts.positional))
    return diagnostic("P065.positional_side", side.span, what=what, position=position)


def minus_pattern(node: Unary) -> Diagnostic:
    return diagnostic("P066.minus_pattern", node.span)


def header_inside(node: Call) -> Diagnostic:
    return diagnostic("P023.header_inside", node.span, function=node.function)


def keyword(node: Name) -> Diagnostic:
    advice = suggestion(node.name, ())
    return diagnostic("P040.unknown_call", node.span, name=node.name, advice=advice)


def not_called(node: Call, name: str) -> Diagnostic:
    return diagnostic("P056.not_called", node.span, name=name, advice=instead_of_call(name))


def empty_brackets(node: Call, primitive: Builtin) -> Diagnostic:
    slots = ", ".join(f"{slot.name}=.." for slot in primitive.keyword)
    usage = f"{primitive.name}({slots})"
    return diagnostic("P056.empty", node.span, name=primitive.name, usage=usage)


def no_braces(node: Call) -> Diagnostic:
    return diagnostic(
        "P057.no_braces", node.span, function=node.function, within=node.function == "within"
    )


def stray_braces(node: Lift) -> Diagnostic:
    return diagnostic("P057.stray_braces", node.call.span, function=node.call.function)
