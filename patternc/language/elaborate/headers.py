"""Values of headers and parameters, and of the names that a (layer, head) knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from patternc.frozen import frozen
from patternc.language.check.environment import Environment
from patternc.language.elaborate.bounds import at_least
from patternc.language.elaborate.constants import EvaluationError, constant
from patternc.language.syntax.ast import CountHeader, FlagHeader, Let, Node, Parameter, Program
from patternc.language.syntax.diagnostics import Diagnostic, Findings
from patternc.language.syntax.limits import PATTERNS
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import Span


@frozen
class Headers:
    """The values above the first rule."""

    heads: int | None
    layers: int | None
    causal: bool
    allow_empty: bool
    parameters: dict[str, int]

    def places(self, lets: Mapping[str, Node]) -> Iterator[Environment]:
        """Every (layer, head), layers outermost."""
        for layer in range(self.layers or 1):
            for head in range(self.heads or 1):
                yield self.place(layer, head, lets)

    def place(self, layer: int, head: int, lets: Mapping[str, Node]) -> Environment:
        values = dict(self.parameters)
        if self.layers is not None:
            values |= {"layer": layer, "layers": self.layers}
        if self.heads is not None:
            values |= {"head": head, "heads": self.heads}
        return Environment(values, lets, layer, head)


def headers_of(program: Program, findings: Findings) -> Headers | None:
    """The values of headers and parameters, in the order of the text."""
    values: dict[str, int] = {}
    counts: dict[str, int] = {}
    lets: dict[str, Node] = {}
    flags = {s.name for s in program.statements if isinstance(s, FlagHeader)}
    for statement in program.statements:
        place = Environment({**values, **counts}, lets)
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
        except EvaluationError as fault:
            findings.add(fault.diagnostic)
            return None
    heads, layers = counts.get("heads"), counts.get("layers")
    return Headers(heads, layers, "causal" in flags, "allow empty" in flags, values)


def _check_number(counts: Mapping[str, int], value: Node) -> None:
    patterns = counts.get("heads", 1) * counts.get("layers", 1)
    if patterns > PATTERNS:
        raise EvaluationError(_too_many(value.span, patterns))


def _too_many(span: Span, patterns: int) -> Diagnostic:
    return diagnostic("P110.too_many_patterns", span, patterns=patterns, most=PATTERNS)
