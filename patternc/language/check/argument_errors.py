"""What is said about arguments that are missing, too many, or of the wrong kind."""

from __future__ import annotations

from patternc.ir.builtin_words import Builtin, BuiltinParameter
from patternc.language.check.readings import outside, readings_below
from patternc.language.check.scope import Scope
from patternc.language.check.types import TypeInfo, expected_type, is_known_at_calls, size_in
from patternc.language.syntax.ast import Argument, Name, Node, Range, Reading, walk
from patternc.language.syntax.diagnostics import Diagnostic, Mark
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import Span
from patternc.language.syntax.spelling import nearest


def stray_range(node: Range) -> Diagnostic:
    return diagnostic("P061.stray_range", node.span)


def wrong_kind(
    slot: BuiltinParameter, expected: str, facts: TypeInfo, value: Node | Range
) -> Diagnostic:
    advice = ""
    if slot.kind in ("positions", "order", "pool") and facts.kind == "integer":
        advice = "write a list: `[..]`"
    if slot.kind == "distances" and facts.kind == "integer":
        advice = "write a list, `[1, 2, 4]`, or `powers(2)`"
    if isinstance(value, Reading) and slot.kind == "input":
        advice = f"write `{value.name.name}` alone: the word says of which position"
    elif slot.role == "integers":
        advice = "write a name, or compare with numbers by `where(..)`"
    if facts.kind == "list":
        advice = f"write {expected} here"
    return expected_type(expected, facts, value.span, advice)


def stray_position(slot: BuiltinParameter, name: str, value: Node | Range) -> Diagnostic:
    late, word = is_known_at_calls(name), size_in(name) or name
    if not late and (read := next(readings_below(value), None)):
        return outside(read)
    inside = next((p for p in walk(value) if p == Name(word)), value)
    if size_in(name):
        return diagnostic("P063.stray_size", inside.span, name=slot.name, size=word)
    if late:
        return diagnostic("P063.stray_position", inside.span, name=slot.name)
    return diagnostic("P062.stray_position", inside.span, name=name, alone=isinstance(inside, Name))


def not_a_word(slot: BuiltinParameter, value: Node | Range) -> Diagnostic:
    words = " or ".join(f"`{word}`" for word in slot.words)
    near = nearest(value.name, slot.words) if isinstance(value, Name) else None
    return diagnostic("P055.unknown_word", value.span, name=slot.name, words=words, near=near)


def bound_input(value: Name, scope: Scope) -> Diagnostic:
    return diagnostic(
        "P047.bound_input",
        value.span,
        (Mark(scope.places[value.name], "defined here"),),
        name=value.name,
    )


def without_slot(argument: Argument, primitive: Builtin) -> Diagnostic:
    if argument.name is None:
        return diagnostic(
            "P050.without_slot",
            argument.span,
            name=primitive.name,
            usage=primitive.usage(),
            advice=_by_name(primitive),
        )
    return diagnostic(
        "P051.without_slot",
        argument.span,
        name=primitive.name,
        argument_name=argument.name,
        usage=primitive.usage(),
        advice=_in_place_of(argument.name, primitive),
    )


def _in_place_of(name: str, primitive: Builtin) -> str:
    near = nearest(name, (slot.name for slot in primitive.keyword))
    if near:
        return f"did you mean `{near}=`?"
    if any(slot.kind == "condition" for slot in primitive.positional):
        return "equality is written `==`"
    names = ", ".join(f"`{slot.name}=`" for slot in primitive.keyword)
    return f"its keyword arguments are {names}" if names else "remove the name"


def _by_name(primitive: Builtin) -> str:
    names = ", ".join(f"`{slot.name}=`" for slot in primitive.keyword)
    return f"pass further arguments by name: {names}" if names else "remove it"


def given_twice(argument: Argument, first: Argument) -> Diagnostic:
    return diagnostic(
        "P052.given_twice",
        argument.span,
        (Mark(first.span, "first given here"),),
        name=argument.name,
    )


def missing(primitive: Builtin, name: str, span: Span) -> Diagnostic:
    return diagnostic(
        "P053.missing_argument", span, name=primitive.name, argument=name, usage=primitive.usage()
    )


def excluded(first: Argument, second: Argument, advice: str) -> Diagnostic:
    """Two arguments of which only one may be given."""
    return diagnostic(
        "P054.exclusive_arguments",
        second.span,
        (Mark(first.span, "given here"),),
        advice=advice,
    )
