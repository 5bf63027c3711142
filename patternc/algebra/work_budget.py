"""Bounds on what is listed one by one (rows, pairs and tiles), and on what one command computes.

Arrays whose length depends on n are announced by `spend` before they are made. Under `effort` the
announced cells are added up, and `EffortError` is raised beyond the bound or for one array that is
too large; elsewhere nothing is bounded. Under `allowance` the numbers that all parts of a command
compute are added up too: what comes after the bound is left to bounds, or refused. Integer sets
have a budget of their own (`integer_sets`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Cells of one query: some seconds. Of one array: 64 MB of integers, and it has copies.
CELLS = 1 << 28
AT_ONCE = 1 << 23
# Rows that are looked at together where they can be taken in parts.
STRIP = 1 << 20
# Numbers that one command computes, in arrays: some seconds.
NUMBERS = 3 << 29
# The last of them are kept for small arrays, by which every part finds a bound.
RESERVED, SMALL = 1 << 26, 1 << 16
_LOCAL = threading.local()


class EffortError(ValueError):
    """More would be listed one by one than a query may."""


@contextmanager
def effort(cells: int = CELLS) -> Iterator[None]:
    """Bounds what is listed inside; nested bounds count as the outermost."""
    if getattr(_LOCAL, "left", None) is not None:
        yield
        return
    _LOCAL.left = cells
    try:
        yield
    finally:
        _LOCAL.left = None


@contextmanager
def allowance(numbers: int = NUMBERS) -> Iterator[None]:
    """Bounds what is computed inside; nested bounds count as the outermost."""
    if getattr(_LOCAL, "numbers", None) is not None:
        yield
        return
    _LOCAL.numbers, _LOCAL.refused = numbers, False
    try:
        yield
    finally:
        _LOCAL.numbers = None


def is_used_up() -> bool:
    """Whether something was refused under the allowance."""
    return bool(getattr(_LOCAL, "refused", False))


def compute(numbers: int) -> None:
    """So many numbers are computed."""
    left = getattr(_LOCAL, "numbers", None)
    if left is None:
        return
    if numbers > (left if numbers <= SMALL else left - RESERVED):
        _LOCAL.refused = True
        raise EffortError("this command would compute more numbers than one may; ask for less")
    _LOCAL.numbers = left - numbers


def spend(cells: int, kept: bool = True) -> None:
    """So many cells are looked at, in one array if they are `kept` together."""
    compute(cells)
    left = getattr(_LOCAL, "left", None)
    if left is None:
        return
    if cells > left or (kept and cells > AT_ONCE):
        raise EffortError(
            f"{cells:,} rows, pairs or tiles would be listed one by one, more than "
            f"{min(left, AT_ONCE) if kept else left:,}; `report` gives bounds"
        )
    _LOCAL.left = left - cells


def strips(count: int) -> Iterator[tuple[int, int]]:
    """first, stop of parts of `count` rows, which are announced together."""
    spend(count, kept=False)
    for first in range(0, count, STRIP):
        yield first, min(first + STRIP, count)
