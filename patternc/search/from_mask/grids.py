"""Windows on grids: `neighborhood([H, W], ..)` whose middle query has the keys of the mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from patternc.frontend import Frontend
from patternc.language.syntax.diagnostics import PatternError
from patternc.search.from_mask.boards import Board
from patternc.search.from_mask.terms import Term
from patternc.semantics.errors import LengthError
from patternc.semantics.mask import multiplicity

_AXES = 3

# Left, right and dilation of one axis.
Window = tuple[int, int, int]


def grids(boards: Sequence[Board]) -> Iterator[Term]:
    """At one length: a grid has one number of positions."""
    board = boards[0]
    if len(boards) > 1 or board.first:
        return
    for sizes in factored(board.n, _AXES):
        for windows in _windows(board, sizes):
            for text in _texts(sizes, windows):
                yield dense_term(text, board.n)


def factored(n: int, axes: int) -> Iterator[tuple[int, ...]]:
    """The grids of n positions, of so many axes at most."""
    yield (n,)
    if axes > 1:
        for size in range(2, n // 2 + 1):
            if n % size == 0:
                yield from ((size, *rest) for rest in factored(n // size, axes - 1))


def _windows(board: Board, sizes: tuple[int, ...]) -> Iterator[tuple[Window, ...]]:
    """The window of the query in the middle, where its keys are a product of evenly spaced ones."""
    middle = tuple(size // 2 for size in sizes)
    row = int(np.ravel_multi_index(middle, sizes))
    if not board.care[row].all() or not board.target[row].any():
        return
    keys = np.unravel_index(np.flatnonzero(board.target[row]), sizes)
    axes = [np.unique(axis) for axis in keys]
    if prod(map(len, axes)) != len(keys[0]) or len(keys[0]) == board.n:
        return
    found: list[Window] = []
    for axis, at in zip(axes, middle, strict=True):
        steps = np.unique(np.diff(axis))
        step = int(steps[0]) if len(steps) else 1
        if len(steps) > 1 or (at - axis[0]) % step or axis[0] > at or axis[-1] < at:
            return
        found.append((int(at - axis[0]) // step, int(axis[-1] - at) // step, step))
    yield tuple(found)


def _texts(sizes: tuple[int, ...], windows: tuple[Window, ...]) -> Iterator[str]:
    grid = ", ".join(map(str, sizes))
    left, right, dilation = (list(side) for side in zip(*windows, strict=True))
    sides = f"radius={left}" if left == right else f"left={left}, right={right}"
    steps = f", dilation={dilation}" if max(dilation) > 1 else ""
    back = [axis for axis, far in enumerate(right) if not far and left[axis]]
    for edge, count in product(("", ", edge=shift"), range(2 ** len(back))):
        chosen = [axis for at, axis in enumerate(back) if count >> at & 1]
        causal = f", causal={chosen}" if chosen else ""
        yield f"neighborhood([{grid}], {sides}{steps}{edge}{causal})"


def dense_term(text: str, n: int) -> Term:
    """A term by its mask at one length, without pairs where its window does not fit the grid."""
    return Term(text, lambda _: np.unpackbits(_dense(text, n), count=n * n).reshape(n, n) > 0)


@lru_cache(maxsize=128)
def _dense(text: str, n: int) -> NDArray[np.uint8]:
    try:
        pattern = Frontend(text, "<from mask>", {}).resolve(0, 0, "")
        return np.packbits(multiplicity(pattern, n) > 0)
    except (PatternError, LengthError):
        return np.packbits(np.zeros((n, n), np.bool_))
