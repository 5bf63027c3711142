"""Windows of a raster-ordered grid, at given positions.

Numbers the windows of every axis by cutting its members in turn, as the code of Swin does: rolled
by the shift and cut; pairs that are together only around the end are taken away again.
"""

from __future__ import annotations

import numpy as np

from patternc.algebra.evaluate import Booleans, Integers
from patternc.ir.terms import WindowAxis, Windows
from patternc.semantics.lengths_of_grids import verify_grid


def windows(term: Windows, i: Integers, j: Integers, n: int) -> Booleans:
    """Whether query i and key j are in one window; meaningless at i < 0."""
    sizes = [axis.size for axis in term.axes]
    verify_grid(sizes, n)
    result = np.ones(np.broadcast_shapes(i.shape, j.shape), np.bool_)
    step = n
    for axis in term.axes:
        step //= axis.size
        number = window_numbers(axis, term.edge)
        row, key = (number[position // step % axis.size] for position in (i, j))
        result &= row == key
    return result


def window_numbers(axis: WindowAxis, edge: str) -> Integers:
    """A number for each coordinate, the same for those of one window."""
    found = np.zeros(axis.size, np.int64)
    for group in range(min(axis.dilation, axis.size)):
        members = np.arange(group, axis.size, axis.dilation)
        found[members] = _cut(len(members), axis, edge) * axis.dilation + group
    return found


def _cut(count: int, axis: WindowAxis, edge: str) -> Integers:
    """Window numbers of the members of one class, in order."""
    members = np.arange(count)
    if edge == "clip":
        # Windows begin at `shift`; what lies before it is one more.
        return np.where(members < axis.shift, 0, (members - axis.shift) // axis.window + 1)
    rolled = np.roll(members, -axis.shift)
    window = np.empty(count, np.int64)
    window[rolled] = members // axis.window
    if edge == "roll":
        # timm masks the last `shift` of the padded axis, which is longer if windows are ragged.
        padded = -(-count // axis.window) * axis.window
        window[rolled] += np.where(members < padded - axis.shift, 0, count)
    return window
