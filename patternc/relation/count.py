"""Counting pairs exactly at a given n, without a mask.

From a branch to integers: integer sets list each row's keys as runs, whose lengths add up; pairs
that only tables hold are counted entry by entry. Time grows with n and the listed entries.
Non-goals: closed forms in n.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from patternc.language.formula import Condition
from patternc.relation import fold
from patternc.relation.integer_sets import (
    BudgetError,
    KeyCount,
    basic_parts,
    budget,
    loops_of,
    pairs,
    universe,
)
from patternc.relation.relation import Branch, Relation
from patternc.relation.runs import Run, count
from patternc.relation.tables import HeadTables, Tables

CELLS = 1 << 22


def pairs_with_multiplicity(relation: Relation, tables: HeadTables) -> int:
    """The sum of mu over all pairs of one head."""
    return sum(
        branch.multiplicity * pairs_of(branch, tables.of(branch.source))
        for branch in relation.branches
    )


def pairs_of(branch: Branch, tables: Tables) -> int:
    """Pairs of one branch at the tables' n."""
    runs = None if branch.conjuncts else key_runs(branch.formula, branch.keys)
    if runs is None:
        return _count_densely(branch.predicate, tables)
    rows = np.arange(tables.n)
    return sum(count(run, rows, tables.sizes) for run in runs)


@lru_cache(maxsize=1024)
def key_runs(formula: Condition, keys: KeyCount = "n") -> tuple[Run, ...] | None:
    """Disjoint runs over the keys of a row, for every n; None beyond the budget."""
    if formula == fold.FALSE:
        return ()
    try:
        with budget():
            plane = pairs(formula) & universe(keys)
            return tuple(run for part in basic_parts(plane) for run in loops_of(part))
    except BudgetError:
        return None


def _count_densely(predicate: Condition, tables: Tables) -> int:
    """A chunk of rows at a time against all keys."""
    (n, m), total = tables.sizes, 0
    height = max(1, CELLS // max(m, 1))
    keys = np.arange(m)[None, :]
    for first in range(0, n, height):
        rows = np.arange(first, min(first + height, n))[:, None]
        held = tables.holds(predicate, {"i": rows, "j": keys})
        total += int(np.broadcast_to(held, (len(rows), m)).sum())
    return total
