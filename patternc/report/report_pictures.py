"""Pictures of a report: the view of its pattern that is drawn, and its growth.

Converts a report to views and SVG. Beyond `MOST_DRAWN` positions the picture is that of a shorter
sequence, and says so. SVG elements are in `svg` and `reach_svg`.
"""

from __future__ import annotations

from patternc.relation.tables import HeadTables
from patternc.report.contents import ReportContents, Reported
from patternc.report.reach_growth import MOST_DRAWN, ReachGrowth, reach_growth
from patternc.report.reach_svg import fields
from patternc.report.view import CELLS, View, view


def drawn_view(report: ReportContents, layer: int = 0) -> View:
    """One layer at the report's length, or at the largest that is drawn, with made-up inputs.

    Raises `ValueError` for grids beyond that, and `InputError` for inputs that cannot be made up.
    """
    pattern, n = report.pattern, report.facts.work.n
    only = pattern.fitting(layer)
    if n > MOST_DRAWN and only is not None:
        raise ValueError(f"a picture of {n:,} positions; at most {MOST_DRAWN:,} are drawn")
    names = {item.name for item in pattern.inputs if item.decides}
    deciding = {name: value for name, value in report.inputs.items() if name in names}
    given = deciding if n <= MOST_DRAWN else {}
    return view(pattern, min(n, MOST_DRAWN), layer, None, given=given)


def report_growth(report: ReportContents) -> tuple[View, ReachGrowth]:
    """The fields of the report's layers, and the view that they are seen in."""
    seen = drawn_view(report)
    layers, cell = len(report.facts.layers), -(-seen.n // CELLS)
    return seen, growth_of(report.pattern, seen, layers, cell, seen.n * 5 // 8)


def growth_of(pattern: Reported, seen: View, layers: int, cell: int, query: int) -> ReachGrowth:
    """The fields of a pattern with the inputs of a view, in squares of `cell` positions."""
    own = range(min(pattern.layers or 1, layers))
    tables = HeadTables(seen.n, seen.every_input, seen.slots)
    relations = [pattern.all_relations(layer, pattern.heads or 1) for layer in own]
    return reach_growth(relations, tables, layers, cell, query)


def growth_svg(report: ReportContents) -> str:
    """How receptive fields grow with the layers."""
    seen, grown = report_growth(report)
    return fields(report.title, caption(report, seen, grown), grown)


def caption(report: ReportContents, seen: View, grown: ReachGrowth) -> str:
    """Length, layers and what was made up."""
    count = len(report.facts.layers)
    parts = [seen.caption.split(", layer")[0], f"{count} layer{'s' * (count > 1)}"]
    if seen.n < report.facts.work.n:
        parts.append(f"drawn shorter than the report's {report.facts.work.n:,}")
    full = f"full after {grown.full_at}" if grown.full_at else "not full within them"
    return ", ".join((*parts, full))
