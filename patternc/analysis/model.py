"""Everything the report says about a program at one length, found once.

From the relations of a schedule to the cost of every layer, receptive fields, the paper's formula
and rooflines. Layers with equal relations are computed once. Non-goals: how it is written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patternc.analysis.complexity.layers import LayerCost, Workload, layer_cost
from patternc.analysis.papers import Comparison, Paper, compared
from patternc.analysis.reach import LayerReach, Reach, reach
from patternc.analysis.roofline import Measured, Roofline, rooflines
from patternc.language.diagnostics import Diagnostic
from patternc.progress import steps
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables


@dataclass(frozen=True, slots=True)
class Subject:
    """What is reported on: `relations[layer][head]`, as many layers as are asked for.

    `tables` answer for the inputs of a layer's heads, which are `known` if all that decide pairs
    are given; `sizes` are the slots that the call knows; `grid[layer]` says that the layer has a
    meaning at one length only.
    """

    relations: tuple[tuple[Relation, ...], ...]
    tables: tuple[tuple[HeadTables, ...], ...]
    known: bool
    sizes: Mapping[str, int]
    grid: tuple[bool, ...]
    tile: tuple[int, int]


@dataclass(frozen=True, slots=True)
class LayerFacts:
    cost: LayerCost
    reach: LayerReach


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The layers in order; `paper` is None for programs that are not published."""

    work: Workload
    layers: tuple[LayerFacts, ...]
    reach: Reach
    paper: Comparison | None
    rooflines: tuple[Roofline, ...]
    warnings: tuple[Diagnostic, ...]
    notes: tuple[str, ...]


def model_facts(
    subject: Subject,
    work: Workload,
    paper: Paper | None,
    measured: Mapping[str, Measured],
    warnings: tuple[Diagnostic, ...],
    notes: tuple[str, ...],
) -> ModelFacts:
    """The facts of all layers. Raises `ValueError` where heads are no multiple of key heads."""
    costs = costs_of(subject, work)
    tables = subject.tables if subject.known else None
    seen = reach(subject.relations, work.n, len(costs), tables=tables)
    return ModelFacts(
        work,
        tuple(LayerFacts(*both) for both in zip(costs, seen.layers, strict=True)),
        seen,
        _compared(paper, costs[0], work.n),
        rooflines(costs, work, measured),
        warnings,
        (*notes, *_bounds(costs)),
    )


def costs_of(subject: Subject, work: Workload) -> list[LayerCost]:
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
    """What is no exact number, and why."""
    reasons = {
        quantity.reason
        for cost in costs
        for head in cost.heads
        for quantity in (head.pairs, head.with_multiplicity)
        if not quantity.exact
    }
    return [f"the pairs are an upper bound: {reason}" for reason in sorted(reasons)]
