"""Lengths that a pattern has a meaning at: grids fix the number of their positions.

Maps a pattern to the smallest and largest n, before anything is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from patternc.algebra.evaluate import Keys, interval
from patternc.algebra.walk import readings_of
from patternc.ir.formula import Constant, Expression
from patternc.ir.parts import children
from patternc.ir.terms import (
    Blocks,
    EqualParts,
    HeadPattern,
    Neighborhood,
    Part,
    PositionRange,
    Windows,
)
from patternc.semantics.errors import LengthError
from patternc.semantics.lengths_of_grids import verify_grid
from patternc.semantics.neighborhoods import verify_length

Span = tuple[int, int]
Around = tuple[Blocks | EqualParts | Part, ...]


def verify(pattern: HeadPattern, n: int) -> None:
    """Raises `LengthError` where a grid of the pattern does not have n positions."""
    for grid, around in _grids(pattern, ()):
        if any(map(_is_open, around)):
            continue
        inside, size = _length(around, n), _size(grid)
        if around and inside != size:
            raise _unfit(size, inside, n, _fitting(size, around))
        if isinstance(grid, Neighborhood):
            verify_length(grid, inside)
        else:
            verify_grid([axis.size for axis in grid.axes], inside)


def _unfit(size: int, inside: int, n: int, span: Span | None) -> LengthError:
    message = f"a grid of {size} positions stands where n = {n} has {inside} of them"
    match span:
        case None:
            return LengthError(message)
        case least, most if least == most:
            return LengthError(f"{message}; n = {most} fits", expected=most)
        case least, most:
            return LengthError(f"{message}; n from {least} to {most} fits")


def _size(grid: Neighborhood | Windows) -> int:
    return prod(axis.size for axis in grid.axes)


def _is_open(lift: Blocks | EqualParts | Part) -> bool:
    """Does a size of the call decide how many positions a part has?"""
    if not isinstance(lift, Part):
        return False
    ends = (lift.positions.start, lift.positions.stop)
    return any(end is not None and any(readings_of(end)) for end in ends)


def _length(around: Around, n: int) -> int:
    """How many positions there are inside of what stands around a grid."""
    for lift in around:
        match lift:
            case Blocks(size):
                n = -(-n // size)
            case EqualParts(count):
                n = count
            case Part(positions):
                start, stop = interval(positions, n, Keys(0, n, n))
                n = max(0, stop - start)
    return n


def fitting(pattern: HeadPattern) -> Span | None:
    """The smallest and largest n that fits every grid; None where every n fits."""
    found = [_fitting(_size(grid), around) for grid, around in _grids(pattern, ())]
    spans = [span for span in found if span is not None]
    if not spans:
        return None
    least, most = max(low for low, _ in spans), min(high for _, high in spans)
    if least > most:
        raise LengthError("the grids of this pattern have no common length")
    return least, most


def _fitting(size: int, around: Around) -> Span | None:
    """The lengths at which so many positions are inside; None where n does not decide."""
    least = most = size
    for lift in reversed(around):
        match lift:
            case Blocks(block):
                least, most = (least - 1) * block + 1, most * block
            case EqualParts():
                return None
            case Part(PositionRange(start, stop)):
                before, behind = _left_out(start, False), _left_out(stop, True)
                if before is None or behind is None:
                    return None
                least, most = least + before + behind, most + before + behind
    return least, most


def _left_out(end: Expression | None, behind: bool) -> int | None:
    """How many positions before a start, or behind a stop, a part lacks at every n, if known."""
    match end:
        case None:
            return 0
        case Constant(value) if not behind and value >= 0:
            return value
        case Constant(value) if behind and value < 0:
            return -value
        case _:
            return None


def _grids(node: object, around: Around) -> Iterator[tuple[Neighborhood | Windows, Around]]:
    """Every grid, and what it stands in, from outside in."""
    match node:
        case Neighborhood() | Windows():
            yield node, around
        case Blocks(_, body) | EqualParts(_, body) | Part(_, body):
            yield from _grids(body, (*around, node))
        case _:
            for part in children(node):
                yield from _grids(part, around)
