"""Raster order: the coordinates of a position of a grid, as formulas."""

from __future__ import annotations

from collections.abc import Sequence

from patternc.algebra.simplify import floor_divide, modulo
from patternc.ir.formula import Constant, Expression


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
