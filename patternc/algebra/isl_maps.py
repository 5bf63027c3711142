"""Integer maps: pairs of positions at one length, to be composed exactly (islpy).

Maps atom-free conditions to isl maps { [i] -> [j] } with n and m put in, and to facts about them.
Shares the context and the budgets of the integer sets; every call may raise `BudgetError` inside
one. Source: Verdoolaege, "isl: An Integer Set Library", 2010; Verdoolaege, Cohen and Beletska,
"Transitive Closures of Affine Integer Tuple Relations", 2011. Does not handle tables, and does not
know what maps are used for.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import TypeAlias

import islpy as isl

from patternc.algebra import simplify
from patternc.algebra.intervals import Interval
from patternc.algebra.isl_context import KeyCount, context
from patternc.algebra.isl_loops import condition_of, loops_of
from patternc.algebra.isl_sets import basic_parts, text_of
from patternc.ir.formula import Condition, Variable

Map: TypeAlias = isl.Map
Positions: TypeAlias = isl.Set
Runs: TypeAlias = tuple[Interval, ...]


def written(body: str) -> Map:
    """A map from isl's notation, `[i] -> [j] : ..`; n and m are parameters and go."""
    return isl.Map(f"[n, m] -> {{ {body} }}", context()).project_out_all_params()


def held(condition: Condition, n: int, m: int, keys: KeyCount = "n") -> Map:
    """The pairs of a condition: rows 0 <= i < n and slots 0 <= j < n (or m)."""
    sizes = f"n = {n} and m = {m} and 0 <= i < n and 0 <= j < {keys}"
    return written(f"[i] -> [j] : {sizes} and ({text_of(condition)})")


def identity(n: int) -> Map:
    return written(f"[i] -> [i] : 0 <= i < {n}")


def everything(n: int) -> Map:
    return written(f"[i] -> [j] : 0 <= i < {n} and 0 <= j < {n}")


def below(n: int) -> Positions:
    """The set of the first n positions."""
    return identity(n).domain()


def past(n: int) -> Map:
    return written(f"[i] -> [j] : 0 <= j <= i < {n}")


def nothing() -> Map:
    return written("[i] -> [j] : false")


def gaps(pairs: Map) -> Map:
    """Positions between two of a row's keys that are not among its keys."""
    later, earlier = written("[j] -> [k] : k > j"), written("[j] -> [k] : k < j")
    return pairs.apply_range(later).intersect(pairs.apply_range(earlier)).subtract(pairs)


def distances(pairs: Map) -> tuple[int, int] | None:
    """The smallest and the largest j - i; None without a pair."""
    if pairs.is_empty():
        return None
    deltas = pairs.deltas()
    return int(deltas.dim_min_val(0).to_python()), int(deltas.dim_max_val(0).to_python())


def parts(pairs: Map) -> list[Map]:
    """Disjoint convex parts."""
    every = pairs.make_disjoint().get_basic_maps()
    return [isl.Map.from_basic_map(part) for part in every]


def runs_of(part: Map) -> tuple[Interval, ...]:
    """Disjoint runs over the keys of a row, for a convex part."""
    plane = isl.Set("[n, m] -> { [i, j] }", context()) & part.wrap().flatten()
    return loops_of(plane, rows_of="m")


def interval_runs(part: Map) -> tuple[Interval, ...] | None:
    """One run without a filter for each row; None where the keys of a row have gaps."""
    if not gaps(part).is_empty():
        return None
    firsts, lasts = (
        [run for piece in parts(side) for run in runs_of(piece)]
        for side in (part.lexmin(), part.lexmax())
    )
    return tuple(
        Interval(simplify.conjunction([first.guard, last.guard]), first.start, last.stop)
        for first in firsts
        for last in lasts
    )


def rows_of(pairs: Map) -> Map:
    """The rows that have a key, as keys of a single row 0."""
    return written("[a] -> [i] : a = 0").intersect_range(pairs.domain())


def diagonal_of(positions: isl.Set) -> Map:
    """{ [i] -> [i] } of some positions."""
    return positions.identity()


def power(pairs: Map) -> tuple[Map, bool]:
    """{ [k] -> [[i] -> [j]] }, the k-th powers for k >= 1, and whether they are exact."""
    powers, exact = pairs.power()
    return powers, bool(exact)


def divisions(pairs: Map) -> tuple[int, int]:
    """Basic maps, and the floor divisions in all of them."""
    parts = pairs.get_basic_maps()
    return len(parts), sum(part.dim(isl.dim_type.div) for part in parts)


def single(position: int) -> isl.Set:
    """The set of one position."""
    return written(f"[i] -> [i] : i = {position}").domain()


def united(items: Iterable[Map]) -> Map:
    return reduce(lambda left, right: left.union(right), items, nothing())


DIAGONAL = simplify.compare(Variable("i"), "==", Variable("j"))


# --- for every n ------------------------------------------------------------------------------


def symbolic(condition: Condition, keys: KeyCount = "n") -> Map:
    """The pairs of a condition, n and m parameters."""
    body = f"0 <= i < n and 0 <= j < {keys} and ({text_of(condition)})"
    return isl.Map(f"[n, m] -> {{ [i] -> [j] : {body} }}", context())


def plane(keys: KeyCount = "n") -> Map:
    """All pairs, n and m parameters."""
    return symbolic(simplify.TRUE, keys)


def at_lengths(pairs: Map, when: Condition, least: int, greatest: int) -> Map:
    """The pairs of a map with parameters, for these n only."""
    inside = f"{least} <= n <= {greatest} and ({text_of(when)})"
    return pairs.intersect_params(isl.Set(f"[n, m] -> {{ : {inside} }}", context()))


def first_length(when: Condition, least: int, greatest: int) -> int | None:
    """The smallest n of these for which a condition on n holds."""
    inside = f"{least} <= n <= {greatest} and ({text_of(when)})"
    smallest = isl.Set(f"{{ [n] : {inside} }}", context()).lexmin()
    return None if smallest.is_empty() else int(smallest.dim_min_val(0).to_python())


def first(pairs: Map) -> tuple[int, int, int]:
    """The smallest n with a pair of a map with parameters, and its first i and j."""
    triples = isl.Set("[n, m] -> { [i, j] }", context()) & pairs.wrap().flatten()
    triples = triples.move_dims(isl.dim_type.set, 0, isl.dim_type.param, 0, 1)
    smallest = triples.project_out_all_params().lexmin()
    n, i, j = (int(smallest.dim_min_val(place).to_python()) for place in range(3))
    return n, i, j


def holds_at(pairs: Map, n: int, query: int, key: int) -> bool:
    """Whether a map with parameters holds a pair at some m."""
    point = f"[n, m] -> {{ [i] -> [j] : n = {n} and i = {query} and j = {key} }}"
    return not pairs.intersect(isl.Map(point, context())).is_empty()


def condition_of_powers(powers: Map) -> Condition:
    """What `power` gives, as a condition on i, j and n, with m for k; 0 <= i, j < n is known."""
    triples = isl.Set("[n, m] -> { [k, i, j] }", context()) & powers.wrap().flatten()
    plane = triples & isl.Set("[n, m] -> { [k, i, j] : k = m }", context())
    return _condition(plane.project_out(isl.dim_type.set, 0, 1), "m > 0")


def condition_of_pairs(pairs: Map) -> Condition:
    """The same for the pairs of one map with parameters."""
    plane = isl.Set("[n, m] -> { [i, j] }", context()) & pairs.wrap().flatten()
    return _condition(plane, "true")


def _condition(plane: isl.Set, known: str) -> Condition:
    inside = f"0 <= i < n and 0 <= j < n and {known}"
    context_set = isl.Set(f"[n, m] -> {{ [i, j] : {inside} }}", context())
    return condition_of(plane.gist(context_set).coalesce())


def last_values(held: str, page: int = 1, end: int | None = None) -> tuple[Runs, Condition]:
    """For every j >= 0 the greatest i >= 0 with a pair of `held`, isl's text of a condition.

    As runs of one value, which name j i; and the j that have no greatest one. With `page`, for the
    pages of so many j; with `end`, of the i below it.
    """
    before = "" if end is None else f"i < {end} and "
    plane = isl.Set(f"[n, m] -> {{ [j, i] : 0 <= j and 0 <= i and {before}({held}) }}", context())
    pages = isl.Map(
        f"[n, m] -> {{ [j, i] -> [[p] -> [i]] : {page}p <= j < {page}p + {page} }}", context()
    )
    pairs = plane.apply(pages).coalesce().unwrap()
    behind = isl.Map("[n, m] -> { [i] -> [k] : 0 <= k < i }", context())
    every = isl.Map("[n, m] -> { [j] -> [k] : j >= 0 and k >= 0 }", context())
    settled = every.subtract(pairs.apply_range(behind)).domain().coalesce()
    lasts = pairs.intersect_domain(settled).coalesce().lexmax().coalesce()
    plain = isl.Set("[n, m] -> { [i, j] }", context()) & lasts.wrap().flatten()
    runs = tuple(run for part in basic_parts(plain) for run in loops_of(part))
    every_key = isl.Set("[n, m] -> { [j] : j >= 0 }", context())
    endless = pairs.domain().subtract(settled).coalesce().gist(every_key)
    return runs, condition_of(endless.insert_dims(isl.dim_type.set, 1, 1))
