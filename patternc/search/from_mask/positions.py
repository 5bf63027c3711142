"""Terms of single positions: columns, rows and global tokens, as lists and periods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from patternc.search.from_mask.boards import Bits, Board, along
from patternc.search.from_mask.terms import Fresh, Positions, Run, Term, listed, period, runs

# Longer lists are not patterns.
_RUNS = 12


def columns(boards: Sequence[Board]) -> Iterator[Term]:
    board = boards[0]
    barred, wanted = along(board.barred, 0), along(board.wanted, 0)
    for found in _sets(barred, wanted, board.n, boards):
        yield Term(f"columns({found.text})", lambda b, f=found: _wide(b, f.of(b.n)[None, :]))  # type: ignore[misc]


def rows(boards: Sequence[Board]) -> Iterator[Term]:
    board = boards[0]
    for found in _sets(*_by_row(board), board.n, boards):
        yield Term(f"rows({found.text})", lambda b, f=found: _wide(b, f.of(b.n)[b.first :, None]))  # type: ignore[misc]


def globals_(boards: Sequence[Board]) -> Iterator[Term]:
    board = boards[0]
    barred, wanted = along(board.barred, 0), along(board.wanted, 0)
    by_row, wanted_row = _by_row(board)
    for found in _sets(barred | by_row, wanted | wanted_row, board.n, boards):

        def holds(b: Board, found: Positions = found) -> Bits:
            held = found.of(b.n)
            return _wide(b, held[None, :] | held[b.first :, None])

        yield Term(f"global({found.text})", holds)


def _by_row(board: Board) -> tuple[Bits, Bits]:
    """Barred and wanted rows; those before the first query are of no matter."""
    barred, wanted = np.zeros((2, board.n), np.bool_)
    barred[board.first :], wanted[board.first :] = board.barred.any(1), board.wanted.any(1)
    return barred, wanted


def _wide(board: Board, held: Bits) -> Bits:
    return np.broadcast_to(held, board.target.shape)


def _sets(barred: Bits, wanted: Bits, n: int, boards: Sequence[Board]) -> Iterator[Positions]:
    """Sets of positions without a barred one."""
    found = [
        (a + int(inside[0]), a + int(inside[-1]) + 1)
        for a, b in runs(~barred)
        for inside in [np.flatnonzero(wanted[a:b])]
        if len(inside)
    ]
    fresh = Fresh(boards)
    for each in _lists(found, n, boards):
        yield each
        if len(found) == 1:
            fresh.add(each.of(n) & wanted)
    for length in range(2, n // 2):
        for each in _periods(barred, wanted, length):
            if fresh.add(each.of(n) & wanted):
                yield each


def _lists(found: list[Run], n: int, boards: Sequence[Board]) -> Iterator[Positions]:
    if not found:
        return
    if len(found) <= _RUNS:
        # At several lengths all are tried; at one, the last keys are taken to be meant as such.
        ways: list[Callable[[Run], bool]] = [lambda run: run[1] == n and run[0] > 0]
        if len(boards) > 1:
            ways += [lambda _: False, lambda run: run[0] > n // 2, lambda run: run[0] > 0]
        for way in ways:
            yield listed(found, n, way)
    if len(found) > 1:
        for run in found[:_RUNS]:
            yield from _lists([run], n, boards)


def _periods(barred: Bits, wanted: Bits, length: int) -> Iterator[Positions]:
    """Residues of which no position is barred and two periods have wanted ones."""
    padded = np.zeros((2, -(-len(barred) // length) * length), np.bool_)
    padded[0, : len(barred)], padded[1, : len(barred)] = barred, wanted
    off, on = (part.reshape(-1, length) for part in padded)
    for a, b in runs(~along(off, 0)):
        # Where runs are wrapped or free on a side, only what is wanted counts.
        inside = np.flatnonzero(on[:, a:b].any(0))
        if len(inside) and on[:, a:b].any(1).sum() > 1:
            low, high = a + int(inside[0]), a + int(inside[-1]) + 1
            if high - low < length:
                yield period(length, low, high)
