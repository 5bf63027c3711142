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
        note="conditions over i, j and n must be affine",
        help="multiply positions by constants only",
    )


def positional_side(side: Node, what: str, facts: TypeInfo) -> Diagnostic:
    return Diagnostic(
        "P065",
        f"{what} that contains {min(facts.positional)}",
        side.span,
        "not known at compile time",
        note="divisors, moduli and powers must be constants, because conditions must be affine",
        help="write a number, or an expression of layer, head and parameters",
    )


def minus_pattern(node: Unary) -> Diagnostic:
    return Diagnostic(
        "P066",
        "unary minus on a pattern",
        node.span,
        "`-` needs a pattern on its left",
        note="`A - B` removes the pairs of B from A; `~A` contains every pair not in A",
        help="write `~` for the complement",
    )


def header_inside(node: Call) -> Diagnostic:
    return Diagnostic(
        "P023",
        f"the header `{node.function}` inside a pattern",
        node.span,
        "not a pattern",
        note="a header is a line of its own before the first rule",
        help="move it to the top",
    )


def keyword(node: Name) -> Diagnostic:
    advice = suggestion(node.name, ())
    return Diagnostic(
        "P040",
        f"unknown name `{node.name}`",
        node.span,
        "not defined",
        help=advice or "use a word of the language, or define the name with `let`",
    )


def not_called(node: Call, name: str) -> Diagnostic:
    return Diagnostic(
        "P056",
        f"`{name}` takes no arguments",
        node.span,
        "unexpected arguments",
        help=instead_of_call(name),
    )


def no_braces(node: Call) -> Diagnostic:
    return Diagnostic(
        "P057",
        "`blocks` without braces",
        node.span,
        "missing `{ PATTERN }`",
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
