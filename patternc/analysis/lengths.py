"""The length a pattern is looked at where none is given, and the lengths it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from patternc.language.terms import (
    Blocks,
    Complement,
    Difference,
    HeadPattern,
    Intersection,
    Neighborhood,
    On,
    Random,
    Term,
    Union,
    With,
)
from patternc.relation.meaning import branches_of
from patternc.relation.neighborhoods import verify_length

LENGTH = 4096


def usual_length(pattern: HeadPattern) -> int | None:
    """The tokens of the grid in a pattern that has one."""
    sizes = (
        unit * prod(axis.size for axis in grid.axes)
        for branch in branches_of(pattern)
        for grid, unit in _grids(branch)
    )
    return next(sizes, None)


def verify(pattern: HeadPattern, n: int) -> None:
    """Raises `LengthError` where a grid does not have n positions."""
    for branch in branches_of(pattern):
        for grid, unit in _grids(branch):
            verify_length(grid, -(-n // unit))


def _grids(term: Term, unit: int = 1) -> Iterator[tuple[Neighborhood, int]]:
    """The grids whose positions count tokens or blocks, with the tokens of such a position."""
    match term:
        case Neighborhood():
            yield term, unit
        case Blocks(size, body):
            yield from _grids(body, unit * size)
        case Union(terms) | Intersection(terms):
            for item in terms:
                yield from _grids(item, unit)
        case Difference(left, right):
            yield from _grids(left, unit)
            yield from _grids(right, unit)
        case Complement(inner) | On(inner) | With(inner):
            yield from _grids(inner, unit)
        case Random():
            yield from _grids(term.avoid, unit)
        case _:
            return
