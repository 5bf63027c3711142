"""Raster order: the coordinates of a position of a grid, as formulas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from patternc.algebra.simplify import floor_divide, modulo
from patternc.ir.formula import Constant, Expression
from patternc.ir.terms import Axis, WindowAxis

AxisOfGrid = TypeVar("AxisOfGrid", Axis, WindowAxis)


def sides(
    row: Expression, key: Expression, axes: Iterable[AxisOfGrid]
) -> Iterator[tuple[AxisOfGrid, Expression, Expression]]:
    """For each axis the coordinates of two positions of the grid, not negative."""
    axes = list(axes)
    sizes = [axis.size for axis in axes]
    return zip(axes, coordinates(row, sizes), coordinates(key, sizes), strict=True)


def coordinates(at: Expression, sizes: Sequence[int]) -> list[Expression]:
    """One for each axis; `at` is a position of the grid."""
    found: list[Expression] = []
    stride = 1
    for size in reversed(sizes):
        outermost = len(found) + 1 == len(sizes)
        coordinate = floor_divide(at, Constant(stride))
        found.append(coordinate if outermost else modulo(coordinate, Constant(size)))
        stride *= size
    return found[::-1]
