"""Every (layer, head) looked at once: which rule it takes, and whether its values are sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from patternc.language.arithmetic import Fault, Place, truth
from patternc.language.diagnostics import Diagnostic, Findings
from patternc.language.headers import Headers
from patternc.language.lower import Lowering
from patternc.language.program import Node, Rule, When


@dataclass(slots=True)
class Visit:
    """Looks at the rules for every (layer, head); a rule only where it may differ."""

    rules: tuple[Rule, ...]
    varies: tuple[frozenset[str], ...]
    headers: Headers
    lets: Mapping[str, Node]
    findings: Findings
    taken: set[int] = field(default_factory=set)
    seen: set[tuple[int, int, int]] = field(default_factory=set)
    uncovered: Place | None = None

    def all(self) -> None:
        for place in self.headers.places(self.lets):
            chosen = self._chosen(place)
            if chosen is None:
                self.uncovered = self.uncovered or place
            else:
                self._lower(chosen, place)

    def _chosen(self, place: Place) -> int | None:
        """The index of the first rule that matches."""
        for index, rule in enumerate(self.rules):
            if self._matches(rule, place):
                self.taken.add(index)
                return index
        return None

    def _matches(self, rule: Rule, place: Place) -> bool:
        if not isinstance(rule, When):
            return True
        try:
            return truth(rule.condition, place)
        except Fault as fault:
            self.findings.add(fault.diagnostic)
            return False

    def _lower(self, index: int, place: Place) -> None:
        varies = self.varies[index]
        layer = place.layer if "layer" in varies else 0
        head = place.head if "head" in varies else 0
        if (index, layer, head) not in self.seen:
            self.seen.add((index, layer, head))
            Lowering(place, self.headers.causal, self.findings).branches(self.rules[index].pattern)


def unreachable(rule: Rule) -> Diagnostic:
    return Diagnostic(
        "P200",
        "a rule that is never reached",
        rule.span,
        "no layer and head comes here",
        note="the first rule that matches counts",
        help="leave it out, or move it up",
        severity="warning",
    )
