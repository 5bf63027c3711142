"""Run-time integers in conditions: `tin[i]`, a name with a position.

Maps a reading to its type, with names that are no input and positions other than i and j reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from patternc.language.check.scope import Scope, input_name
from patternc.language.check.types import TypeInfo
from patternc.language.syntax.ast import (
    Argument,
    Call,
    Comparison,
    Name,
    Node,
    Program,
    Range,
    Reading,
    nodes_of,
    walk,
)
from patternc.language.syntax.builtins import RESERVED
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.messages import diagnostic

SIDES = ("i", "j")


def reading_facts(node: Reading, scope: Scope) -> TypeInfo:
    """What is known of `NAME[i]` or `NAME[j]`: labels are read in the same way."""
    name = node.name.name
    if name in RESERVED or name in scope.bound:
        scope.used.add(name)
        return scope.report(_no_input(node, name in scope.bound))
    if not input_name(node.name, scope):
        return TypeInfo("unknown")
    if not (isinstance(node.position, Name) and node.position.name in SIDES):
        return scope.report(_no_position(node))
    return TypeInfo("integer", frozenset({node.position.name, "same"}))


def names_read(program: Program) -> frozenset[str]:
    """The names that appear with a position somewhere in the program."""
    roots = (root for statement in program.statements for root in nodes_of(statement))
    return frozenset(found.name.name for root in roots for found in readings_below(root))


def names_compared(program: Program) -> frozenset[str]:
    """The names that stand for an integer in a comparison inside `where`; `tin(i)` is one too."""
    roots = (root for statement in program.statements for root in nodes_of(statement))
    conditions = (part for root in roots for part in walk(root) if _is_where(part))
    compared = (
        part for where in conditions for part in walk(where) if isinstance(part, Comparison)
    )
    return frozenset(name for part in compared for name in map(_named, walk(part)) if name)


def _is_where(part: Node | Range) -> bool:
    return isinstance(part, Call) and part.function == "where"


def _named(part: Node | Range) -> str:
    match part:
        case Name(name=name):
            return name
        case Call(function=name, arguments=(Argument(value=Name(name="i" | "j")),)):
            return name
        case _:
            return ""


def readings_below(node: Node | Range) -> Iterator[Reading]:
    return (part for part in walk(node) if isinstance(part, Reading))


def outside(node: Reading) -> Diagnostic:
    """A run-time integer that does not stand in a condition on pairs."""
    return diagnostic("P080.outside", node.span, name=node.name.name)


def _no_input(node: Reading, bound: bool) -> Diagnostic:
    return diagnostic("P080.no_input", node.name.span, name=node.name.name, bound=bound)


def _no_position(node: Reading) -> Diagnostic:
    return diagnostic("P080.no_position", node.position.span, name=node.name.name)
