"""What every page and picture of a report is made from."""

from __future__ import annotations

from dataclasses import dataclass

from patternc.analysis.report_facts import ReportFacts
from patternc.language.syntax.source import SourceText
from patternc.queries.analyses import Analyses


@dataclass(frozen=True, slots=True)
class ReportContents:
    """The facts, and the program that they are about, for pictures of it."""

    facts: ReportFacts
    source: SourceText
    title: str
    pattern: Analyses
