"""Where information flows in a report: what a stack connects, where it is late, and what it leaves.

Maps the relations of a schedule to receptive fields with and without the residual path, the slowest
pair with its path, a pair that is never connected, what each head adds, rows without keys and keys
that nobody attends to, and the fields as a formula in the layers. Costs are in `cost`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from patternc.algebra.evaluate import holds
from patternc.algebra.isl_context import BudgetError
from patternc.algebra.work_budget import EffortError
from patternc.analysis.explain.critical_path import Slowest, slowest, unheard
from patternc.analysis.reach import Explored, Reach, explored, reach
from patternc.analysis.reach.ablation import contributions
from patternc.analysis.reach.closed_form import ClosedFormReach, growth
from patternc.analysis.reach.edges import Layer, edges_of, shortest_period
from patternc.analysis.reach.unattended import Unattended, unattended
from patternc.analysis.table_pairs import UnknownError
from patternc.frozen import frozen
from patternc.ir.sources import TOKENS
from patternc.language.elaborate.elaborate import Elaborated
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.semantics.errors import InputError

# Every head is left out once: longer sequences are not asked so often.
MOST_POSITIONS = 1 << 16
# About 0.1 s for the formula of growth.
OPERATIONS = 100_000
Schedule = Sequence[Sequence[Relation]]
Tables = Sequence[Sequence[HeadTables]]


@frozen
class ReachSummary:
    """What a report says of a stack; its schedule is `period` layers, over and over.

    `slowest` is None for the reason that is given. `unheard` is a permitted pair (query, key) that
    the last layer leaves unconnected; None where there is none, or it is not known.
    `contributions[head]` are the pairs that only the layers with it connect; None was not looked
    at, or is not known. `unmet[layer]` is of every layer that the program names. `growth` is the
    field after k layers, where all are alike and there is a formula.
    """

    reach: Reach
    plain: Reach
    period: int
    slowest: Slowest | None
    reason: str
    unheard: tuple[int, int] | None
    contributions: tuple[int | None, ...] | None
    unmet: tuple[Unattended, ...]
    growth: ClosedFormReach | None

    @property
    def settled(self) -> bool:
        """Whether no further layer connects anything: a whole round of the schedule did not."""
        last, known = self.reach.connected[-1], self.reach.connected[: -self.period]
        return bool(known) and last is not None and known[-1] == last


def summarize_reach(
    program: Elaborated, schedule: Schedule, tables: Tables, known: bool, layers: int
) -> ReachSummary:
    """What `layers` layers do; `schedule[layer][head]` and `tables` are those of one period.

    The heads of other rows appear behind those of the tokens. `known`: the tables answer for all
    that decides pairs.
    """
    n = tables[0][0].n
    given = tables if known else None
    found = explored(schedule, n, layers, given)
    pair, reason = _slowest(program, schedule, tables, found)
    return ReachSummary(
        reach=found.reach,
        plain=_plain(schedule, given, found.reach),
        period=len(shortest_period([edges_of(heads) for heads in schedule[:layers]])),
        slowest=pair,
        reason=reason,
        unheard=_unheard(schedule, tables, found, layers),
        contributions=_contributions(schedule, given, found.reach) if n <= MOST_POSITIONS else None,
        unmet=_unmet(schedule, tables),
        growth=_growth(schedule),
    )


def _plain(schedule: Schedule, given: Tables | None, found: Reach) -> Reach:
    """The fields without the residual path: the same where every position sees itself."""
    if found.n <= MOST_POSITIONS and all(
        _sees_itself(edges_of(heads), found.n) for heads in schedule
    ):
        return replace(found, residual=False)
    return reach(schedule, found.n, len(found.layers), residual=False, tables=given)


def _sees_itself(edges: Layer, n: int) -> bool:
    """Whether formulas alone hold every pair (i, i)."""
    rows = np.arange(n)
    itself = np.zeros(n, np.bool_)
    for edge in edges:
        if edge.source == TOKENS and not edge.literals:
            itself |= np.broadcast_to(holds(edge.formula, {"i": rows, "j": rows, "n": n}), n)
    return bool(itself.all())


def _contributions(
    schedule: Schedule, given: Tables | None, found: Reach
) -> tuple[int | None, ...]:
    whole = found.connected[-1]
    return contributions(schedule, found.n, len(found.layers), given, whole)


def _slowest(
    program: Elaborated, schedule: Schedule, tables: Tables, found: Explored
) -> tuple[Slowest | None, str]:
    if found.latest is None:
        if any(count is None for count in found.reach.connected):
            return None, "receptive fields are bounds: the call decides, or they take too long"
        if found.reach.connected[-1] == found.reach.n:
            return None, "positions depend only on themselves"
        return None, "the place was not found within the budget"
    try:
        return slowest(program, schedule, tables, found.latest), ""
    except InputError:
        return None, "its path asks what the call decides"
    except (UnknownError, BudgetError, EffortError):
        return None, "its path takes draws or formulas that are too much at this length"


def _unheard(
    schedule: Schedule, tables: Tables, found: Explored, layers: int
) -> tuple[int, int] | None:
    if found.lacking is None:
        return None
    try:
        return unheard(schedule, tables, found.lacking, layers, found.reach.causal)
    except (UnknownError, BudgetError, EffortError, InputError):
        return None


def _unmet(schedule: Schedule, tables: Tables) -> tuple[Unattended, ...]:
    """Of the rows of the tokens; equal layers once."""
    found: dict[tuple[Relation, ...], Unattended] = {}
    told = []
    for heads, own in zip(schedule, tables, strict=True):
        tokens = tuple(heads[: len(own)])
        if tokens not in found:
            found[tokens] = unattended(tokens, own)
        told.append(found[tokens])
    return tuple(told)


def _growth(schedule: Schedule) -> ClosedFormReach | None:
    if len({tuple(heads) for heads in schedule}) > 1:
        return None
    try:
        return growth(schedule[0], operations=OPERATIONS)
    except ValueError:
        return None
