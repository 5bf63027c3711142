"""Terms of single distances: `offsets([..])`, `offsets(powers(b))`, and bands of residues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from patternc.search.from_mask.bands import Distances
from patternc.search.from_mask.boards import Bits, Board, Integers
from patternc.search.from_mask.terms import Term, runs

# Longer lists are no patterns.
_LISTED = 16
_BASES = range(2, 17)
# Runs of distances that a list takes in, the others being windows.
_WIDTHS = (1, 2)
_MODULUS = 64


def offsets(boards: Sequence[Board]) -> Iterator[Term]:
    """Lists and powers of the distances that are free, from query to key or back."""
    board = boards[0]
    distances = Distances.of(board)
    free = [
        (a + int(inside[0]) - distances.zero, a + int(inside[-1]) + 1 - distances.zero)
        for a, b in runs(~distances.barred)
        for inside in [np.flatnonzero(distances.wanted[a:b])]
        if len(inside)
    ]
    for width in _WIDTHS:
        far = [at for a, b in free if b - a <= width for at in range(a, b)]
        if 1 < len(far) <= _LISTED:
            yield _listed(_counted(board, far))
    yield from _powers(board, distances)


def _counted(board: Board, far: Sequence[int]) -> list[int]:
    """Distances j - i as the program counts them, ascending."""
    return sorted(-at if board.header else at for at in far)


def _listed(far: Sequence[int]) -> Term:
    numbers = ", ".join(map(str, far))
    return Term(f"offsets([{numbers}])", lambda b: np.isin(_distance(b), far))


def _distance(board: Board) -> Integers:
    """What `offsets` compares: j - i, below the header `causal` i - j."""
    return board.i - board.j if board.header else board.j - board.i


def _powers(board: Board, distances: Distances) -> Iterator[Term]:
    for base in _BASES:
        far = [base**e for e in range(board.n.bit_length()) if base**e < board.n]
        at = np.array(far) * (-1 if board.header else 1) + distances.zero
        if len(far) > 1 and distances.wanted[at].sum() > 1 and not distances.barred[at].any():
            yield Term(f"offsets(powers({base}))", lambda b, base=base: _is_power(b, base))  # type: ignore[misc]


def _is_power(board: Board, base: int) -> Bits:
    far = [base**e for e in range(board.n.bit_length())]
    return np.isin(_distance(board), far)


def residue_bands(boards: Sequence[Board]) -> Iterator[Term]:
    """`where(abs(i % m - j % m) < w)`: windows around the same place of every period."""
    board = boards[0]
    for modulus in range(3, min(_MODULUS, board.n // 2) + 1):
        far = abs(board.i % modulus - board.j % modulus)
        barred, wanted = (
            np.bincount(far[part], minlength=modulus) > 0 for part in (board.barred, board.wanted)
        )
        width = int(barred.argmax())
        if 1 < width < modulus and barred.any() and wanted[1:width].any():
            yield _band(modulus, int(np.flatnonzero(wanted[:width])[-1]) + 1)


def _band(modulus: int, width: int) -> Term:
    def holds(board: Board) -> Bits:
        return np.asarray(abs(board.i % modulus - board.j % modulus) < width)

    return Term(f"where(abs(i % {modulus} - j % {modulus}) < {width})", holds)
