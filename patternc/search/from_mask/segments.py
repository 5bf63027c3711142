"""Terms of segments: whole ones with neighbours, and segments of one residue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from patternc.search.from_mask.bands import Distances
from patternc.search.from_mask.boards import Bits, Board, Integers
from patternc.search.from_mask.terms import Term

_DILATIONS = 16


def segments(boards: Sequence[Board]) -> Iterator[Term]:
    """Widths of the first board whose segments hold nothing barred, widest first."""
    board = boards[0]
    distances, barred = Distances.of(board), _summed(board.barred)
    found: list[tuple[int, int]] = []
    for width in range(board.n - 1, 1, -1):
        if distances.free(1 - width, width - 1) or not _free(board, barred, width, 0):
            continue
        back, ahead = _extent(board, barred, width, -1), _extent(board, barred, width, 1)
        if any(wide % width == 0 and reach >= back + ahead for wide, reach in found):
            continue
        found.append((width, back + ahead))
        for behind, before in dict.fromkeys(((back, ahead), (back, 0), (0, ahead), (0, 0))):
            yield segment(width, behind, before)


def segment(width: int, back: int, ahead: int) -> Term:
    sides = "".join(f", {name}={far}" for name, far in (("back", back), ("ahead", ahead)) if far)

    def holds(board: Board) -> Bits:
        far = board.j // width - board.i // width
        return (far >= -back) & (far <= ahead)

    return Term(f"segment({width}{sides})", holds)


def _summed(pairs: Bits) -> Integers:
    return np.pad(pairs.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))


def _rectangles(board: Board, sums: Integers, width: int, far: int) -> Integers:
    """The pairs in each segment's block with the segment `far` from it."""
    n, count = board.n, -(-board.n // width)
    own = np.arange(count)
    own = own[(own + far >= 0) & (own + far < count)]
    rows = [np.clip(own * width + side - board.first, 0, n - board.first) for side in (0, width)]
    keys = [np.clip((own + far) * width + side, 0, n) for side in (0, width)]
    return np.asarray(
        sums[rows[1], keys[1]]
        - sums[rows[0], keys[1]]
        - sums[rows[1], keys[0]]
        + sums[rows[0], keys[0]]
    )


def _free(board: Board, sums: Integers, width: int, far: int) -> bool:
    return not _rectangles(board, sums, width, far).any()


def _extent(board: Board, barred: Integers, width: int, side: int) -> int:
    """How many neighbours on a side may be held, up to the last that has a wanted pair."""
    wanted, reach = _summed(board.wanted), 0
    for far in range(1, -(-board.n // width)):
        if not _free(board, barred, width, side * far):
            break
        if _rectangles(board, wanted, width, side * far).any():
            reach = far
    return reach


def residues(boards: Sequence[Board]) -> Iterator[Term]:
    """`segment(w, dilation=r, offset=o)`, of the positions o, o + r, .. of every segment."""
    board = boards[0]
    for step in range(2, min(_DILATIONS, board.n // 2) + 1):
        for offset in range(step):
            for width in _dilated_widths(board, step, offset):
                yield _residue(width, step, offset)


def _dilated_widths(board: Board, step: int, offset: int) -> Iterator[int]:
    """The greatest width that is a multiple of the step, by the pairs of one residue."""
    rows = np.arange(board.first, board.n) % step == offset
    keys = np.arange(board.n) % step == offset
    barred, wanted = (part[np.ix_(rows, keys)] for part in (board.barred, board.wanted))
    if board.first or not wanted.any() or not wanted.diagonal().all():
        return
    part = Board(wanted, wanted | barred)
    sums = _summed(barred)
    for width in range(part.n, 1, -1):
        if _free(part, sums, width, 0):
            yield width * step
            return


def _residue(width: int, step: int, offset: int) -> Term:
    def holds(board: Board) -> Bits:
        i, j = board.i, board.j
        own = (i % width % step == offset) & (j % width % step == offset)
        return np.asarray(own & (i // width == j // width))

    shift = f", offset={offset}" if offset else ""
    return Term(f"segment({width}, dilation={step}{shift})", holds)


def cut(board: Board) -> Integers:
    """Cut wherever no wanted pair is on both sides; positions without pairs are -1."""
    n, pairs = board.n, board.wanted | board.wanted.T
    last = np.where(pairs.any(1), n - 1 - pairs[:, ::-1].argmax(1), np.arange(n))
    open_to = np.maximum.accumulate(np.maximum(last, np.arange(n)))
    starts = np.concatenate([[True], open_to[:-1] < np.arange(1, n)])
    return np.asarray(np.where(pairs.any(1), starts.cumsum() - 1, -1), np.int64)


def shifted(boards: Sequence[Board]) -> Iterator[Term]:
    """Segments that do not begin at 0, where cuts of the mask are evenly spaced."""
    board = boards[0]
    if board.first:
        return
    cuts = np.flatnonzero(np.diff(cut(board))) + 1
    widths = np.unique(np.diff(cuts))
    if len(widths) == 1 and cuts[0] % widths[0]:
        width = int(widths[0])
        yield _shifted(width, width - int(cuts[0]) % width)


def _shifted(width: int, by: int) -> Term:
    def holds(board: Board) -> Bits:
        return np.asarray((board.i + by) // width == (board.j + by) // width)

    return Term(f"where((i + {by}) // {width} == (j + {by}) // {width})", holds)
