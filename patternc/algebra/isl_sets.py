"""Integer sets: conditions on i, j and n as exact relations for every n (islpy).

With `isl_maps` the only importer of islpy. Maps atom-free conditions to isl sets, and isl sets back
to formulas: one condition (`condition_of`) or loops in closed form (`loops_of`). Every call runs
under a budget of isl operations and raises `BudgetError` beyond it; isl's own AST generator finds
the loops (Verdoolaege, "isl: An Integer Set Library", 2010; Grosser et al., TOPLAS 2015). Does not
handle tables, and does not know what sets are used for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, reduce
from math import lcm
from typing import Literal

import islpy as isl

from patternc.algebra import simplify
from patternc.algebra.intervals import Interval
from patternc.algebra.isl_budget import is_tangled
from patternc.algebra.printer import PLAIN
from patternc.algebra.queries import LARGEST, fits
from patternc.ir.formula import (
    CompareOperator,
    Condition,
    Constant,
    Expression,
    Truth,
    Variable,
    VariableName,
)

# 100,000 operations take about 0.1 s.
BUDGET = 2_000_000
# For conditions in which divisions of unlike numbers meet: they take about 1 s.
TANGLED_BUDGET = 30_000
# With more divisions than these an operation takes 25 times as long, and the budget a minute.
MOST_DIVISIONS = 160
# With more than these, a hundred times past its first operations.
MANY_DIVISIONS = 60
DIVIDED_BUDGET = 50_000
TileSet = isl.Set
KeyCount = Literal["n", "m"]
_OPERATION = isl.ast_expr_op_type
_LOCAL = threading.local()


class BudgetError(Exception):
    """The integer sets of this relation are too large to compute with."""


def context() -> isl.Context:
    """The context of this thread; isl objects of two contexts never meet."""
    if not hasattr(_LOCAL, "context"):
        _LOCAL.context = _fresh_context()
    return _LOCAL.context


def _fresh_context() -> isl.Context:
    created = isl.Context()
    created.set_on_error(isl.on_error.CONTINUE if hasattr(isl, "on_error") else 1)
    return created


@contextmanager
def budget(operations: int | None = None) -> Iterator[None]:
    """Bounds the isl operations inside, by default `BUDGET`; the outermost budget is in force."""
    present = context()
    if present.get_max_operations():
        yield
        return
    present.reset_operations()
    present.set_max_operations(operations or BUDGET)
    try:
        yield
    except BudgetError:
        raise
    except Exception as error:
        # Past the budget isl returns nothing at all from some calls, and islpy stumbles over it.
        if _is_used_up(present):
            used = f"more than {present.get_max_operations()} integer set operations"
            raise BudgetError(used) from error
        if _is_internal(error):
            raise BudgetError("integer sets fail at this relation") from error
        raise
    finally:
        present.set_max_operations(0)
        present.reset_operations()


def _is_internal(error: Exception) -> bool:
    """Whether isl failed at a step of its own, and not at what it was given."""
    return isinstance(error, isl.Error) and "/isl_ast" in str(error)


def _is_used_up(present: isl.Context) -> bool:
    """Whether no operation is left: isl tells an overrun apart from mistakes in some calls only."""
    try:
        isl.Set.universe(isl.Space.set_alloc(present, 0, 1)).complement()
    except isl.Error:
        return True
    return False


def text_of(condition: Condition) -> str:
    """The condition as isl reads it. Raises `BudgetError` where its sets grow beyond all bounds."""
    if is_tangled(condition):
        if not _is_workable(condition):
            raise BudgetError("divisions of unlike numbers meet in this relation")
        _lower_budget(2 * TANGLED_BUDGET)
    return PLAIN.condition(condition)


def _lower_budget(operations: int) -> None:
    present = context()
    if present.get_max_operations() > operations:
        present.set_max_operations(operations)


@lru_cache(maxsize=4096)
def _is_workable(condition: Condition) -> bool:
    """Whether a small budget suffices for the tiles of one shape: then it does for others too."""
    outside, _LOCAL.context = context(), _fresh_context()
    try:
        with budget(TANGLED_BUDGET):
            plane = _plane(PLAIN.condition(condition))
            for part in _tiles_of(plane, 128, 64, "0 <= i < n", "n"):
                loops_of(part, 128)
            return True
    except BudgetError:
        return False
    finally:
        _LOCAL.context = outside


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
        _lower_budget(DIVIDED_BUDGET)
    cut = isl.Set(f"[n, m] -> {{ [a, b] : {key_tile}b + {key_tile} > {keys} }}", context())
    full = (touched - spoiled - cut).coalesce()
    return full, (touched - full).coalesce()


def _divisions(plane: isl.Set) -> int:
    """How many floors the convex parts of a set refer to."""
    return sum(part.dim(isl.dim_type.div) for part in plane.get_basic_sets())


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


def loops_of(plane: isl.Set, tile: int = 1, rows_of: KeyCount = "n") -> tuple[Interval, ...]:
    """Disjoint loops over j that visit { [i, j] } for a given i with 0 <= tile * i < `rows_of`."""
    # The generator fails on quantified variables that are not yet known as floors.
    rows = plane.compute_divs().move_dims(isl.dim_type.param, 2, isl.dim_type.set, 0, 1)
    rows = rows.set_dim_name(isl.dim_type.param, 2, "i").set_dim_name(isl.dim_type.set, 0, "j")
    schedule = isl.Map.identity(rows.get_space().map_from_set()).intersect_domain(rows)
    known = isl.Set(f"[n, m, i] -> {{ : 0 <= i and {tile}i < {rows_of} }}", context())
    build = isl.AstBuild.from_context(known)
    tree = build.node_from_schedule_map(isl.UnionMap.from_map(schedule))
    found = tuple(_loops(tree, simplify.TRUE))
    for run in found:
        _verify_fits(run)
    return found


def condition_of(plane: isl.Set) -> Condition:
    """The set { [i, j] } as one condition on i, j and n."""
    outer = plane.move_dims(isl.dim_type.param, 2, isl.dim_type.set, 0, 2)
    outer = outer.set_dim_name(isl.dim_type.param, 2, "i").set_dim_name(isl.dim_type.param, 3, "j")
    build = isl.AstBuild.from_context(isl.Set("[n, m, i, j] -> { : n >= 1 }", context()))
    found = _condition(build.expr_from_set(outer.params().compute_divs()), {})
    _verify_fits(found)
    return found


def _verify_fits(form: Interval | Condition) -> None:
    """Refuses closed forms whose parts may leave 63 bits."""
    if not fits(form, LARGEST):
        raise BudgetError("the closed forms of this relation leave 63 bits")


Names = dict[str, Expression]


def _loops(node: isl.AstNode, guard: Condition) -> Iterator[Interval]:
    kind = node.get_type()
    types = isl.ast_node_type
    if kind == types.block:
        children = node.block_get_children()
        for index in range(children.n_ast_node()):
            yield from _loops(children.get_ast_node(index), guard)
    elif kind == types.if_:
        holds = _condition(node.if_get_cond(), {})
        yield from _loops(node.if_get_then_node(), simplify.conjunction([guard, holds]))
        if node.if_has_else_node():
            otherwise = simplify.conjunction([guard, simplify.negation(holds)])
            yield from _loops(node.if_get_else_node(), otherwise)
    elif kind == types.for_:
        yield _loop(node, guard)
    else:
        point = _expression(node.user_get_expr().get_op_arg(1), {})
        yield Interval(guard, point, simplify.add(point, Constant(1)))


def _loop(node: isl.AstNode, guard: Condition) -> Interval:
    iterator = node.for_get_iterator().get_id().get_name()
    names: Names = {iterator: Variable("j")}
    start = _expression(node.for_get_init(), {})
    inner = _inner_guard(node.for_get_body(), names)
    if node.for_is_degenerate():
        return Interval(
            simplify.conjunction([guard, inner]), start, simplify.add(start, Constant(1))
        )
    limit = node.for_get_cond()
    stop = _expression(limit.get_op_arg(1), {})
    if limit.get_op_type() == _OPERATION.le:
        stop = simplify.add(stop, Constant(1))
    step = node.for_get_inc().get_val().to_python()
    return Interval(simplify.conjunction([guard, inner]), start, stop, step)


def _inner_guard(body: isl.AstNode, names: Names) -> Condition:
    """The condition, over the loop's variable, under which the body visits it."""
    kind = body.get_type()
    if kind == isl.ast_node_type.user:
        return simplify.TRUE
    if kind == isl.ast_node_type.if_:
        holds = _condition(body.if_get_cond(), names)
        visited = [simplify.conjunction([holds, _inner_guard(body.if_get_then_node(), names)])]
        if body.if_has_else_node():
            rest = _inner_guard(body.if_get_else_node(), names)
            visited.append(simplify.conjunction([simplify.negation(holds), rest]))
        return simplify.disjunction(visited)
    raise BudgetError("the loops of this relation nest")


def _arguments(expression: isl.AstExpr, names: Names) -> list[Expression]:
    count = expression.get_op_n_arg()
    return [_expression(expression.get_op_arg(index), names) for index in range(count)]


def _expression(expression: isl.AstExpr, names: Names) -> Expression:
    kind = expression.get_type()
    if kind == isl.ast_expr_type.int:
        return Constant(expression.get_val().to_python())
    if kind == isl.ast_expr_type.id:
        name = expression.get_id().get_name()
        return names.get(name) or _variable(name)
    return _operation(expression.get_op_type(), _arguments(expression, names))


def _variable(name: str) -> Variable:
    known: dict[str, VariableName] = {"i": "i", "j": "j", "n": "n", "m": "m"}
    return Variable(known[name])


def _operation(operator: int, arguments: list[Expression]) -> Expression:
    binary = {
        _OPERATION.add: simplify.add,
        _OPERATION.sub: simplify.subtract,
        _OPERATION.mul: simplify.multiply,
        _OPERATION.min: simplify.minimum,
        _OPERATION.max: simplify.maximum,
        _OPERATION.div: simplify.floor_divide,
        _OPERATION.fdiv_q: simplify.floor_divide,
        _OPERATION.pdiv_q: simplify.floor_divide,
        _OPERATION.pdiv_r: simplify.modulo,
        _OPERATION.zdiv_r: simplify.modulo,
    }
    if operator in binary:
        return reduce(binary[operator], arguments)
    if operator == _OPERATION.minus:
        return simplify.subtract(Constant(0), arguments[0])
    raise BudgetError("a bound of this relation has no closed form")


def _condition(expression: isl.AstExpr, names: Names) -> Condition:
    if expression.get_type() == isl.ast_expr_type.int:
        return Truth(bool(expression.get_val().to_python()))
    operator = expression.get_op_type()
    comparisons: dict[int, CompareOperator] = {
        _OPERATION.eq: "==",
        _OPERATION.le: "<=",
        _OPERATION.lt: "<",
        _OPERATION.ge: ">=",
        _OPERATION.gt: ">",
    }
    if operator in comparisons:
        left, right = _arguments(expression, names)
        return simplify.compare(left, comparisons[operator], right)
    count = expression.get_op_n_arg()
    items = [_condition(expression.get_op_arg(index), names) for index in range(count)]
    if operator in (_OPERATION.and_, _OPERATION.and_then):
        return simplify.conjunction(items)
    if operator in (_OPERATION.or_, _OPERATION.or_else):
        return simplify.disjunction(items)
    raise BudgetError("a condition of this relation has no closed form")
