"""Keys that later rows still need: the cache of a decoder after n tokens.

Maps the relations of the heads that share a cache to which of n keys, or of the pages that hold
them, some row from n on sees. A window keeps its keys, sinks stay, strided columns keep everything.
Where tables choose among the keys of a formula, and where unions are too large for integer sets,
this is a bound; where the formula asks for n, every key is kept. Which row is the last one that
reads a key is in `last_reader`. Does not handle eviction policies or slots of other sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from patternc.algebra.eliminate_floors import straightened
from patternc.algebra.evaluate import Integers, evaluate, holds
from patternc.algebra.filtered_intervals import count
from patternc.algebra.intervals import Interval, Sizes, filter_of, values_of_row
from patternc.algebra.isl_context import BudgetError, budget, context
from patternc.algebra.isl_loops import loops_of
from patternc.algebra.isl_sets import TileSet, basic_parts, in_pages, period_and_start, text_of
from patternc.algebra.simplify import TRUE
from patternc.analysis.cost.pair_sets import Plane
from patternc.analysis.cost.quasi_polynomial import MOST_ROWS, UncountedError, continued
from patternc.frozen import frozen
from patternc.ir.formula import Condition
from patternc.ir.sources import TOKENS
from patternc.relation.relation import Relation

# About 0.2 s.
OPERATIONS = 200_000
# Keys listed one by one.
MOST_LISTED = 1 << 20


@frozen
class Readers:
    """Rows that read keys by any of the `formulas`: those before `end`, None: without end.

    Keys are counted in pages of `page` keys; `chosen` says that tables choose among the pairs.
    """

    formulas: tuple[Condition, ...]
    page: int = 1
    end: int | None = None
    chosen: bool = False

    @property
    def grows(self) -> bool:
        """Whether the keys of a row do not depend on how many tokens there are."""
        return all(Plane(formula).grows for formula in self.formulas)

    def alone(self) -> list[Readers]:
        """The same by one formula at a time."""
        return [replace(self, formulas=(formula,)) for formula in self.formulas]

    def pages(self, n: int) -> int:
        """Of n keys."""
        return -(-n // self.page)


def readers(relations: Sequence[Relation], page: int = 1, end: int | None = None) -> Readers:
    """The rows of the tokens in any of the relations."""
    branches = [branch for relation in relations for branch in relation.branches]
    chosen = any(branch.conjuncts for branch in branches if branch.source == TOKENS)
    return Readers(tuple(dict.fromkeys(_every_formula(relations))), page, end, chosen)


def is_causal(relations: Sequence[Relation]) -> bool:
    """Whether surely no row sees a later token."""
    return all(looks_back(formula) for formula in _every_formula(relations))


def kept_keys(relations: Sequence[Relation], n: int) -> int:
    """The tokens among n that a row from n on may see, in any of the relations."""
    return kept_pages(readers(relations), n).count


@frozen
class Kept:
    """How many keys or pages; where not `exact`, at most so many."""

    count: int
    exact: bool


def kept_pages(asked: Readers, n: int) -> Kept:
    """How many pages hold a key, among n, that a row from n on may see."""
    exact = asked.grows and not asked.chosen
    alone = [_at_most(one, n) for one in asked.alone()]
    most = max((one.count for one in alone), default=0)
    if len(alone) < 2 or most == asked.pages(n):
        known = any(one.exact and one.count == most for one in alone)
        return Kept(most, exact and (known or not alone))
    total = sum(one.count for one in alone)
    try:
        if total <= MOST_LISTED:
            return Kept(len(_union(asked, n)), exact)
        return Kept(min(_kept(asked, n), asked.pages(n)), exact)
    except UncountedError:
        return Kept(min(total, asked.pages(n)), False)


def live_ranges(asked: Readers, n: int) -> tuple[range, ...]:
    """The pages of `kept_pages`, ascending within a range and none twice.

    Raises `UncountedError` where they are in no few ranges.
    """
    if not asked.grows:
        return (range(asked.pages(n)),)
    runs = _runs(asked, n)
    if all(filter_of(run) == TRUE for run in runs):
        return tuple(filter(None, (_range(run, n) for run in runs)))
    if sum(_at_most(one, n).count for one in asked.alone()) > MOST_LISTED:
        raise UncountedError
    return _as_ranges(_union(asked, n))


def _range(run: Interval, n: int) -> range:
    """The values of a run without a filter, at row 0."""
    if not holds(run.guard, {"i": 0, "n": n, "m": 0}):
        return range(0)
    start, stop = (int(evaluate(end, {"i": 0, "n": n, "m": 0})) for end in (run.start, run.stop))
    return range(start, stop, run.step)


def _as_ranges(values: Integers) -> tuple[range, ...]:
    """Runs of consecutive values."""
    parts = np.split(values, np.flatnonzero(np.diff(values) != 1) + 1)
    return tuple(range(int(part[0]), int(part[-1]) + 1) for part in parts if len(part))


def _union(asked: Readers, n: int) -> Integers:
    """The pages of all formulas, once each."""
    return np.unique(np.concatenate([_listed(one, n) for one in asked.alone()]))


def _listed(asked: Readers, n: int) -> Integers:
    """The pages one by one."""
    found = [values_of_row(run, 0, Sizes(n, 0)) for run in _runs(asked, n)]
    return np.concatenate([np.zeros(0, np.int64), *found])


def _at_most(asked: Readers, n: int) -> Kept:
    try:
        return Kept(_kept(asked, n), True)
    except UncountedError:
        return Kept(asked.pages(n), False)


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
def _kept(asked: Readers, n: int) -> int:
    if not asked.grows:
        return asked.pages(n)
    runs = _runs(asked, n)
    if n <= MOST_ROWS or all(filter_of(run) == TRUE for run in runs):
        return _counted(runs, n)
    try:
        with budget(OPERATIONS):
            period, start = period_and_start(_seen(asked))
    except BudgetError as error:
        raise UncountedError from error
    if start + 3 * period > MOST_ROWS:
        raise UncountedError
    return continued(n, start, period, lambda at: _counted(_runs(asked, at), at))


@lru_cache(maxsize=1024)
def _runs(asked: Readers, n: int) -> tuple[Interval, ...]:
    """The pages at one length, as runs of row 0: they are plainer than those for every n."""
    try:
        with budget(OPERATIONS):
            parts = basic_parts(_seen(asked, f"n = {n}"))
            return tuple(run for part in parts for run in loops_of(part))
    except BudgetError as error:
        raise UncountedError from error


def _seen(asked: Readers, lengths: str = "true") -> TileSet:
    """{ [0, p] } of the pages of keys before n that rows from n on see."""
    held = " or ".join(f"({text_of(straightened(formula))})" for formula in asked.formulas)
    before = "" if asked.end is None else f"i < {asked.end} and "
    row = f"exists (i : i >= n and {before}({held or 'false'}))"
    seen = TileSet(
        f"[n, m] -> {{ [a, j] : {lengths} and a = 0 and 0 <= j < n and {row} }}", context()
    )
    return in_pages(seen, asked.page).coalesce()


def _counted(runs: tuple[Interval, ...], n: int) -> int:
    return sum(count(run, np.zeros(1, np.int64), Sizes(n, 0)) for run in runs)
