"""What is said about arguments that are missing, too many, or of the wrong kind."""

from __future__ import annotations

from patternc.ir.builtin_words import Builtin, BuiltinParameter
from patternc.language.check.scope import Scope
from patternc.language.check.types import TypeInfo, expected_type
from patternc.language.syntax.ast import Argument, Name, Node, Range, walk
from patternc.language.syntax.diagnostics import Diagnostic, Mark
from patternc.language.syntax.source import Span
from patternc.language.syntax.spelling import nearest

_LISTED = (
    "select the keys yourself and pass them in at call time: `listed(name)`, or by blocks "
    "`blocks(64) { listed(name) }`"
)
_INSTEAD = {
    "nearest": _LISTED,
    "sinkhorn": _LISTED,
    "lsh": _LISTED,
    "cluster": _LISTED,
    "store": "attend to all cached keys instead: `full on memory(m)`",
}
_NOTHING = "remove it; no other construct has the same meaning"


def not_lowered(word: str, what: str, span: Span) -> Diagnostic:
    """`what` names the `word` in full."""
    return Diagnostic(
        "P120",
        f"{what} is not supported yet",
        span,
        "parsed and checked, but cannot be compiled",
        note="patternc reports unsupported constructs instead of ignoring them",
        help=_INSTEAD.get(word, _NOTHING),
    )


def stray_range(node: Range) -> Diagnostic:
    return Diagnostic(
        "P061",
        "unexpected range",
        node.span,
        "a range",
        note="ranges appear in lists, in `pool=` and in `period(l, a:b)`",
        help="write a list, `[a:b]`, where positions are expected",
    )


def wrong_kind(
    slot: BuiltinParameter, expected: str, facts: TypeInfo, value: Node | Range
) -> Diagnostic:
    advice = ""
    if slot.kind in ("positions", "order", "pool") and facts.kind == "integer":
        advice = "write a list: `[..]`"
    if facts.kind == "list":
        advice = f"write {expected} here"
    return expected_type(expected, facts, value.span, advice)


def stray_position(slot: BuiltinParameter, name: str, value: Node | Range) -> Diagnostic:
    inside = next((p for p in walk(value) if p == Name(name)), value)
    if name == "n":
        return Diagnostic(
            "P063",
            f"`{slot.name}` cannot depend on n",
            inside.span,
            "n is known only at call time",
            note=f"`{slot.name}` must be known at compile time; n is allowed in `where`, widths, "
            "positions and bounds of ranges",
            help="write a number, or define it with `param`",
        )
    return Diagnostic(
        "P062",
        f"`{name}` in an argument that must be a constant",
        inside.span,
        "a position, different for every pair" if isinstance(inside, Name) else f"contains {name}",
        note="i and j appear only in comparisons inside `where(..)`; arguments of relations and "
        "functions, `ceil_log2` and `isqrt` too, are constants",
        help="write it as comparisons: `where(2 <= i - j and i - j < 4)`",
    )


def not_a_word(slot: BuiltinParameter, value: Node | Range) -> Diagnostic:
    words = " or ".join(f"`{word}`" for word in slot.words)
    near = nearest(value.name, slot.words) if isinstance(value, Name) else None
    return Diagnostic(
        "P055",
        f"`{slot.name}` must be {words}",
        value.span,
        "unknown value",
        help=f"did you mean `{near}`?" if near else f"write {words}",
    )


def bound_input(value: Name, scope: Scope) -> Diagnostic:
    return Diagnostic(
        "P047",
        f"`{value.name}` is bound, so it is not a run-time input",
        value.span,
        "expected the name of a tensor passed in at call time",
        note="a bound name is replaced by its value everywhere",
        help="choose a name that the program does not bind",
        marks=(Mark(scope.places[value.name], "defined here"),),
    )


def without_slot(argument: Argument, primitive: Builtin) -> Diagnostic:
    if argument.name is None:
        return Diagnostic(
            "P050",
            f"too many arguments for `{primitive.name}`",
            argument.span,
            "unexpected argument",
            note=f"usage: `{primitive.usage()}`",
            help=_by_name(primitive),
        )
    return Diagnostic(
        "P051",
        f"`{primitive.name}` has no argument `{argument.name}`",
        argument.span,
        "unknown argument",
        note=f"usage: `{primitive.usage()}`",
        help=_in_place_of(argument.name, primitive),
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
    return Diagnostic(
        "P052",
        f"`{argument.name}` is given twice",
        argument.span,
        "given again",
        help="remove one of them",
        marks=(Mark(first.span, "first given here"),),
    )


def missing(primitive: Builtin, name: str, span: Span) -> Diagnostic:
    return Diagnostic(
        "P053",
        f"`{primitive.name}` needs `{name}`",
        span,
        "missing argument",
        help=f"usage: `{primitive.usage()}`",
    )


def excluded(first: Argument, second: Argument, advice: str) -> Diagnostic:
    """Two arguments of which only one may be given."""
    return Diagnostic(
        "P054",
        "these arguments are mutually exclusive",
        second.span,
        "cannot be combined with the other",
        help=advice,
        marks=(Mark(first.span, "given here"),),
    )
