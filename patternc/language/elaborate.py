"""Program to terms: every name resolved, every rule matched, every number known.

From the syntax tree and the parameters of the call to `Elaborated`, which gives the pattern of any
(layer, head). All mistakes of all rules are collected first. Non-goals: n, and what n decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from patternc.language.arithmetic import Place, truth
from patternc.language.diagnostics import Diagnostic, Findings, PatternError
from patternc.language.draws import write_out
from patternc.language.headers import Headers, headers_of, overridden
from patternc.language.inputs import RunTimeInput, inputs_of
from patternc.language.lower import Lowering
from patternc.language.names import Scope
from patternc.language.program import Let, Node, Program, Rule, When
from patternc.language.statements import Checked, check_statements
from patternc.language.structure import rules_of, without_else
from patternc.language.terms import Causal, HeadPattern, Intersection
from patternc.language.visit import Visit, unreachable


@dataclass(frozen=True, slots=True)
class Elaborated:
    """A program that means something. `program` has its parameters and draws written out.

    `heads` and `layers` are None without the header: one pattern for any number of them.
    """

    program: Program
    heads: int | None
    layers: int | None
    causal: bool
    allow_empty: bool
    parameters: dict[str, int]
    inputs: tuple[RunTimeInput, ...]
    warnings: tuple[Diagnostic, ...]
    _rules: tuple[Rule, ...] = field(repr=False)
    _lets: dict[str, Node] = field(repr=False)
    _headers: Headers = field(repr=False)
    _resolved: dict[tuple[int, int], HeadPattern] = field(
        default_factory=dict, repr=False, compare=False
    )

    def resolve(self, layer: int = 0, head: int = 0) -> HeadPattern:
        """The pattern of one head; 0 <= layer < (layers or 1), 0 <= head < (heads or 1)."""
        if not (0 <= layer < (self.layers or 1) and 0 <= head < (self.heads or 1)):
            raise IndexError(f"no layer {layer}, head {head} in this program")
        if (layer, head) not in self._resolved:
            place = self._headers.place(layer, head, self._lets)
            rule = next(rule for rule in self._rules if _matches(rule, place))
            self._resolved[layer, head] = _pattern(rule, place, self.causal, Findings())
        return self._resolved[layer, head]


def elaborate(program: Program, parameters: Mapping[str, int | str] | None = None) -> Elaborated:
    """The meaning of a program; raises `PatternError` with every mistake in it."""
    findings = Findings()
    rules_of(program, findings)
    checked, scope = check_statements(program, findings)
    sound = overridden(checked.sound_part(program), parameters or {}, program, findings)
    headers = headers_of(sound, findings)
    written = write_out(sound)
    lets = {s.name: s.value for s in written.statements if isinstance(s, Let)}
    rules = rules_of(written, Findings())
    if headers is not None:
        complete = len(checked.sound) == len(program.statements)
        _visit(rules, _varies(sound, checked), headers, lets, complete, findings)
    inputs = inputs_of([rule.pattern for rule in rules], lets, findings)
    for name in sorted(scope.bound.keys() - scope.used):
        findings.add(_unused(name, scope))
    if headers is None or findings.errors():
        raise PatternError(findings.all(), program.source)
    return Elaborated(
        written,
        headers.heads,
        headers.layers,
        headers.causal,
        headers.allow_empty,
        headers.parameters,
        inputs,
        findings.warnings(),
        rules,
        lets,
        headers,
    )


def _varies(sound: Program, checked: Checked) -> tuple[frozenset[str], ...]:
    """For every rule, which of layer and head it depends on; draws do not count."""
    return tuple(checked.varies.get(rule, frozenset()) for rule in rules_of(sound, Findings()))


def _visit(
    rules: tuple[Rule, ...],
    varies: tuple[frozenset[str], ...],
    headers: Headers,
    lets: dict[str, Node],
    complete: bool,
    findings: Findings,
) -> None:
    visit = Visit(rules, varies, headers, lets, findings)
    visit.all()
    if complete and not findings.errors():
        for index, rule in enumerate(rules):
            if isinstance(rule, When) and index not in visit.taken:
                findings.add(unreachable(rule))
        if rules and isinstance(rules[-1], When):
            findings.add(without_else(rules[-1], visit.uncovered))


def _unused(name: str, scope: Scope) -> Diagnostic:
    return Diagnostic(
        "P201",
        f"`{name}` is never used",
        scope.places[name],
        "bound here",
        help="leave it out",
        severity="warning",
    )


def _matches(rule: Rule, place: Place) -> bool:
    return truth(rule.condition, place) if isinstance(rule, When) else True


def _pattern(rule: Rule, place: Place, causal: bool, findings: Findings) -> HeadPattern:
    branches = Lowering(place, causal, findings).branches(rule.pattern)
    if causal:
        return HeadPattern(tuple(Intersection((branch, Causal())) for branch in branches))
    return HeadPattern(branches)
