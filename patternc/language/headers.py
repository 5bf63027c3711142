"""Values of headers and parameters, and of the names that a (layer, head) knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from patternc.language.arithmetic import NoValueError, Place, constant
from patternc.language.diagnostics import Diagnostic, Findings
from patternc.language.near import nearest
from patternc.language.program import (
    CountHeader,
    FlagHeader,
    Let,
    Node,
    Number,
    Parameter,
    Program,
    Statement,
    Unary,
)
from patternc.language.sizes import at_least
from patternc.language.source import Span

# Every (layer, head) is looked at.
_MOST_PATTERNS = 65_536


@dataclass(frozen=True, slots=True)
class Headers:
    """The values above the first rule."""

    heads: int | None
    layers: int | None
    causal: bool
    allow_empty: bool
    parameters: dict[str, int]

    def places(self, lets: Mapping[str, Node]) -> Iterator[Place]:
        """Every (layer, head), layers outermost."""
        for layer in range(self.layers or 1):
            for head in range(self.heads or 1):
                yield self.place(layer, head, lets)

    def place(self, layer: int, head: int, lets: Mapping[str, Node]) -> Place:
        values = dict(self.parameters)
        if self.layers is not None:
            values |= {"layer": layer, "layers": self.layers}
        if self.heads is not None:
            values |= {"head": head, "heads": self.heads}
        return Place(values, lets, layer, head)


def overridden(
    program: Program,
    given: Mapping[str, int | str],
    whole: Program,
    findings: Findings,
) -> Program:
    """The program with the parameters given at the call in place of its own values."""
    known = [s.name for s in whole.statements if isinstance(s, Parameter)]
    values: dict[str, int] = {}
    for name, value in given.items():
        if name not in known:
            findings.add(_unknown_parameter(name, known))
        elif (number := _integer(value)) is None:
            findings.add(_no_integer(name, value))
        else:
            values[name] = number
    return replace(program, statements=tuple(_override(s, values) for s in program.statements))


def _integer(value: int | str) -> int | None:
    try:
        return int(value)
    except ValueError:
        return None


def _override(statement: Statement, values: Mapping[str, int]) -> Statement:
    if not isinstance(statement, Parameter) or statement.name not in values:
        return statement
    value, span = values[statement.name], statement.value.span
    number = Number(abs(value), span)
    return replace(statement, value=Unary("-", number, span) if value < 0 else number)


def headers_of(program: Program, findings: Findings) -> Headers | None:
    """The values of headers and parameters, in the order of the text."""
    values: dict[str, int] = {}
    counts: dict[str, int] = {}
    lets: dict[str, Node] = {}
    flags = {s.name for s in program.statements if isinstance(s, FlagHeader)}
    for statement in program.statements:
        place = Place({**values, **counts}, lets)
        try:
            match statement:
                case Let(name, value):
                    lets[name] = value
                case Parameter(name, value):
                    values[name] = constant(value, place)
                case CountHeader(name, value):
                    counts[name] = at_least(1, name, value, place)
                    _check_number(counts, value)
                case _:
                    pass
        except NoValueError as fault:
            findings.add(fault.diagnostic)
            return None
    heads, layers = counts.get("heads"), counts.get("layers")
    return Headers(heads, layers, "causal" in flags, "allow empty" in flags, values)


def _check_number(counts: Mapping[str, int], value: Node) -> None:
    patterns = counts.get("heads", 1) * counts.get("layers", 1)
    if patterns > _MOST_PATTERNS:
        raise NoValueError(_too_many(value.span, patterns))


def _too_many(span: Span, patterns: int) -> Diagnostic:
    return Diagnostic(
        "P110",
        f"{patterns} patterns in one program",
        span,
        f"heads times layers is at most {_MOST_PATTERNS}",
        help="write fewer heads or layers",
    )


def _unknown_parameter(name: str, known: list[str]) -> Diagnostic:
    near = nearest(name, known)
    listed = ", ".join(f"`{one}`" for one in known) or "none"
    return Diagnostic(
        "P030",
        f"unknown parameter `{name}`",
        note=f"the program's parameters: {listed}",
        help=f"did you mean `{near}`?" if near else f"write `param {name} = ..` in the program",
    )


def _no_integer(name: str, value: int | str) -> Diagnostic:
    return Diagnostic(
        "P031",
        f"the parameter `{name}` is `{value}`",
        note="parameters are integers",
        help=f"write a whole number: `{name}=256`",
    )
