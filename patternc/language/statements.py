"""Kinds of every statement, in order: what is bound, what each rule depends on.

From a tree to the statements that are sound, and the facts of the rules among them. A statement at
fault, or one that uses a name bound by one, is left out of what follows; so values are looked for
in the others all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from patternc.language.arguments import expected_kind, integer, not_lowered
from patternc.language.diagnostics import Diagnostic, Findings
from patternc.language.kinds import POSITIONAL, Facts
from patternc.language.names import Scope, bind, scope_of
from patternc.language.program import (
    Bare,
    CallHeader,
    CountHeader,
    FlagHeader,
    Let,
    Name,
    Node,
    Otherwise,
    Parameter,
    Program,
    Statement,
    StreamRows,
    When,
    walk,
)
from patternc.language.types import check, check_header_call, check_rule, expect

_LET_KINDS = ("integer", "condition", "set", "output", "list", "period", "unknown")


@dataclass(slots=True)
class Checked:
    """`sound` statements, in order; `varies` says which of layer and head a rule depends on."""

    sound: list[Statement] = field(default_factory=list)
    varies: dict[Statement, frozenset[str]] = field(default_factory=dict)
    tainted: set[str] = field(default_factory=set)

    def sound_part(self, program: Program) -> Program:
        return replace(program, statements=tuple(self.sound))


def check_statements(program: Program, findings: Findings) -> tuple[Checked, Scope]:
    scope = scope_of(program, findings)
    checked = Checked()
    for statement in program.statements:
        before = findings.count
        facts = _check_statement(statement, scope)
        if findings.count == before and not _mentions(statement, checked.tainted):
            checked.sound.append(statement)
            checked.varies[statement] = facts.holds & {"layer", "head"}
        elif isinstance(statement, Let | Parameter):
            checked.tainted.add(statement.name)
    return checked, scope


def _check_statement(statement: Statement, scope: Scope) -> Facts:
    match statement:
        case CountHeader(name, value):
            return _fixed(value, f"the header `{name}`", scope)
        case CallHeader():
            check_header_call(statement, scope)
        case StreamRows():
            scope.report(not_lowered("`rows` of a stream", statement.span))
        case Parameter(_, value):
            bind(statement, _fixed(value, "a parameter", scope), scope)
        case Let():
            bind(statement, _let(statement, scope), scope)
        case Bare(pattern) | Otherwise(pattern):
            return check_rule(pattern, scope)
        case When(condition, pattern):
            return _when(condition, pattern, scope)
        case FlagHeader():
            pass
    return Facts("unknown")


def _let(statement: Let, scope: Scope) -> Facts:
    facts = check(statement.value, scope)
    if facts.kind not in _LET_KINDS:
        return scope.report(expected_kind("a value or a pattern", facts, statement.value.span))
    return facts


def _when(condition: Node, pattern: Node, scope: Scope) -> Facts:
    tested = expect("condition", "a condition", condition, scope)
    if tested.positional:
        scope.report(_positional_condition(condition, min(tested.positional)))
    facts = check_rule(pattern, scope)
    return Facts(facts.kind, tested.holds | facts.holds)


def _fixed(value: Node, what: str, scope: Scope) -> Facts:
    """An integer that is the same for every layer and head."""
    facts = integer(value, scope, check)
    varying = facts.holds & (POSITIONAL | {"layer", "head"})
    if varying:
        scope.report(_varying(value, what, min(varying)))
    return facts


def _mentions(statement: Statement, names: set[str]) -> bool:
    roots: tuple[Node, ...] = ()
    match statement:
        case CountHeader(_, value) | Parameter(_, value) | Let(_, value):
            roots = (value,)
        case Bare(pattern) | Otherwise(pattern):
            roots = (pattern,)
        case When(condition, pattern):
            roots = (condition, pattern)
        case _:
            pass
    parts = (part for root in roots for part in walk(root))
    return any(isinstance(part, Name) and part.name in names for part in parts)


def _place_of(name: str, value: Node) -> Node:
    """Where the name stands in the text, or the whole value if it comes from a let."""
    named = (part for part in walk(value) if isinstance(part, Name) and part.name == name)
    return next(named, value)


def _varying(value: Node, what: str, name: str) -> Diagnostic:
    return Diagnostic(
        "P063",
        f"{what} cannot depend on {name}",
        _place_of(name, value).span,
        "different from place to place",
        note="headers and parameters have one value for the whole program",
        help="write a number or a parameter; `let` may depend on layer and head",
    )


def _positional_condition(condition: Node, name: str) -> Diagnostic:
    return Diagnostic(
        "P063" if name == "n" else "P062",
        f"a rule's condition cannot depend on {name}",
        _place_of(name, condition).span,
        "not known when the rule is chosen",
        note="conditions of rules use layer, head, layers, heads and parameters",
        help="put conditions on positions into the pattern: `where(..)`",
    )
