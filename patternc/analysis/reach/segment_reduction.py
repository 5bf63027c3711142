"""Schedules whose positions never leave a segment: one segment stands for all.

Maps the edges of a schedule to a width W such that no layer connects two segments of W positions,
and every segment is connected alike. From the answers for one whole segment and for the rest to
those for all. Does not handle tables or key sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import lcm

from patternc.algebra.walk import Leaf, leaves
from patternc.analysis.reach.edges import Edge, Layer
from patternc.analysis.reach.equivalence_cells import KEY, ROW, without_cut
from patternc.analysis.reach.isl_engine import Field
from patternc.analysis.reach.row_sizes import Progressions
from patternc.ir.formula import (
    Add,
    All,
    Compare,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Maximum,
    Minimum,
    Modulo,
    Multiply,
    Subtract,
    Truth,
    Variable,
)
from patternc.ir.sources import TOKENS


def width_of(steps: Iterable[Layer]) -> int | None:
    """The width of the segments; None where positions may leave any, or segments differ."""
    edges = list(dict.fromkeys(edge for step in steps for edge in step))
    widths = [_width(edge) for edge in edges]
    if not edges or None in widths:
        return None
    width = lcm(*(each or 1 for each in widths))
    return width if all(_is_periodic(edge.formula, width) for edge in edges) else None


def joined(segment: Field, times: int, rest: Field | None) -> Field:
    """The fields of `times` segments and a shorter last one."""
    parts = [segment.sizes.repeated(times)] + ([rest.sizes] if rest else [])
    last = rest or segment
    return Field(
        Progressions.joined(parts),
        max(segment.left, last.left),
        max(segment.right, last.right),
        segment.holes * times + (rest.holes if rest else 0),
    )


def _width(edge: Edge) -> int | None:
    """The smallest w such that i // w == j // w appears in the formula."""
    if edge.source != TOKENS or edge.literals:
        return None
    rest = without_cut(edge.formula)[0]
    items = rest.items if isinstance(rest, All) else (rest,)
    return min((width for item in items for width in _segment(item)), default=None)


def _segment(condition: Condition) -> Iterator[int]:
    match condition:
        case Compare("==", FloorDivide(left, Constant(width)), FloorDivide(right, Constant(same))):
            if width == same and {left, right} == {ROW, KEY}:
                yield width


@lru_cache(maxsize=4096)
def _is_periodic(condition: Condition, width: int) -> bool:
    """Whether the condition stays as it is when i and j both grow by `width`."""
    return all(_leaf_is_periodic(leaf, width) for leaf in leaves(condition))


def _leaf_is_periodic(leaf: Leaf, width: int) -> bool:
    match leaf:
        case Truth():
            return True
        case Compare(_, left, right):
            rise = _rise(left, width)
            return rise is not None and rise == _rise(right, width)
        case _:
            return False


def _rise(expression: Expression, width: int) -> int | None:
    """By how much the expression grows when i and j grow by `width`; None where that varies."""
    match expression:
        case Constant():
            return 0
        case Variable("i" | "j"):
            return width
        case Modulo(operand, Constant(divisor)):
            rise = _rise(operand, width)
            return 0 if rise is not None and rise % divisor == 0 else None
        case FloorDivide(operand, Constant(divisor)):
            rise = _rise(operand, width)
            return rise // divisor if rise is not None and rise % divisor == 0 else None
        case Multiply(Constant(factor), operand):
            rise = _rise(operand, width)
            return None if rise is None else factor * rise
        case Add(left, right) | Subtract(left, right) | Minimum(left, right) | Maximum(left, right):
            return _joint_rise(expression, _rise(left, width), _rise(right, width))
        case _:
            return None


def _joint_rise(
    expression: Add | Subtract | Minimum | Maximum, left: int | None, right: int | None
) -> int | None:
    if left is None or right is None:
        return None
    match expression:
        case Add():
            return left + right
        case Subtract():
            return left - right
        case _:
            return left if left == right else None
