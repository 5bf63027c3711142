"""Names in scope: what is bound, what may be bound, and what an unknown name was meant to be.

A `let` or `param` sees the names above it. A name of a run-time input is any name that is not bound
and not a word of the language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from patternc.language.check.types import UNKNOWN, TypeInfo
from patternc.language.syntax.ast import Binding, Name, Node, Program
from patternc.language.syntax.builtins import INDICES, PRIMITIVES, RESERVED, VARIABLES
from patternc.language.syntax.diagnostics import Diagnostic, Findings, Mark
from patternc.language.syntax.limits import NEAR_MISSES
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import Span
from patternc.language.syntax.spelling import one_edit, suggestion, variants


@dataclass(slots=True)
class Scope:
    """The names a statement sees, and what is found in it.

    `below` are bound further down, `headers` appear above, `used` was looked up, `near` has bound
    names by what is left of them without a letter. `sound` are the identities of relations without
    a mistake, `unsound` of conditions with one. Names of `read` have a position somewhere,
    those of `compared` are compared inside a `where`.
    """

    findings: Findings
    below: dict[str, Span]
    headers: set[str] = field(default_factory=set)
    bound: dict[str, TypeInfo] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    near: dict[str, list[str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    sound: set[int] = field(default_factory=set)
    read: frozenset[str] = frozenset()
    compared: frozenset[str] = frozenset()
    unsound: set[int] = field(default_factory=set)

    def report(self, diagnostic: Diagnostic) -> TypeInfo:
        self.findings.add(diagnostic)
        return UNKNOWN


Check = Callable[[Node, Scope], TypeInfo]
"""Finds the kind of a part; what takes it as an argument checks parts of parts by it."""


def scope_of(program: Program, findings: Findings) -> Scope:
    """The scope at the first line: nothing bound yet."""
    bindings = [s for s in program.statements if isinstance(s, Binding)]
    return Scope(findings, {binding.name: binding.name_span for binding in reversed(bindings)})


def bind(statement: Binding, facts: TypeInfo, scope: Scope) -> None:
    """Adds the name of a `let`, `param` or `size` to the scope."""
    name, span = statement.name, statement.name_span
    if name in RESERVED:
        scope.report(_reserved(name, span))
    elif name in scope.bound:
        scope.report(_twice(name, span, scope.places[name]))
    else:
        scope.bound[name] = facts
        scope.places[name] = span
        for variant in variants(name):
            scope.near.setdefault(variant, []).append(name)


def resolve(node: Name, scope: Scope) -> TypeInfo | None:
    """What a bound name or an index stands for; None for a word of the language."""
    name = node.name
    if name in scope.bound:
        scope.used.add(name)
        return scope.bound[name]
    if name in VARIABLES:
        return TypeInfo("integer", frozenset({name}))
    if name in INDICES:
        return _index(node, scope)
    word = name in RESERVED or name in PRIMITIVES
    return None if word else scope.report(unknown(node.name, node.span, scope))


def _index(node: Name, scope: Scope) -> TypeInfo:
    header = node.name.removesuffix("s") + "s"
    if header in scope.headers:
        return TypeInfo("integer", frozenset({node.name}))
    return scope.report(diagnostic("P045.index", node.span, name=node.name, header=header))


def unknown(name: str, span: Span, scope: Scope) -> Diagnostic:
    """The diagnostic for a name that means nothing here."""
    if name in scope.below:
        scope.used.add(name)
        return _below(name, span, scope.below[name])
    if name in scope.read:
        return diagnostic("P080.bare", span, name=name)
    compared = name in scope.compared
    similar = _similar(name, compared, scope) if scope.findings.count < NEAR_MISSES else ""
    return diagnostic("P040.unknown_name", span, name=name, similar=similar, compared=compared)


def _similar(name: str, compared: bool, scope: Scope) -> str:
    """What was meant instead; in a comparison an integer, no pattern and no function."""
    if compared:
        return suggestion(name, (*VARIABLES, *INDICES, *scope.bound), loosely=False)
    return suggestion(name, _known(scope))


def input_name(node: Name, scope: Scope) -> bool:
    """Whether the name is free for a run-time input; reports what it clashes with."""
    if node.name in RESERVED:
        scope.report(_word_as_input(node))
        return False
    if node.name in scope.below:
        scope.report(_below(node.name, node.span, scope.below[node.name]))
        return False
    near = _one_edit_away(node.name, scope)
    if near is not None:
        scope.report(_near_input(node, near, scope.places[near]))
    return near is None


def _known(scope: Scope) -> Iterator[str]:
    yield from (*PRIMITIVES, *VARIABLES, *INDICES)
    yield from scope.bound


def _one_edit_away(name: str, scope: Scope) -> str | None:
    """The first bound name so near; any two names of one letter are one edit apart."""
    if name in scope.bound:
        return None
    candidates = {other for variant in variants(name) for other in scope.near.get(variant, ())}
    near = [one for one in candidates if one_edit(one, name) and (len(one) > 1 or len(name) > 1)]
    return min(near, key=lambda one: scope.places[one], default=None)


def _below(name: str, span: Span, place: Span) -> Diagnostic:
    inside = place.start < span.start
    return diagnostic(
        "P041.used_too_early",
        span,
        () if place == span else (Mark(place, "defined here"),),
        name=name,
        inside=inside,
    )


def _reserved(name: str, span: Span) -> Diagnostic:
    return diagnostic("P042.reserved", span, name=name)


def _twice(name: str, span: Span, first: Span) -> Diagnostic:
    return diagnostic("P043.defined_twice", span, (Mark(first, "first defined here"),), name=name)


def _word_as_input(node: Name) -> Diagnostic:
    return diagnostic("P044.word_as_input", node.span, name=node.name)


def _near_input(node: Name, near: str, place: Span) -> Diagnostic:
    return diagnostic(
        "P046.near_input",
        node.span,
        (Mark(place, "defined here"),),
        name=node.name,
        near=near,
    )
