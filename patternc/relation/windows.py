"""Windows of a grid to conditions: row and key have the same window number on every axis."""

from __future__ import annotations

from patternc.algebra.simplify import (
    add,
    compare,
    conjunction,
    floor_divide,
    modulo,
    subtract,
)
from patternc.ir.formula import Condition, Constant, Expression
from patternc.ir.terms import WindowAxis, Windows
from patternc.relation.raster import sides


def lower_windows(term: Windows, row: Expression, key: Expression) -> Condition:
    """Both are raster positions, not negative."""
    return conjunction(
        compare(one, "==", other)
        for axis, *at in sides(row, key, term.axes)
        for one, other in zip(*(_numbers(axis, term.edge, x) for x in at), strict=True)
    )


def _numbers(axis: WindowAxis, edge: str, at: Expression) -> list[Expression]:
    """What is equal of two coordinates exactly if they are in one window."""
    dilation, members = Constant(axis.dilation), axis.size // axis.dilation
    place, group = floor_divide(at, dilation), modulo(at, dilation)
    most = -(-axis.size // axis.dilation)
    if not axis.shift:
        one = axis.window >= most
        return [group] if one else [group, floor_divide(place, Constant(axis.window))]
    moved = subtract(place, Constant(axis.shift))
    if edge == "clip":
        return [group, floor_divide(moved, Constant(axis.window))]
    rolled = modulo(moved, Constant(members))
    found = [group, floor_divide(rolled, Constant(axis.window))]
    if edge == "roll":
        padded = -(-members // axis.window) * axis.window
        found.append(floor_divide(add(rolled, Constant(axis.shift)), Constant(padded)))
    return found
