"""Neighbourhoods on a grid to conditions (NATTEN 0.21: dilation, stride, clip and shift edges).

Positions are raster-ordered. An axis of size X with dilation d splits into d classes; a position's
class is x mod d, its coordinate in the class x // d.
"""

from __future__ import annotations

from patternc.algebra.simplify import (
    add,
    conjunction,
    floor_divide,
    maximum,
    minimum,
    modulo,
    multiply,
    subtract,
)
from patternc.ir.formula import Condition, Constant, Expression
from patternc.ir.terms import Axis, Neighborhood
from patternc.relation.comparisons import compare
from patternc.relation.raster import sides


def lower_neighborhood(term: Neighborhood, row: Expression, key: Expression) -> Condition:
    """Is `key` in the window of `row` on every axis? Both are raster positions, not negative."""
    return conjunction(
        _in_window(axis, x, y, shift=term.edge == "shift")
        for axis, x, y in sides(row, key, term.axes)
    )


def _in_window(axis: Axis, x: Expression, y: Expression, shift: bool) -> Condition:
    dilation = Constant(axis.dilation)
    row, key = floor_divide(x, dilation), floor_divide(y, dilation)
    same_class = compare(modulo(x, dilation), "==", modulo(y, dilation))
    last = subtract(_class_length(axis, x), Constant(1))
    leader = _leader(axis, row, last)
    if axis.causal:
        start, stop = subtract(leader, Constant(axis.left)), row
    elif shift:
        width = axis.left + axis.right
        start = maximum(
            Constant(0),
            minimum(subtract(leader, Constant(axis.left)), subtract(last, Constant(width))),
        )
        stop = add(start, Constant(width))
    else:
        start, stop = subtract(leader, Constant(axis.left)), add(leader, Constant(axis.right))
    return conjunction([same_class, compare(key, ">=", start), compare(key, "<=", stop)])


def _class_length(axis: Axis, x: Expression) -> Expression:
    """ceil((X - g) / d) for the class g of x."""
    dilation = Constant(axis.dilation)
    rounded = subtract(Constant(axis.size + axis.dilation - 1), modulo(x, dilation))
    return floor_divide(rounded, dilation)


def _leader(axis: Axis, row: Expression, last: Expression) -> Expression:
    """The row whose window the group of `stride` rows shares: its middle, causal its last."""
    if axis.stride == 1:
        return row
    stride = Constant(axis.stride)
    first = multiply(stride, floor_divide(row, stride))
    middle = axis.stride - 1 if axis.causal else axis.stride // 2
    return minimum(add(first, Constant(middle)), last)
