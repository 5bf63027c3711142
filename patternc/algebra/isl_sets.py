"""Integer sets: conditions on i, j and n as exact relations for every n (islpy).

Maps atom-free conditions to isl sets (Verdoolaege, "isl: An Integer Set Library", 2010);
`isl_loops` maps sets back to formulas. Every call runs under the budget of `isl_context`. Does not
handle tables, and does not know what sets are used for.
"""

from __future__ import annotations

from functools import lru_cache
from math import lcm

import islpy as isl

from patternc.algebra.isl_budget import is_tangled
from patternc.algebra.isl_context import (
    BudgetError,
    KeyCount,
    budget,
    context,
    lower_budget,
    separate_context,
)
from patternc.algebra.isl_loops import loops_of
from patternc.algebra.printer import PLAIN
from patternc.ir.formula import (
    Condition,
)

# For conditions in which divisions of unlike numbers meet: they take about 1 s.
TANGLED_BUDGET = 30_000
# With more divisions than these an operation takes 25 times as long, and the budget a minute.
MOST_DIVISIONS = 160
# With more than these, a hundred times past its first operations.
MANY_DIVISIONS = 60
DIVIDED_BUDGET = 50_000
# With so many in convex parts on both sides of a difference, 100,000 operations take half a second,
# 200,000 three, and the budget hours: residues of segments that no tile fits, for example.
FLOORS_OF_PART, CROSSED_BUDGET = 3, 100_000
# A difference of so many pairs of convex parts runs out of any budget, in seconds.
MANY_PARTS, PARTS_BUDGET = 128, 300_000
TileSet = isl.Set


def text_of(condition: Condition) -> str:
    """The condition as isl reads it. Raises `BudgetError` where its sets grow beyond all bounds."""
    if is_tangled(condition):
        if not _is_workable(condition):
            raise BudgetError("divisions of unlike numbers meet in this relation")
        lower_budget(2 * TANGLED_BUDGET)
    return PLAIN.condition(condition)


@lru_cache(maxsize=4096)
def _is_workable(condition: Condition) -> bool:
    """Whether a small budget suffices for the tiles of one shape: then it does for others too."""
    try:
        with separate_context(), budget(TANGLED_BUDGET):
            plane = _plane(PLAIN.condition(condition))
            for part in _tiles_of(plane, 128, 64, "0 <= i < n", "n"):
                loops_of(part, 128)
            return True
    except BudgetError:
        return False


def pairs(condition: Condition) -> isl.Set:
    """{ [i, j] : condition } on the infinite plane, n a parameter."""
    return _plane(text_of(condition))


def _plane(text: str) -> isl.Set:
    return isl.Set(f"[n, m] -> {{ [i, j] : {text} }}", context())


def universe(keys: KeyCount = "n") -> isl.Set:
    """The pairs of n query positions with n tokens, or with the m slots of another source."""
    return isl.Set(f"[n, m] -> {{ [i, j] : 0 <= i < n and 0 <= j < {keys} }}", context())


def without_slots(plane: isl.Set) -> isl.Set:
    """{ [i, j] } of n alone, where the condition says what m is."""
    whole = isl.Set("[n, m] -> { [i, j] }", context())
    return whole & plane.project_out(isl.dim_type.param, 1, 1)


def touched_tiles(pairs: isl.Set, query_tile: int, key_tile: int) -> isl.Set:
    """{ [a, b] } of the tiles that hold a pair."""
    text = (
        f"[n, m] -> {{ [i, j] -> [a, b] : {query_tile}a <= i < {query_tile}a + {query_tile}"
        f" and {key_tile}b <= j < {key_tile}b + {key_tile} }}"
    )
    return pairs.apply(isl.Map(text, context()))


def in_pages(keys: isl.Set, page: int) -> isl.Set:
    """{ [a, p] } of the pages, of `page` keys each, that hold a key of { [a, j] }."""
    return keys if page == 1 else touched_tiles(keys, 1, page)


def tiles(
    condition: Condition,
    query_tile: int,
    key_tile: int,
    rows_beyond_n: bool = False,
    keys: KeyCount = "n",
) -> tuple[isl.Set, isl.Set]:
    """The full and the partial tiles { [a, b] } of a condition.

    The complement is taken with j unbounded, and key tiles that `keys` cuts are partial: fewer
    cases. With `rows_beyond_n` a full tile is full for the rows past n too: fewer still.
    """
    rows = "0 <= i" if rows_beyond_n else "0 <= i < n"
    return _tiles_of(pairs(condition), query_tile, key_tile, rows, keys)


def _tiles_of(
    plane: isl.Set, query_tile: int, key_tile: int, rows: str, keys: KeyCount
) -> tuple[isl.Set, isl.Set]:
    touched = touched_tiles(plane & universe(keys), query_tile, key_tile).coalesce()
    outside = isl.Set(f"[n, m] -> {{ [i, j] : {rows} and j >= 0 }}", context()) - plane
    spoiled = touched_tiles(outside, query_tile, key_tile)
    divisions = _divisions(touched) + _divisions(spoiled)
    if divisions > MOST_DIVISIONS:
        raise BudgetError("the tiles of this relation have too many divisions")
    if divisions > MANY_DIVISIONS:
        lower_budget(DIVIDED_BUDGET)
    if min(_most_floors(touched), _most_floors(spoiled)) >= FLOORS_OF_PART:
        lower_budget(CROSSED_BUDGET)
    if touched.n_basic_set() * spoiled.n_basic_set() > MANY_PARTS:
        lower_budget(PARTS_BUDGET)
    cut = isl.Set(f"[n, m] -> {{ [a, b] : {key_tile}b + {key_tile} > {keys} }}", context())
    full = (touched - spoiled - cut).coalesce()
    return full, (touched - full).coalesce()


def _divisions(plane: isl.Set) -> int:
    """How many floors the convex parts of a set refer to."""
    return sum(part.dim(isl.dim_type.div) for part in plane.get_basic_sets())


def _most_floors(plane: isl.Set) -> int:
    """Of one convex part."""
    return max((part.dim(isl.dim_type.div) for part in plane.get_basic_sets()), default=0)


def implies(condition: Condition, other: Condition) -> bool:
    """Do all pairs with a key from position 0 on that satisfy `condition` satisfy `other`?"""
    half = isl.Set("[n, m] -> { [i, j] : j >= 0 }", context())
    return bool((pairs(condition) & half).is_subset(pairs(other)))


def excludes(condition: Condition, other: Condition) -> bool:
    """Do the two conditions share no pair on the plane?"""
    return bool((pairs(condition) & pairs(other)).is_empty())


def some_pair(condition: Condition) -> tuple[int, int] | None:
    """One pair of tokens that satisfies the condition at some n; None if there is none."""
    point = (pairs(condition) & universe()).sample_point()
    if point.is_void():
        return None
    i, j = (point.get_coordinate_val(isl.dim_type.set, axis).to_python() for axis in (0, 1))
    return i, j


def of_members(condition: Condition, member: str, bounds: str) -> isl.Set | None:
    """{ [x, y] } of the pairs of members x and y of one class; None if classes differ.

    Member x of class (s, r) is the position `member`, with `bounds` on s, r and x, both texts.
    """
    both = [(position, member.replace("x", name)) for position, name in (("i", "x"), ("j", "y"))]
    at = " and ".join(f"{position} = {text}" for position, text in both)
    inside = " and ".join([bounds, bounds.replace("x", "y")])
    text = f"[n, m] -> {{ [i, j] -> [s, r, x, y] : {at} and {inside} and y >= 0 }}"
    members = isl.Map(text, context())
    image = pairs(condition).apply(members).coalesce()
    every = members.range()
    projected = image.project_out(isl.dim_type.set, 0, 2)
    back = isl.Map("[n, m] -> { [x, y] -> [s, r, x, y] }", context())
    if not (projected.apply(back) & every).is_equal(image):
        return None
    if projected.involves_dims(isl.dim_type.param, 0, 2):
        return None
    possible = every.project_out(isl.dim_type.set, 0, 2)
    return projected.gist(possible).coalesce()


def period_and_start(plane: isl.Set) -> tuple[int, int]:
    """From which n on, and with which period, the pairs of a set are counted by one polynomial.

    The points of a polytope with one parameter n are counted by a quasi-polynomial wherever the
    same vertices are active, and its period divides the denominators of their coordinates (Ehrhart
    1962; Clauss and Loechner 1998). Floors become coordinates of their own first.
    """
    period, start = 1, 0
    for part in basic_parts(plane):
        vertices = part.compute_divs().get_basic_sets()[0].lift().flatten().compute_vertices()
        # An error inside a call of isl's is printed, and lost: only the list is made there.
        found: list[isl.Vertex] = []
        cells: list[isl.Cell] = []
        vertices.foreach_vertex(found.append)
        vertices.foreach_cell(cells.append)
        period = lcm(period, *(number for vertex in found for number in _denominators(vertex)))
        start = max([start, *(_last_change(cell.get_domain()) for cell in cells)])
    return period, start


def last_length(plane: isl.Set) -> int | None:
    """The largest n at which the set holds a pair, -1 if it never does; None where ever again."""
    lengths = plane.project_out(isl.dim_type.param, 1, 1).params()
    lengths = lengths.move_dims(isl.dim_type.set, 0, isl.dim_type.param, 0, 1)
    if lengths.is_empty():
        return -1
    last = lengths.dim_max_val(0)
    return None if last.is_infty() else int(last.to_python())


def _denominators(vertex: isl.Vertex) -> list[int]:
    point = vertex.get_expr()
    return [
        int(point.get_aff(at).get_denominator_val().to_python())
        for at in range(point.dim(isl.dim_type.out))
    ]


def _last_change(domain: isl.BasicSet) -> int:
    """The n from which on a chamber holds, or the first n behind it."""
    lengths = isl.Set.from_basic_set(domain).move_dims(
        isl.dim_type.set, 0, isl.dim_type.param, 0, 1
    )
    if lengths.is_empty():
        return 0
    last = lengths.dim_max_val(0)
    if last.is_infty():
        return int(lengths.dim_min_val(0).ceil().to_python())
    return int(last.floor().to_python()) + 1


def basic_parts(plane: isl.Set) -> list[isl.Set]:
    """Disjoint convex parts: each lists its rows in plain loops where their union would not."""
    return [isl.Set.from_basic_set(part) for part in plane.make_disjoint().get_basic_sets()]


def transposed(plane: isl.Set) -> isl.Set:
    """{ [j, i] } of { [i, j] }."""
    return plane.apply(isl.Map("[n, m] -> { [i, j] -> [j, i] }", context()))
