"""Keys that later rows still need: the cache of a decoder after n tokens.

Maps the relations of the heads that share a key head to how many of n keys some row from n on sees.
A window keeps its keys, sinks stay, strided columns keep everything. Where only tables tell, or the
formula asks for n, every key is kept; unions too large for integer sets are a bound. Does not
handle eviction policies or slots of other sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from patternc.algebra.evaluate import Integers
from patternc.algebra.filtered_intervals import count
from patternc.algebra.intervals import Interval, Sizes, filter_of, values_of_row
from patternc.algebra.isl_context import BudgetError, budget, context
from patternc.algebra.isl_loops import loops_of
from patternc.algebra.isl_sets import TileSet, basic_parts, period_and_start, text_of
from patternc.algebra.simplify import TRUE
from patternc.analysis.cost.eliminate_floors import straightened
from patternc.analysis.cost.pair_sets import Plane
from patternc.analysis.cost.quasi_polynomial import MOST_ROWS, UncountedError, continued
from patternc.ir.formula import Condition
from patternc.ir.sources import TOKENS
from patternc.relation.relation import Relation

# About 0.2 s.
OPERATIONS = 200_000
# Keys listed one by one.
MOST_LISTED = 1 << 20


def is_causal(relations: Sequence[Relation]) -> bool:
    """Whether surely no row sees a later token."""
    return all(looks_back(formula) for formula in _every_formula(relations))


def kept_keys(relations: Sequence[Relation], n: int) -> int:
    """The tokens among n that a row from n on may see, in any of the relations."""
    formulas = tuple(dict.fromkeys(_every_formula(relations)))
    alone = [_at_most(formula, n) for formula in formulas]
    if len(formulas) < 2 or n in alone:
        return max(alone, default=0)
    try:
        if sum(alone) <= MOST_LISTED:
            return len(np.unique(np.concatenate([_listed(formula, n) for formula in formulas])))
        return min(_kept(formulas, n), n)
    except UncountedError:
        return min(sum(alone), n)


def _listed(formula: Condition, n: int) -> Integers:
    """The keys of one formula one by one."""
    found = [values_of_row(run, 0, Sizes(n, 0)) for run in _runs((formula,), n)]
    return np.concatenate([np.zeros(0, np.int64), *found])


def _at_most(formula: Condition, n: int) -> int:
    try:
        return _kept((formula,), n)
    except UncountedError:
        return n


def _every_formula(relations: Sequence[Relation]) -> Iterator[Condition]:
    """Formulas on the tokens, and those that bound what tables hold."""
    for relation in relations:
        for branch in relation.branches:
            if branch.source == TOKENS:
                yield branch.formula
                yield from (conjunct.formula for conjunct in branch.conjuncts)


@lru_cache(maxsize=1024)
def looks_back(formula: Condition) -> bool:
    try:
        with budget():
            ahead = TileSet("[n, m] -> { [i, j] : j > i }", context())
            return bool((Plane(formula).at_lengths() & ahead).is_empty())
    except BudgetError:
        return False


@lru_cache(maxsize=256)
def _kept(formulas: tuple[Condition, ...], n: int) -> int:
    if not all(Plane(formula).grows for formula in formulas):
        return n
    runs = _runs(formulas, n)
    if n <= MOST_ROWS or all(filter_of(run) == TRUE for run in runs):
        return _counted(runs, n)
    try:
        with budget(OPERATIONS):
            period, start = period_and_start(_seen(formulas))
    except BudgetError as error:
        raise UncountedError from error
    if start + 3 * period > MOST_ROWS:
        raise UncountedError
    return continued(n, start, period, lambda at: _counted(_runs(formulas, at), at))


@lru_cache(maxsize=1024)
def _runs(formulas: tuple[Condition, ...], n: int) -> tuple[Interval, ...]:
    """The keys at one length, as runs of row 0: they are plainer than those for every n."""
    try:
        with budget(OPERATIONS):
            parts = basic_parts(_seen(formulas, f"n = {n}"))
            return tuple(run for part in parts for run in loops_of(part))
    except BudgetError as error:
        raise UncountedError from error


def _seen(formulas: tuple[Condition, ...], lengths: str = "true") -> TileSet:
    """{ [0, j] } of the keys before n that rows from n on see."""
    held = " or ".join(f"({text_of(straightened(formula))})" for formula in formulas)
    row = f"exists (i : i >= n and ({held or 'false'}))"
    seen = f"{lengths} and a = 0 and 0 <= j < n and {row}"
    return TileSet(f"[n, m] -> {{ [a, j] : {seen} }}", context()).coalesce()


def _counted(runs: tuple[Interval, ...], n: int) -> int:
    return sum(count(run, np.zeros(1, np.int64), Sizes(n, 0)) for run in runs)
