"""Lengths that a pattern has a meaning at: grids fix the number of their positions.

Maps a pattern to the smallest and largest n, before anything is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from math import prod

from patternc.ir.terms import Blocks, EqualParts, HeadPattern, Neighborhood
from patternc.semantics.errors import LengthError
from patternc.semantics.neighborhoods import verify_length

Span = tuple[int, int]


def verify(pattern: HeadPattern, n: int) -> None:
    """Raises `LengthError` where a grid of the pattern does not have n positions."""
    for grid, block, parts in _grids(pattern, 1, 0):
        verify_length(grid, -(-(parts or n) // block))


def fitting(pattern: HeadPattern) -> Span | None:
    """The smallest and largest n that fits every grid; None where every n fits."""
    spans = [
        ((size - 1) * block + 1, size * block)
        for grid, block, parts in _grids(pattern, 1, 0)
        if not parts
        for size in [prod(axis.size for axis in grid.axes)]
    ]
    if not spans:
        return None
    least, most = max(low for low, _ in spans), min(high for _, high in spans)
    if least > most:
        raise LengthError("the grids of this pattern have no common length")
    return least, most


def _grids(node: object, block: int, parts: int) -> Iterator[tuple[Neighborhood, int, int]]:
    """Every neighbourhood, and the blocks or parts that its positions count."""
    match node:
        case Neighborhood():
            yield node, block, parts
        case Blocks(size, body):
            yield from _grids(body, block * size, parts)
        case EqualParts(count, body):
            yield from _grids(body, 1, count)
        case tuple():
            for item in node:
                yield from _grids(item, block, parts)
        case _ if is_dataclass(node):
            for field in fields(node):
                yield from _grids(getattr(node, field.name), block, parts)
