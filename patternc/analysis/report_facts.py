"""Everything the report says about a program at one length, found once.

Maps the relations of a schedule to the cost of every layer, receptive fields, the paper's formula
and rooflines. Layers with equal relations are computed once. Does not format anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from patternc.analysis.cost.feature_sums import described
from patternc.analysis.cost.layer_cost import LayerCost, Workload, layer_cost
from patternc.analysis.cost.published_formulas import Comparison, Paper, compared
from patternc.analysis.cost.roofline import Measured, Roofline, rooflines
from patternc.analysis.cost.stream_rows import RowsCost, rows_cost
from patternc.analysis.reach import LayerReach, Reach
from patternc.analysis.reach.unattended import Unattended
from patternc.analysis.reach_summary import ReachSummary, summarize_reach
from patternc.frozen import frozen
from patternc.language.elaborate.elaborate import Elaborated
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.progress import steps
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables


@frozen
class ReportSubject:
    """What is reported on: `relations[layer][head]`, as many layers as are asked for.

    `others[layer]` are the heads of other rows, by these rows; the schedule has `period` layers of
    its own. `tables` answer for the inputs of a layer's heads, which are `known` if all that decide
    pairs are given; `sizes` are the slots that the call knows; `grid[layer]` says that the layer
    has a meaning at one length only.
    """

    program: Elaborated
    relations: tuple[tuple[Relation, ...], ...]
    others: tuple[tuple[tuple[Relation, ...], ...], ...]
    period: int
    tables: tuple[tuple[HeadTables, ...], ...]
    known: bool
    sizes: Mapping[str, int]
    grid: tuple[bool, ...]
    tile: tuple[int, int]


@frozen
class LayerFacts:
    """`others` are the costs of other rows, `unmet` what the tokens' rows leave out."""

    cost: LayerCost
    reach: LayerReach
    others: tuple[RowsCost, ...]
    unmet: Unattended


@frozen
class ReportFacts:
    """The layers in order; `paper` is None for programs that are not published."""

    work: Workload
    layers: tuple[LayerFacts, ...]
    flow: ReachSummary
    paper: Comparison | None
    rooflines: tuple[Roofline, ...]
    warnings: tuple[Diagnostic, ...]
    notes: tuple[str, ...]

    @property
    def reach(self) -> Reach:
        """Receptive fields with the residual path."""
        return self.flow.reach


def report_facts(
    subject: ReportSubject,
    work: Workload,
    paper: Paper | None,
    measured: Mapping[str, Measured],
    warnings: tuple[Diagnostic, ...],
    notes: tuple[str, ...],
) -> ReportFacts:
    """The facts of all layers. `ValueError` if the heads are not a multiple of the key heads."""
    costs = costs_of(subject, work)
    flow = _flow(subject, len(costs))
    unmet = (flow.unmet[layer % len(flow.unmet)] for layer in range(len(costs)))
    each = zip(costs, flow.reach.layers, _others(subject), unmet, strict=True)
    return ReportFacts(
        work,
        tuple(LayerFacts(*facts) for facts in each),
        flow,
        _compared(paper, costs[0], work.n),
        rooflines(costs, work, measured),
        warnings,
        (*notes, *_bounds(costs), *described(chain.from_iterable(subject.relations))),
    )


def _flow(subject: ReportSubject, layers: int) -> ReachSummary:
    """Streams are reached as their own rules say; spans of a tree always hold their tokens."""
    period = range(min(subject.period, layers))
    schedule = [
        (
            *subject.relations[layer],
            *(head for heads in subject.others[layer] for head in heads),
        )
        for layer in period
    ]
    tables = [subject.tables[layer] for layer in period]
    return summarize_reach(subject.program, schedule, tables, subject.known, layers)


def _others(subject: ReportSubject) -> list[tuple[RowsCost, ...]]:
    """The costs of other rows, layer by layer."""
    found: dict[tuple[Relation, ...], RowsCost] = {}
    costs = []
    for rows, tables in zip(subject.others, subject.tables, strict=True):
        for heads in rows:
            if heads not in found:
                found[heads] = rows_cost(heads, tables)
        costs.append(tuple(found[heads] for heads in rows))
    return costs


def costs_of(subject: ReportSubject, work: Workload) -> list[LayerCost]:
    """The cost of every layer."""
    found: dict[tuple[Relation, ...], LayerCost] = {}
    costs = []
    layers = zip(subject.relations, subject.tables, subject.grid, strict=True)
    for heads, tables, grid in steps(list(layers), "layers"):
        if heads not in found:
            found[heads] = layer_cost(heads, tables, work, subject.tile, subject.sizes, grid)
        costs.append(found[heads])
    return costs


def _compared(paper: Paper | None, cost: LayerCost, n: int) -> Comparison | None:
    if paper is None:
        return None
    head = cost.heads[0]
    counted = head.pairs if paper.counts == "pairs" else head.with_multiplicity
    return compared(paper, n, counted.least, counted.most)


def _bounds(costs: Sequence[LayerCost]) -> list[str]:
    """What is not an exact number, and why."""
    reasons = {
        quantity.reason
        for cost in costs
        for head in cost.heads
        for quantity in (head.pairs, head.with_multiplicity)
        if not quantity.exact
    }
    return [f"the pairs are an upper bound: {reason}" for reason in sorted(reasons)]
