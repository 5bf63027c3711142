"""What is said about words and operators out of place."""

from __future__ import annotations

from patternc.language.check.types import TypeInfo
from patternc.language.syntax.ast import Binary, Call, Lift, Name, Node, Unary
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.spelling import instead_of_call, suggestion


def two_positions(node: Binary, left: TypeInfo, right: TypeInfo) -> Diagnostic:
    return Diagnostic(
        "P064",
        "a product of two positions",
        node.span,
        f"{min(left.positional)} times {min(right.positional)}",
        note="conditions over i, j and n stay affine, so that integer sets hold them exactly",
        help="multiply positions by constants only",
    )


def positional_side(side: Node, what: str, facts: TypeInfo) -> Diagnostic:
    return Diagnostic(
        "P065",
        f"{what} that holds {min(facts.positional)}",
        side.span,
        "not known before the call",
        note="divisors, moduli and powers are constants, so that conditions stay affine",
        help="write a number, or something made of layer, head and parameters",
    )


def minus_pattern(node: Unary) -> Diagnostic:
    return Diagnostic(
        "P066",
        "a minus before a pattern",
        node.span,
        "patterns have no sign",
        note="`A - B` takes the pairs of B out of A; `~A` is every other pair",
        help="write `~` for the complement",
    )


def header_inside(node: Call) -> Diagnostic:
    return Diagnostic(
        "P023",
        f"the header `{node.function}` has no place here",
        node.span,
        "a header",
        note="headers stand alone on a line, before the first rule",
        help="move it to the top",
    )


def keyword(node: Name) -> Diagnostic:
    advice = suggestion(node.name, ())
    return Diagnostic(
        "P040",
        f"unknown name `{node.name}`",
        node.span,
        "this word has no value",
        help=advice or "use the words of the language, or bind a name with `let`",
    )


def not_called(node: Call, name: str) -> Diagnostic:
    return Diagnostic(
        "P056",
        f"`{name}` takes no arguments",
        node.span,
        "brackets and arguments have no meaning here",
        help=instead_of_call(name),
    )


def no_braces(node: Call) -> Diagnostic:
    return Diagnostic(
        "P057",
        "`blocks` without braces",
        node.span,
        "which pattern is on blocks?",
        note="`blocks(B) { P }` lifts P from positions to blocks of B",
        help="write `blocks(64) { local(1) }`; one block on the diagonal is `segment(64)`",
    )


def stray_braces(node: Lift) -> Diagnostic:
    return Diagnostic(
        "P057",
        f"braces after `{node.call.function}(..)`",
        node.call.span,
        "only `blocks(..)` is followed by braces",
        help="write `blocks(B) { .. }`",
    )
