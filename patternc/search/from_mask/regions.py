"""Terms of rectangles of rows and keys, whole or with a band in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from patternc.frozen import frozen
from patternc.search.from_mask.bands import Distances
from patternc.search.from_mask.boards import Bits, Board
from patternc.search.from_mask.terms import Number, Term, numbers

_CUTS = 2
_LONG = 1024
# More bands in one region are stripes, which others say better.
_BANDS = 8


@frozen
class _Half:
    """Positions before a cut, or from it on."""

    name: str
    cut: Number
    before: bool

    @property
    def text(self) -> str:
        return f"{self.name} {'<' if self.before else '>='} {self.cut.text}"

    def holds(self, board: Board) -> Bits:
        at = board.i if self.name == "i" else board.j
        cut = self.cut.of(board.n)
        return at < cut if self.before else at >= cut


def regions(boards: Sequence[Board]) -> Iterator[Term]:
    board = boards[0]
    halves = [list(_halves(name, axis, boards)) for name, axis in (("i", 0), ("j", 1))]
    for row, key in product([None, *halves[0]], [None, *halves[1]]):
        held = [half for half in (row, key) if half is not None]
        if held:
            region = np.broadcast_to(_all(held, board), board.target.shape)
            yield from _in_region(held, Distances.of(board, region), boards)


def _halves(name: str, axis: int, boards: Sequence[Board]) -> Iterator[_Half]:
    for cut in _cuts(boards[0], axis):
        for number in numbers(cut, boards):
            yield _Half(name, number, True)
            yield _Half(name, number, False)


def _cuts(board: Board, axis: int) -> list[int]:
    """Where the mask changes most from one row or key to the next, and the middle."""
    first = board.first if axis == 0 else 0
    both = np.logical_and(*_neighbours(board.care, axis))
    changed = np.not_equal(*_neighbours(board.target, axis)) & both
    counts = changed.sum(1 - axis)
    order = np.argsort(-counts, kind="stable")[: _CUTS if board.n <= _LONG else 1]
    found = [int(at) + 1 + first for at in order if counts[at] > 1]
    middle = [board.n // 2] if board.n // 2 > first else []
    return list(dict.fromkeys([*middle, *found]))


def _neighbours(pairs: Bits, axis: int) -> tuple[Bits, Bits]:
    return (pairs[1:], pairs[:-1]) if axis == 0 else (pairs[:, 1:], pairs[:, :-1])


def _all(halves: Sequence[_Half], board: Board) -> Bits:
    held = halves[0].holds(board)
    for half in halves[1:]:
        held = held & half.holds(board)
    return held


def _in_region(
    halves: list[_Half], distances: Distances, boards: Sequence[Board]
) -> Iterator[Term]:
    """The bands of a region; one that is open on both sides is the whole of it."""
    found = list(distances.bands())
    if len(found) > _BANDS:
        return
    for lo, hi, below, above in found:
        if below and above:
            # One half of a fixed cut is a list of positions.
            if len(halves) > 1 or not halves[0].cut.text.isdigit():
                yield _term(halves, None, None)
            continue
        for left in [None] if below else [*_offsets(lo, boards)]:
            for right in [None] if above else [*_offsets(hi, boards)]:
                yield _term(halves, left, right)


def _offsets(value: int, boards: Sequence[Board]) -> Iterator[Number]:
    for number in numbers(abs(value), boards):
        if value >= 0:
            yield number
        else:
            yield Number(f"-{number.text}", lambda n, own=number: -own.of(n))  # type: ignore[misc]


def _term(halves: list[_Half], left: Number | None, right: Number | None) -> Term:
    parts = [half.text for half in halves]
    if left is not None and right is not None and left.text == right.text:
        parts.append(f"j == i{_shift(left)}")
    else:
        parts += [f"j >= i{_shift(left)}"] if left is not None else []
        parts += [f"j <= i{_shift(right)}"] if right is not None else []

    def holds(board: Board) -> Bits:
        held, far = _all(halves, board), board.j - board.i
        if left is not None:
            held = held & (far >= left.of(board.n))
        if right is not None:
            held = held & (far <= right.of(board.n))
        return np.broadcast_to(held, board.target.shape)

    return Term(f"where({' and '.join(parts)})", holds)


def _shift(number: Number) -> str:
    if number.text == "0":
        return ""
    # -a + b of a number made of n is - (a + b).
    if number.text.startswith("-"):
        rest = number.text[1:]
        return f" - {rest}" if rest.isdigit() or " " not in rest else f" - ({rest})"
    return f" + {number.text}"
