"""Every (layer, head) looked at once: which rule it takes, and whether its values are sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from patternc.ir.sources import TOKENS, Stream
from patternc.ir.terms import HeadPattern
from patternc.language.check.environment import Environment
from patternc.language.check.program_structure import without_else
from patternc.language.check.statements import RuleToCheck
from patternc.language.elaborate.check_attachments import check_whole
from patternc.language.elaborate.check_input_sizes import SharedSizes, Sized
from patternc.language.elaborate.check_projections import check_projections
from patternc.language.elaborate.check_searches import check_avoided, check_searches
from patternc.language.elaborate.check_stream_rows import check_rows
from patternc.language.elaborate.conditions import truth
from patternc.language.elaborate.constants import EvaluationError
from patternc.language.elaborate.headers import Headers
from patternc.language.elaborate.lower import Lowering
from patternc.language.syntax.ast import Node, Rule, When
from patternc.language.syntax.diagnostics import Diagnostic, Findings
from patternc.language.syntax.limits import WORK
from patternc.language.syntax.messages import diagnostic

HeadPatterns = dict[tuple[int, int, str], HeadPattern]
"""By layer, head and the name of the rows, which is empty for the tokens'."""
Lowered = tuple[HeadPattern | None, tuple[Sized, ...]]
"""A rule's pattern, where the rule is sound, and the sizes that its parts ask of inputs."""


@dataclass(slots=True)
class _HeadChecker:
    """`taken` holds the rules that some place takes, `seen` what was lowered already.

    `patterns` are the whole rules among that, by where they apply.
    """

    looks: tuple[RuleToCheck, ...]
    lets: Mapping[str, Node]
    causal: bool
    findings: Findings
    sizes: SharedSizes
    taken: set[int] = field(default_factory=set)
    seen: dict[tuple[int, int, int], Lowered] = field(default_factory=dict)
    patterns: HeadPatterns = field(default_factory=dict)
    uncovered: Environment | None = None

    def look(self, place: Environment) -> None:
        chosen = next((k for k, one in enumerate(self.looks) if self._matches(one, place)), None)
        if chosen is None:
            self.uncovered = self.uncovered or place
            return
        self.taken.add(chosen)
        varies = self.looks[chosen].varies
        layer = place.layer if "layer" in varies else 0
        head = place.head if "head" in varies else 0
        key = (chosen, layer, head)
        if key not in self.seen:
            self.seen[key] = self._lower(self.looks[chosen], place)
        pattern, sized = self.seen[key]
        if pattern is not None:
            self.patterns[place.layer, place.head, self.looks[chosen].rows] = pattern
        for found in self.sizes.differing(sized, place):
            self.findings.add(found)

    def _matches(self, look: RuleToCheck, place: Environment) -> bool:
        if not isinstance(look.rule, When):
            return True
        try:
            return truth(look.rule.condition, place)
        except EvaluationError as fault:
            self.findings.add(fault.diagnostic)
            return False

    def _lower(self, look: RuleToCheck, place: Environment) -> Lowered:
        # How many slots have these rows is not asked yet.
        rows = Stream(look.rows, 1) if look.rows else TOKENS
        lowering = Lowering(place, self.causal, self.findings, rows)
        whole: HeadPattern | None = None
        for part in look.parts:
            pattern = lowering.pattern(part)
            if not lowering.failed:
                self._check(part, pattern, place)
            # Part of a rule alone does not show what it appears on.
            if not lowering.failed and part is look.rule.pattern:
                whole = pattern
                for found in check_rows(part, rows, place.lets):
                    self.findings.add(found)
                for found in check_avoided(part, pattern):
                    self.findings.add(found)
        return whole, tuple(lowering.sized)

    def _check(self, node: Node, pattern: HeadPattern, place: Environment) -> None:
        for found in check_whole(node, pattern, self.causal, place):
            self.findings.add(found)
        for found in check_searches(node, pattern, place):
            self.findings.add(found)
        for found in check_projections(node, place):
            self.findings.add(found)


def check_every_head(
    looks: tuple[RuleToCheck, ...], headers: Headers, lets: Mapping[str, Node], findings: Findings
) -> HeadPatterns:
    """Reports impossible values, rules that are never reached, and what has no rule.

    A rule is lowered again only where it may differ: for the layers and heads it depends on. The
    result are the patterns of all layers and heads, those of streams as if these had one slot;
    random draws in them have the layer and head at which a rule was first lowered.
    """
    if (work := _work(looks, headers, len(lets))) > WORK:
        findings.add(_too_much(looks[-1].rule, work, headers))
        return {}
    sizes, patterns = SharedSizes(), HeadPatterns()
    for rows in dict.fromkeys(look.rows for look in looks):
        section = tuple(look for look in looks if look.rows == rows)
        patterns |= _tour(section, headers, lets, findings, sizes)
    return patterns


def _work(looks: tuple[RuleToCheck, ...], headers: Headers, lets: int) -> int:
    """At most how many rules, parameters and parts of patterns a visit looks at."""
    sizes = {"layer": headers.layers or 1, "head": headers.heads or 1}
    patterns = sizes["layer"] * sizes["head"]
    places = sum(prod(sizes[name] for name in look.varies) for look in looks)
    largest = max(look.size for look in looks) + lets
    return patterns * (len(looks) + len(headers.parameters)) + min(places, patterns) * largest


def _too_much(rule: Rule, work: int, headers: Headers) -> Diagnostic:
    return diagnostic(
        "P134.too_much",
        rule.span,
        work=work,
        layers=headers.layers or 1,
        heads=headers.heads or 1,
        most=WORK,
    )


def _tour(
    looks: tuple[RuleToCheck, ...],
    headers: Headers,
    lets: Mapping[str, Node],
    findings: Findings,
    sizes: SharedSizes,
) -> HeadPatterns:
    """The rules for one sort of rows."""
    tour = _HeadChecker(looks, lets, headers.causal, findings, sizes)
    for place in headers.places(lets):
        tour.look(place)
    last = looks[-1].rule
    if isinstance(last, When):
        findings.add(without_else(last, tour.uncovered))
    for index, look in enumerate(() if findings.count else looks):
        if isinstance(look.rule, When) and index not in tour.taken:
            findings.add(_unreachable(look.rule))
    return tour.patterns


def _unreachable(rule: Rule) -> Diagnostic:
    return diagnostic("P200.unreachable", rule.span)
