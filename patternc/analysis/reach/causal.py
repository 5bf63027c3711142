"""Whether a schedule is non-causal: which pairs it is permitted to connect.

Decides whether the edges of a query are causal at its length. Known tables are looked up where that
is cheap; others are taken to hold whatever their formula allows. Warnings are in `lint`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from patternc.algebra.atoms import Within
from patternc.algebra.evaluate import Values, holds
from patternc.algebra.isl_context import BudgetError
from patternc.algebra.work_budget import EffortError
from patternc.analysis.reach import isl_engine
from patternc.analysis.reach.edges import Edge
from patternc.analysis.reach.key_ranges import ranges_of
from patternc.analysis.reach.query import ReachQuery
from patternc.analysis.table_pairs import UnknownError
from patternc.ir.formula import All, Any, Compare, Condition, Variable
from patternc.ir.sources import TOKENS

_ROWS, _AHEAD = 512, 64


def is_causal(question: ReachQuery) -> bool:
    """Whether no layer leads from a position to a later one."""
    edges = (edge for step in question.steps for edge in step)
    every = dict.fromkeys(edge for edge in edges if edge.rows == TOKENS)
    unsettled = [edge for edge in every if not _is_written(edge)]
    formulas = [edge for edge in unsettled if not edge.literals]
    if any(_shows_ahead(edge, question.n) for edge in formulas):
        return False
    return not _any_ahead(question, formulas) and not _any_ahead(
        question, [edge for edge in unsettled if edge.literals]
    )


def _is_written(edge: Edge) -> bool:
    """Whether the text alone says that no pair leads ahead: of spans, that they have ended."""
    ended = any(
        literal.positive
        and isinstance(literal.atom, Within)
        and literal.atom.table.kind in ("past", "ended")
        for literal in edge.literals
    )
    return ended or (edge.source == TOKENS and _holds_back(edge.formula))


def _holds_back(formula: Condition) -> bool:
    """Whether `j <= i` is written in every case of the formula."""
    match formula:
        case All(items):
            return any(map(_holds_back, items))
        case Any(items):
            return all(map(_holds_back, items))
        case _:
            return formula == Compare("<=", Variable("j"), Variable("i"))


def _shows_ahead(edge: Edge, n: int) -> bool:
    """Whether one of the first rows sees a key soon after it."""
    if edge.source != TOKENS:
        return False
    rows, ahead = np.arange(min(n, _ROWS))[:, None], np.arange(1, _AHEAD)
    values: Values = {"i": rows, "j": rows + ahead, "n": n}
    try:
        return bool((np.asarray(holds(edge.formula, values)) & (rows + ahead < n)).any())
    except EffortError:
        return False


def _any_ahead(question: ReachQuery, edges: Sequence[Edge]) -> bool:
    """Whether an edge leads ahead; where nothing can tell, one is taken to."""
    looked_up = question.fits_bits and any(edge.literals for edge in edges)
    for decide in (_by_tables, _by_sets) if looked_up else (_by_sets, _by_tables):
        try:
            return decide(question, edges)
        except (BudgetError, UnknownError):
            continue
    return True


def _by_sets(question: ReachQuery, edges: Sequence[Edge]) -> bool:
    """Of whatever formulas allow. Raises `BudgetError`."""
    step = isl_engine.step_of(edges, question.n, question.operations)
    return isl_engine.looks_ahead([step], question.n, question.operations)


def _by_tables(question: ReachQuery, edges: Sequence[Edge]) -> bool:
    """Of the pairs that there are. Raises `UnknownError` where they are too many."""
    if not question.fits_bits:
        raise UnknownError
    return any(
        (ranges.stop - 1 > ranges.row).any()
        for layer, step in enumerate(question.steps)
        for edge in step
        if edge in edges and edge.source == TOKENS
        for ranges in ranges_of(edge, edge.asked_of(question.tables_of(layer)))
    ) or any(edge.source != TOKENS for edge in edges)
