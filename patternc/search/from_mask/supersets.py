"""Terms that hold all wanted pairs and more: what a union may be within."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd

import numpy as np

from patternc.search.from_mask.bands import Distances, bands, dilated_window
from patternc.search.from_mask.boards import Bits, Board, Integers, along
from patternc.search.from_mask.positions import columns, rows
from patternc.search.from_mask.segments import cut, segment, shifted
from patternc.search.from_mask.terms import Term

_SEGMENTS = 2


def supersets(boards: Sequence[Board]) -> Iterator[Term]:
    """Those of bands, strides, segments, columns and rows that are not everything."""
    for term in _possible(boards):
        held = [term.holds(board) for board in boards]
        if all(_holds_all(board, pairs) for board, pairs in zip(boards, held, strict=True)) and any(
            (board.care & ~pairs).any() for board, pairs in zip(boards, held, strict=True)
        ):
            yield term


def _holds_all(board: Board, held: Bits) -> bool:
    return not (board.wanted & ~held).any()


def _possible(boards: Sequence[Board]) -> Iterator[Term]:
    board = boards[0]
    distances = Distances.of(board)
    at = np.flatnonzero(distances.wanted) - distances.zero
    if not len(at):
        return
    # The smallest band is the one of a mask that holds all of it.
    filled = (board.j - board.i >= at[0]) & (board.j - board.i <= at[-1])
    yield from bands([Board(filled, board.care), *boards[1:]])
    if (step := gcd(*map(int, at))) > 1:
        yield Term(f"strided({step})", lambda b: (b.i - b.j) % step == 0)
        yield dilated_window(-int(at[0]) // step, int(at[-1]) // step, step)
    yield from _segments(board)
    yield from shifted(boards)
    by_key = np.broadcast_to(along(board.wanted, 0)[None, :], board.target.shape)
    by_row = np.broadcast_to(along(board.wanted, 1)[:, None], board.target.shape)
    everything = np.ones_like(board.care)
    if not by_key.all():
        yield from columns([Board(by_key, everything), *boards[1:]])
    if not by_row.all():
        yield from rows([Board(by_row, everything), *boards[1:]])


def _segments(board: Board) -> Iterator[Term]:
    found, i, j = 0, *np.nonzero(board.wanted)
    for width in range(2, board.n):
        if found < _SEGMENTS and ((i + board.first) // width == j // width).all():
            found += 1
            yield segment(width, 0, 0)


def documents(board: Board) -> Iterator[Integers]:
    """Labels [n] such that all wanted pairs have equal ones: by first keys, and by cuts."""
    if board.first:
        return
    seen = board.wanted.any(1)
    first = np.where(seen, board.wanted.argmax(1), -1)
    for labels in (first, cut(board)):
        names, numbers = np.unique(labels, return_inverse=True)
        numbers = numbers.astype(np.int64) - int(names[0] < 0)
        equal = (numbers[:, None] == numbers[None, :]) & (numbers >= 0)[:, None]
        if 1 < numbers.max() + 1 < board.n and _holds_all(board, equal):
            yield numbers
