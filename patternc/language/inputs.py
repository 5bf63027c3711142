"""The run-time inputs of a program: what the call must give, and in which shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from patternc.language.arguments import fill
from patternc.language.diagnostics import Diagnostic, Findings, Mark
from patternc.language.primitives import PRIMITIVES, Role
from patternc.language.program import Call, Lift, Name, Node, Range, children
from patternc.language.source import Span

_SHAPES: dict[Role, str] = {
    "listed": "integers [rows, k], [heads, rows, k] or [batch, heads, rows, k]; negative: empty",
    "set": "booleans [n], or integers [m]",
    "labels": "integers [n]; negative: equal to nothing",
}


@dataclass(frozen=True, slots=True)
class RunTimeInput:
    """A tensor given at the call. `shape` is for people."""

    name: str
    role: Role
    shape: str


@dataclass(frozen=True, slots=True)
class _Use:
    name: str
    role: Role
    lifted: bool
    span: Span


def inputs_of(
    patterns: list[Node], lets: Mapping[str, Node], findings: Findings
) -> tuple[RunTimeInput, ...]:
    """The inputs in the order of their first use."""
    uses: dict[str, _Use] = {}
    for pattern in patterns:
        for use in _uses(pattern, lets, False, set()):
            first = uses.setdefault(use.name, use)
            if (first.role, first.lifted) != (use.role, use.lifted):
                findings.add(_two_roles(use, first))
    return tuple(RunTimeInput(u.name, u.role, _shape(u)) for u in uses.values())


def _shape(use: _Use) -> str:
    unit = "; n, rows and positions count blocks" if use.lifted else ""
    return _SHAPES[use.role] + unit


def _uses(
    node: Node | Range, lets: Mapping[str, Node], lifted: bool, seen: set[tuple[str, bool]]
) -> Iterator[_Use]:
    match node:
        case Name(name) if name in lets:
            if (name, lifted) not in seen:
                seen.add((name, lifted))
                yield from _uses(lets[name], lets, lifted, seen)
        case Lift(_, body):
            yield from _uses(body, lets, True, seen)
        case Call():
            yield from _named(node, lets, lifted)
            for child in children(node):
                yield from _uses(child, lets, lifted, seen)
        case _:
            for child in children(node):
                yield from _uses(child, lets, lifted, seen)


def _named(node: Call, lets: Mapping[str, Node], lifted: bool) -> Iterator[_Use]:
    primitive = PRIMITIVES.get(node.function)
    if primitive is None or primitive.role is None:
        return
    for slot, argument in fill(node, primitive)[0]:
        value = argument.value
        named = slot.required and isinstance(value, Name)
        if named and value.name not in lets:  # type: ignore[union-attr]
            yield _Use(value.name, primitive.role, lifted, value.span)  # type: ignore[union-attr]


def _two_roles(use: _Use, first: _Use) -> Diagnostic:
    return Diagnostic(
        "P048",
        f"`{use.name}` is two things",
        use.span,
        f"here: {_shape(use)}",
        note="a run-time input has one role and counts either tokens or blocks",
        help="give it two names",
        marks=(Mark(first.span, f"here: {_shape(first)}"),),
    )
