"""The report as one HTML page: numbers, pictures to point at, curves.

Converts a report to the text of a file that needs no other and no network; colours follow the
reader's theme. The numbers are the sections of the text. A script tells what lies under the
pointer; without it everything but that is there. Does not find facts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from patternc.frozen import frozen
from patternc.ir.sources import TOKENS, word_of
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.report.charts import chart, curves
from patternc.report.contents import ReportContents
from patternc.report.key_runs import in_words, key_runs
from patternc.report.reach_growth import ReachGrowth
from patternc.report.reach_svg import COLOURS, layers_map, mask, matrices, strip, style
from patternc.report.report_pictures import caption, drawn_view, report_growth
from patternc.report.report_reach import consecutive
from patternc.report.report_text import full_at, sections
from patternc.report.svg import number
from patternc.report.term_shares import TermShare, term_shares
from patternc.report.view import View
from patternc.semantics.errors import InputError
from patternc.version import __version__

if TYPE_CHECKING:
    from jinja2 import Template


_TEMPLATE = Path(__file__).with_name("report.html.jinja")
_STYLE = Path(__file__).with_name("report.css")
_SIDE = 448
# Masks that differ, and intervals of a row that are reported.
_MASKS, _RUNS = 4, 6


class Told(TypedDict):
    """What a script tells of a figure: texts of rows, and of cells by their number."""

    n: int
    cell: int
    rows: list[str]
    cells: list[list[int]]
    names: list[str]


@frozen
class Figure:
    """A picture to point at."""

    title: str
    svg: str
    told: str
    legend: tuple[tuple[int, str], ...] = ()


def html(report: ReportContents) -> str:
    """The page."""
    grown, notes = _grown(report)
    return _template().render(
        version=__version__,
        title=report.title,
        program=report.source.text.strip("\n"),
        facts=report.facts,
        headline=_headline(report),
        sections=list(sections(report.facts)),
        masks=[] if grown is None else list(_masks(report)),
        growth=None if grown is None else _growth(report, *grown),
        charts=_charts(report),
        notes=notes,
        style=f"{style()}\n{_STYLE.read_text(encoding='utf-8')}",
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    made = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return made.from_string(_TEMPLATE.read_text(encoding="utf-8"))


def _headline(report: ReportContents) -> list[tuple[str, str]]:
    facts = report.facts
    pairs = sum(head.pairs.most for layer in facts.layers for head in layer.cost.heads)
    density = sum(layer.cost.density for layer in facts.layers) / len(facts.layers)
    orders = dict.fromkeys(head.pairs.order for layer in facts.layers for head in layer.cost.heads)
    full = full_at(facts.reach)
    connected = f"after {full} layer{'s' * (full != '1')}" if facts.reach.full_at else full
    return [
        ("tokens", f"{facts.work.n:,}"),
        ("layers", f"{len(facts.layers)}"),
        ("pairs of all layers", f"{pairs:,}"),
        ("density", f"{density:.3%}"),
        ("grows as", ", ".join(orders)),
        ("all pairs connected", connected),
    ]


def _grown(report: ReportContents) -> tuple[tuple[View, ReachGrowth] | None, list[str]]:
    """The growth, or why there is none."""
    try:
        return report_growth(report), []
    except (InputError, ValueError) as error:
        return None, [f"no pictures: {error}"]


def _growth(report: ReportContents, seen: View, grown: ReachGrowth) -> dict[str, object]:
    first, full = grown.first, grown.full
    names = []
    every: dict[tuple[int, int], int] = {}
    for both in zip(first.ravel().tolist(), full.ravel().tolist(), strict=True):
        if both not in every:
            every[both] = len(every)
            names.append(_connected(*both))
    cells = [
        [every[both] for both in zip(one.tolist(), other.tolist(), strict=True)]
        for one, other in zip(first, full, strict=True)
    ]
    told = Told(n=grown.n, cell=grown.cell, rows=[], cells=cells, names=names)
    return {
        "caption": caption(report, seen, grown),
        "strip": strip(grown),
        "matrices": matrices(grown),
        "map": Figure(
            "layer of the first connection",
            layers_map(grown, _SIDE),
            _compact(told),
        ),
    }


def _compact(told: Told) -> str:
    return json.dumps(told, separators=(",", ":"))


def _connected(first: int, full: int) -> str:
    if not first:
        return "not connected within these layers"
    some = f"first connected after {first} layer{'s' * (first > 1)}"
    every = f"all of them after {full}" if full else "not all of them within these layers"
    return f"{some}, {every}"


def _masks(report: ReportContents) -> Iterator[Figure]:
    """The heads that differ in more than their draws, the first few of them."""
    pattern = report.pattern
    found: dict[object, list[tuple[int, int]]] = {}
    for layer in range(min(pattern.layers or 1, len(report.facts.layers))):
        for head, relation in enumerate(pattern.relations(layer)):
            found.setdefault(_shape(relation), []).append((layer, head))
    for places in list(found.values())[:_MASKS]:
        layer, head = places[0]
        relation, view = pattern.relations(layer)[head], drawn_view(report, layer)
        own = term_shares(view, pattern.elaborated_program, head)
        legend = tuple((min(at, COLOURS - 1), part.text) for at, part in enumerate(own))
        told = _compact(_mask_told(view, relation, own))
        yield Figure(_where(report, places), _mask_svg(own), told, legend)


def _shape(relation: Relation) -> object:
    """What heads have in common that differ in their draws only."""
    return tuple(
        (
            (branch.formula, branch.source, branch.multiplicity),
            *((part.formula, len(part.literals)) for part in branch.conjuncts),
        )
        for branch in relation.branches
    )


def _where(report: ReportContents, places: Sequence[tuple[int, int]]) -> str:
    layers = sorted({layer for layer, _ in places})
    heads = sorted({head for _, head in places})
    parts = [f"layer{'s' * (len(layers) > 1)} {consecutive(layers)}"] * bool(report.pattern.layers)
    parts += [f"head{'s' * (len(heads) > 1)} {consecutive(heads)}"] * bool(report.pattern.heads)
    differ = len({report.pattern.relations(layer)[head] for layer, head in places}) > 1
    told = ", ".join(parts) or "every layer and head"
    return f"{told}; draws are those of the first" if differ else told


def _mask_svg(own: Sequence[TermShare]) -> str:
    body = "\n".join(mask(own, _SIDE))
    rows, columns = own[0].shares.shape
    wide, high = (number(_SIDE * side / max(rows, columns)) for side in (columns, rows))
    box = f'width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
    return f'<svg class="patternc" {box} role="img">\n{body}\n</svg>'


def _mask_told(view: View, relation: Relation, own: Sequence[TermShare]) -> Told:
    rows, columns = own[0].shares.shape
    cell = -(-max(view.n, view.keys) // max(rows, columns))
    stacked = np.stack([part.shares for part in own])
    names, numbers = [], np.zeros((rows, columns), np.int64)
    known: dict[str, int] = {}
    for row in range(rows):
        for column in range(columns):
            name = _held(stacked[:, row, column], own)
            if name not in known:
                known[name] = len(known)
                names.append(name)
            numbers[row, column] = known[name]
    tables = HeadTables(view.n, view.inputs, view.slots)
    told = [_sees(relation, tables, row * cell) for row in range(rows)]
    return Told(n=view.n, cell=cell, rows=told, cells=numbers.tolist(), names=names)


def _held(held: np.ndarray[tuple[int, ...], np.dtype[np.float64]], own: Sequence[TermShare]) -> str:
    told = [
        f"{part.text} {min(share, 1):.0%}" if share < 1 else f"all by {part.text}"
        for part, share in zip(own, held.tolist(), strict=True)
        if share
    ]
    return ", ".join(told) or "none"


def _sees(relation: Relation, tables: HeadTables, row: int) -> str:
    """The keys of one row, by source."""
    told = []
    for source in relation.sources:
        at = tables.of(source)
        keys = np.arange(at.m)
        held = np.zeros(at.m, np.bool_)
        for branch in relation.branches:
            if branch.source == source:
                held |= np.broadcast_to(
                    at.holds(branch.predicate, {"i": np.array([row]), "j": keys}), at.m
                )
        place = "" if source == TOKENS else f" of {word_of(source)}"
        told.append(f"{held.sum():,} keys{place}{_runs(np.flatnonzero(held).tolist())}")
    return f"row {row:,} sees {' and '.join(told) or 'nothing'}"


def _runs(keys: list[int]) -> str:
    groups = list(key_runs(keys))
    told = [in_words(run) for run in groups[:_RUNS]]
    more = [f"{len(groups) - _RUNS} intervals more"] if len(groups) > _RUNS else []
    return f": {', '.join(told + more)}" if told else ""


def _charts(report: ReportContents) -> list[str]:
    found = curves(report.pattern, report.facts.work, len(report.facts.layers))
    if found is None:
        return []
    count = len(report.facts.layers)
    layers = f"{count} layer{'s' * (count > 1)}"
    return [
        chart(f"pairs of {layers}", found.lengths, (found.pairs, found.dense), ""),
        chart(f"roofline lower bound of {layers}, forward", found.lengths, found.seconds, "s"),
    ]
