"""Windows that a grid is cut into: `windows([H, W], size=[a, b], ..)`.

Neighbours along an axis that no window may hold are its cuts; evenly spaced cuts are windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

import numpy as np

from patternc.frozen import frozen
from patternc.search.from_mask.boards import Board
from patternc.search.from_mask.grids import dense_term, factored
from patternc.search.from_mask.terms import Term

_AXES = 3


@frozen
class Cut:
    """How one axis is cut."""

    size: int
    shift: int = 0
    dilation: int = 1


def windows(boards: Sequence[Board]) -> Iterator[Term]:
    """At one length: a grid has one number of positions."""
    board = boards[0]
    if len(boards) > 1 or board.first:
        return
    for sizes in factored(board.n, _AXES):
        cuts = [_cut(board, sizes, axis) for axis in range(len(sizes))]
        if len(sizes) > 1 and None not in cuts and any(each != Cut(1) for each in cuts):
            yield from _terms(board, sizes, [each for each in cuts if each is not None])


def _cut(board: Board, sizes: Sequence[int], axis: int) -> Cut | None:
    """The windows of an axis, whose keys stand at the least distance that is free."""
    length = sizes[axis]
    for step in range(1, length):
        linked = _linked(board, sizes, axis, step)
        if linked.any():
            return _spaced(linked, step, length) if step == 1 or length % step == 0 else None
    return Cut(1)


def _linked(board: Board, sizes: Sequence[int], axis: int, step: int) -> np.ndarray:
    """Which places of an axis may see, and somewhere do, the place a step behind them."""
    stride = step * prod(sizes[axis + 1 :])
    at = np.arange(board.n - stride)
    place = at // prod(sizes[axis + 1 :]) % sizes[axis]
    at, place = at[place < sizes[axis] - step], place[place < sizes[axis] - step]
    counts = [
        np.bincount(place, weights=part[at + stride, at] | part[at, at + stride])
        for part in (board.barred, board.wanted)
    ]
    return np.asarray((counts[0] == 0) & (counts[1] > 0))


def _spaced(linked: np.ndarray, step: int, length: int) -> Cut | None:
    """The windows of each residue, where they are alike and their cuts evenly spaced."""
    places = length // step
    rows = linked.reshape(places - 1, step)
    if not (rows == rows[:, :1]).all():
        return None
    cuts = np.flatnonzero(~rows[:, 0]) + 1
    gaps = np.diff(np.concatenate([[0], cuts, [places]]))
    size = int(gaps.max())
    if (gaps[1:-1] != size).any():
        return None
    return Cut(size, int(gaps[0]) % size if len(cuts) else 0, step)


def _terms(board: Board, sizes: Sequence[int], cuts: Sequence[Cut]) -> Iterator[Term]:
    grid = ", ".join(map(str, sizes))
    columns = [("size", 0), ("shift", 0), ("dilation", 1)]
    given = [[getattr(each, name) for each in cuts] for name, _ in columns]
    sides = [
        f", {name}={values}"
        for (name, usual), values in zip(columns, given, strict=True)
        if any(value != usual for value in values)
    ]
    edges = ("", ", edge=wrap", ", edge=roll") if any(each.shift for each in cuts) else ("",)
    for text in map("".join, product([f"windows([{grid}]" + "".join(sides)], edges)):
        yield dense_term(f"{text})", board.n)
