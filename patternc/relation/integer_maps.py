"""Integer maps: pairs of positions at one length, to be composed exactly (islpy).

From atom-free conditions to isl maps { [i] -> [j] } with n and m put in, and to facts about them.
Shares the context and the budgets of the integer sets; every call may raise `BudgetError` inside
one. Source: Verdoolaege, "isl: An Integer Set Library", 2010; Verdoolaege, Cohen and Beletska,
"Transitive Closures of Affine Integer Tuple Relations", 2011. Non-goals: tables, what maps are for.
"""

from __future__ import annotations

from typing import TypeAlias

import islpy as isl

from patternc.language.formula import Condition
from patternc.relation import fold
from patternc.relation.integer_sets import KeyCount, context, loops_of
from patternc.relation.runs import Run
from patternc.relation.text import PLAIN

Map: TypeAlias = isl.Map


def written(body: str) -> Map:
    """A map from isl's notation, `[i] -> [j] : ..`; n and m are parameters and go."""
    return isl.Map(f"[n, m] -> {{ {body} }}", context()).project_out_all_params()


def held(condition: Condition, n: int, m: int, keys: KeyCount = "n") -> Map:
    """The pairs of a condition: rows 0 <= i < n and slots 0 <= j < n (or m)."""
    sizes = f"n = {n} and m = {m} and 0 <= i < n and 0 <= j < {keys}"
    return written(f"[i] -> [j] : {sizes} and ({PLAIN.condition(condition)})")


def identity(n: int) -> Map:
    return written(f"[i] -> [i] : 0 <= i < {n}")


def everything(n: int) -> Map:
    return written(f"[i] -> [j] : 0 <= i < {n} and 0 <= j < {n}")


def past(n: int) -> Map:
    return written(f"[i] -> [j] : 0 <= j <= i < {n}")


def nothing() -> Map:
    return written("[i] -> [j] : false")


def gaps(pairs: Map) -> Map:
    """Positions between two of a row's keys that are not among its keys."""
    later, earlier = written("[j] -> [k] : k > j"), written("[j] -> [k] : k < j")
    return pairs.apply_range(later).intersect(pairs.apply_range(earlier)).subtract(pairs)


def distances(pairs: Map) -> tuple[int, int] | None:
    """The least and the greatest j - i; None without a pair."""
    if pairs.is_empty():
        return None
    deltas = pairs.deltas()
    return int(deltas.dim_min_val(0).to_python()), int(deltas.dim_max_val(0).to_python())


def parts(pairs: Map) -> list[Map]:
    """Disjoint convex parts."""
    every = pairs.make_disjoint().get_basic_maps()
    return [isl.Map.from_basic_map(part) for part in every]


def runs_of(part: Map) -> tuple[Run, ...]:
    """Disjoint runs over the keys of a row, for a convex part."""
    plane = isl.Set("[n, m] -> { [i, j] }", context()) & part.wrap().flatten()
    return loops_of(plane, rows_of="m")


def interval_runs(part: Map) -> tuple[Run, ...] | None:
    """One run without a filter for each row; None where the keys of a row have gaps."""
    if not gaps(part).is_empty():
        return None
    firsts, lasts = (
        [run for piece in parts(side) for run in runs_of(piece)]
        for side in (part.lexmin(), part.lexmax())
    )
    return tuple(
        Run(fold.conjunction([first.guard, last.guard]), first.start, last.stop)
        for first in firsts
        for last in lasts
    )


def rows_of(pairs: Map) -> Map:
    """The rows that have a key, as keys of a single row 0."""
    return written("[a] -> [i] : a = 0").intersect_range(pairs.domain())


def power(pairs: Map) -> tuple[Map, bool]:
    """{ [k] -> [[i] -> [j]] }, the k-th powers for k >= 1, and whether they are exact."""
    powers, exact = pairs.power()
    return powers, bool(exact)


def single(position: int) -> isl.Set:
    """The set of one position."""
    return written(f"[i] -> [i] : i = {position}").domain()
