"""Every (layer, head) looked at once: which rule it takes, and whether its values are sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from patternc.language.arithmetic import NoValueError, Place
from patternc.language.conditions import truth
from patternc.language.diagnostics import Diagnostic, Findings
from patternc.language.headers import Headers
from patternc.language.lower import Lowering
from patternc.language.program import Node, Rule, When
from patternc.language.statements import Look
from patternc.language.structure import without_else


@dataclass(slots=True)
class _Visit:
    """`taken` holds the rules that some place takes, `seen` what was lowered already."""

    looks: tuple[Look, ...]
    lets: Mapping[str, Node]
    causal: bool
    findings: Findings
    taken: set[int] = field(default_factory=set)
    seen: set[tuple[int, int, int]] = field(default_factory=set)
    uncovered: Place | None = None

    def look(self, place: Place) -> None:
        chosen = next((k for k, one in enumerate(self.looks) if self._matches(one, place)), None)
        if chosen is None:
            self.uncovered = self.uncovered or place
            return
        self.taken.add(chosen)
        varies = self.looks[chosen].varies
        layer = place.layer if "layer" in varies else 0
        head = place.head if "head" in varies else 0
        if (chosen, layer, head) not in self.seen:
            self.seen.add((chosen, layer, head))
            self._lower(self.looks[chosen], place)

    def _matches(self, look: Look, place: Place) -> bool:
        if not isinstance(look.rule, When):
            return True
        try:
            return truth(look.rule.condition, place)
        except NoValueError as fault:
            self.findings.add(fault.diagnostic)
            return False

    def _lower(self, look: Look, place: Place) -> None:
        lowering = Lowering(place, self.causal, self.findings)
        for part in look.parts:
            lowering.branches(part)


def visit(
    looks: tuple[Look, ...], headers: Headers, lets: Mapping[str, Node], findings: Findings
) -> None:
    """Reports impossible values, rules that are never reached, and what has no rule.

    A rule is lowered again only where it may differ: for the layers and heads it depends on.
    """
    tour = _Visit(looks, lets, headers.causal, findings)
    for place in headers.places(lets):
        tour.look(place)
    last = looks[-1].rule
    if isinstance(last, When):
        findings.add(without_else(last, tour.uncovered))
    if findings.count:
        return
    for index, look in enumerate(looks):
        if isinstance(look.rule, When) and index not in tour.taken:
            findings.add(_unreachable(look.rule))


def _unreachable(rule: Rule) -> Diagnostic:
    return Diagnostic(
        "P200",
        "a rule that is never reached",
        rule.span,
        "no layer and head comes here",
        note="the first rule that matches counts",
        help="leave it out, or move it up",
        severity="warning",
    )
