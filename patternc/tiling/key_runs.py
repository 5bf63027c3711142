"""The keys of a row as runs: closed-form intervals over rows, for every n."""

from __future__ import annotations

from functools import lru_cache

from patternc.algebra import simplify
from patternc.algebra.intervals import Interval
from patternc.algebra.isl_context import BudgetError, KeyCount, budget
from patternc.algebra.isl_loops import loops_of
from patternc.algebra.isl_sets import basic_parts, pairs, universe
from patternc.ir.formula import Condition


@lru_cache(maxsize=1024)
def key_runs(formula: Condition, keys: KeyCount = "n") -> tuple[Interval, ...] | None:
    """Disjoint runs over the keys of a row, for every n; None beyond the budget."""
    if formula == simplify.FALSE:
        return ()
    try:
        with budget():
            plane = pairs(formula) & universe(keys)
            return tuple(run for part in basic_parts(plane) for run in loops_of(part))
    except BudgetError:
        return None
