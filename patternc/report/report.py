"""Reports on a program: from a pattern and a workload to a document in any format.

The results come from `analysis.report_facts`; does not write files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

from patternc.algebra.work_budget import allowance
from patternc.analysis.cost.layer_cost import Workload
from patternc.analysis.cost.published_formulas import Paper, papers
from patternc.analysis.cost.roofline import measurements
from patternc.analysis.report_facts import report_facts
from patternc.language import elaborate, parse, show
from patternc.language.syntax.characters import visible
from patternc.language.syntax.source import SourceText
from patternc.queries.arguments import (
    data_type,
    layers_looked_at,
    slot_counts,
    tokens,
    warning_codes,
    whole,
)
from patternc.queries.lengths import length_among, lengths_of
from patternc.report import report_json, report_text
from patternc.report.contents import ReportContents, Reported
from patternc.semantics.lengths import Span
from patternc.zoo import published, zoo

# Rows without keys and keys no row sees are looked for at this many tokens at most.
MOST_CHECKED = 1 << 24
RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


class Report(ReportContents):
    """What `Pattern.report` gives; `str` of it is the text for a terminal."""

    __slots__ = ()

    def document(self) -> report_json.Json:
        """The JSON document, format "patternc.report/1", as plain dictionaries and lists."""
        return report_json.document(self.facts, self.source)

    def json(self) -> str:
        return json.dumps(self.document(), indent=2) + "\n"

    def markdown(self) -> str:
        return report_text.markdown(self.facts, self.title)

    def text(self) -> str:
        return report_text.text(self.facts, self.title)

    def html(self) -> str:
        """A page that needs nothing else: the numbers, and pictures to point at."""
        from patternc.report.report_html import html

        return html(self)

    def svg(self) -> str:
        """How receptive fields grow with the layers. Raises `ValueError` where n has no picture."""
        from patternc.report.report_pictures import growth_svg

        return growth_svg(self)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text().rstrip("\n")

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        return self.markdown()


def report_of(
    pattern: Reported,
    n: int,
    layers: int | None,
    head_dim: int,
    dtype: object,
    kv_heads: int | None,
    slots: Mapping[str, int] | None,
    ignore: Iterable[str],
    when: str | None,
    inputs: Mapping[str, Any],
) -> Report:
    """What `Pattern.report` gives; its arguments are checked here."""
    lengths = lengths_of(when, _span(pattern, layers_looked_at(layers, pattern.layers)))
    work = Workload(
        length_among(tokens(n), 1, lengths),
        whole("head_dim", head_dim, 1),
        data_type(dtype) or "bfloat16",
        None if kv_heads is None else whole("kv_heads", kv_heads, 1),
        lengths,
    )
    count = layers_looked_at(layers, pattern.layers)
    sizes, ignored = slot_counts(slots), warning_codes(ignore)
    if work.n < 1 or count < 1:
        raise ValueError(f"n is {work.n} and layers is {count}; expected at least 1 of each")
    looked_at = min(work.n, MOST_CHECKED)
    several = looked_at < work.n and _any_length(pattern)
    warnings = pattern.check(
        looked_at if several else work.n, teach=True, layers=count, ignore=ignored
    )
    with allowance():
        facts = report_facts(
            pattern.subject(work, count, sizes, inputs),
            work,
            _paper(pattern),
            measurements(RESULTS, PurePath(pattern.name).stem, work),
            warnings,
            (f"rows and keys were looked for at n = {looked_at:,} only",) if several else (),
        )
    title = visible(PurePath(pattern.name).name)
    return Report(facts, SourceText.of(pattern.text, pattern.name), title, pattern, inputs)


def _span(pattern: Reported, layers: int) -> Span | None:
    """The lengths that the grids of the layers fit."""
    each = (pattern.fitting(layer) for layer in range(min(layers, pattern.layers or 1)))
    spans = [span for span in each if span is not None]
    return (max(low for low, _ in spans), min(high for _, high in spans)) if spans else None


def _any_length(pattern: Reported) -> bool:
    return all(pattern.fitting(layer) is None for layer in range(pattern.layers or 1))


def _paper(pattern: Reported) -> Paper | None:
    """That of the published program of the same name, where the programs are the same."""
    name = PurePath(pattern.name).stem
    found = papers().get(name)
    if found is None or name not in zoo():
        return None
    same = show(pattern.elaborated) == show(elaborate(parse(published(name)), {}).program)
    return found if same else None
