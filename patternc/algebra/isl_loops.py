"""Integer sets back to formulas: loops in closed form, or one condition on i, j and n (islpy).

isl's own AST generator finds the loops (Grosser, Verdoolaege, Cohen: "Polyhedral AST Generation Is
More Than Scanning Polyhedra", TOPLAS 2015); its nodes become intervals and conditions here. Raises
`BudgetError` where a set has no closed form of that shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import islpy as isl

from patternc.algebra import simplify
from patternc.algebra.intervals import Interval
from patternc.algebra.isl_context import BudgetError, KeyCount, context, uninterrupted
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

# Of one set: 60 parts without floors take 0.1 s, 15 with 44 floors 0.3 s, 43 with 100 minutes.
MOST_PARTS, MOST_FLOORS = 100, 48
_OPERATION = isl.ast_expr_op_type


def loops_of(plane: isl.Set, tile: int = 1, rows_of: KeyCount = "n") -> tuple[Interval, ...]:
    """Disjoint loops over j that visit { [i, j] } for a given i with 0 <= tile * i < `rows_of`."""
    # The generator fails on quantified variables that are not yet known as floors.
    rows = plane.compute_divs().move_dims(isl.dim_type.param, 2, isl.dim_type.set, 0, 1)
    rows = rows.set_dim_name(isl.dim_type.param, 2, "i").set_dim_name(isl.dim_type.set, 0, "j")
    schedule = isl.Map.identity(rows.get_space().map_from_set()).intersect_domain(rows)
    known = isl.Set(f"[n, m, i] -> {{ : 0 <= i and {tile}i < {rows_of} }}", context())
    _verify_size(rows)
    with uninterrupted():
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
    points = outer.params().compute_divs()
    _verify_size(points)
    with uninterrupted():
        build = isl.AstBuild.from_context(isl.Set("[n, m, i, j] -> { : n >= 1 }", context()))
        found = _condition(build.expr_from_set(points), {})
    _verify_fits(found)
    return found


def _verify_size(plane: isl.Set) -> None:
    """Refuses what isl's AST generator, which must not be stopped, may take long for."""
    parts = plane.get_basic_sets()
    divisions = sum(part.dim(isl.dim_type.div) for part in parts)
    if len(parts) > MOST_PARTS or divisions > MOST_FLOORS:
        raise BudgetError("the loops of this relation have too many parts")


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
