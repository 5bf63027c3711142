"""Neighbourhood windows on a raster-ordered grid, at given positions.

Maps a `Neighborhood`, rows and keys to booleans. Per axis, coordinates are cut into residue classes
of the dilation; inside a class a group of `stride` queries shares the window of its leader: the
middle one, or the last one on a causal axis, where each query still sees no later key. Source:
NATTEN 0.17 (edges shift) and 0.21 (stride, even windows). Does not handle blocks of a grid.
"""

from __future__ import annotations

import numpy as np

from patternc.algebra.evaluate import Booleans, Integers
from patternc.ir.terms import Axis, Neighborhood
from patternc.semantics.errors import LengthError
from patternc.semantics.lengths_of_grids import verify_grid


def neighborhood(term: Neighborhood, i: Integers, j: Integers, n: int) -> Booleans:
    """Whether key j is in the window of query i; meaningless at i < 0."""
    verify_length(term, n)
    result = np.ones(np.broadcast_shapes(i.shape, j.shape), np.bool_)
    step = n
    for axis in term.axes:
        step = step // axis.size if axis.size else 0
        row, key = (position // max(step, 1) % max(axis.size, 1) for position in (i, j))
        result &= along_axis(axis, row, key, term.edge == "shift")
    return result


def verify_length(term: Neighborhood, n: int) -> None:
    verify_grid([axis.size for axis in term.axes], n)
    for axis in term.axes:
        window = axis.left + axis.right + 1
        if term.edge == "shift" and not axis.causal and window * axis.dilation > axis.size:
            spread = f" with dilation {axis.dilation}" if axis.dilation > 1 else ""
            raise LengthError(f"a window of {window}{spread} is longer than its axis {axis.size}")


def along_axis(axis: Axis, row: Integers, key: Integers, shifted: bool) -> Booleans:
    """One axis, for coordinates 0 <= row, key < size."""
    group, last = row % axis.dilation, (axis.size - 1 - row % axis.dilation) // axis.dilation
    query, slot = row // axis.dilation, key // axis.dilation
    leader = leading_query(axis, query, last)
    first, final = leader - axis.left, leader + axis.right
    if axis.causal:
        final = query
    elif shifted:
        first = np.clip(first, 0, last - axis.left - axis.right)
        final = first + axis.left + axis.right
    return np.asarray((key % axis.dilation == group) & (first <= slot) & (slot <= final))


def leading_query(axis: Axis, query: Integers, last: Integers) -> Integers:
    place = axis.stride - 1 if axis.causal else axis.stride // 2
    return np.minimum(query // axis.stride * axis.stride + place, last)
