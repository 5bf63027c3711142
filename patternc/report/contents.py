"""What every page and picture of a report is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Protocol

from patternc.analysis.cost.layer_cost import Workload
from patternc.analysis.report_facts import ReportFacts, ReportSubject
from patternc.frozen import frozen
from patternc.language import Diagnostic, Elaborated, Program
from patternc.language.syntax.source import SourceText
from patternc.relation.relation import Relation
from patternc.report.subject import Subject


class Reported(Subject, Protocol):
    """What a report asks of a pattern, beside what its pictures do."""

    @property
    def text(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def elaborated(self) -> Program: ...
    @property
    def elaborated_program(self) -> Elaborated: ...
    def fitting(self, layer: int = 0) -> tuple[int, int] | None: ...
    def all_relations(self, layer: int, heads: int) -> tuple[Relation, ...]: ...
    def check(
        self,
        n: int | None = None,
        *,
        ignore: Iterable[str] = (),
        teach: bool = False,
        layers: int | None = None,
    ) -> tuple[Diagnostic, ...]: ...
    def subject(
        self,
        work: Workload,
        layers: int,
        slots: Mapping[str, int],
        inputs: Mapping[str, Any],
    ) -> ReportSubject: ...


@frozen
class ReportContents:
    """The facts, and the program that they are about, for pictures of it."""

    facts: ReportFacts
    source: SourceText
    title: str
    pattern: Reported
    inputs: Mapping[str, Any] = field(default_factory=dict)
