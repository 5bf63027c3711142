"""The search: from a template's axes to its best programs, fewest layers against fewest pairs.

Lists are tried value by value, the cheapest programs first; the longest range is bisected, other
ranges are thinned to values one and a half times apart and then looked at whole (see `refine`).
What a better program has ruled out is not tried. The answer is the best of all values where greater
values of a range hold the pairs of smaller ones. A single trial is in `trials`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product

from patternc.progress import steps
from patternc.search.candidates import MOST_LISTED, Axis, thinned
from patternc.search.parameter_ranges import Front, Line, first_of
from patternc.search.refine import Grid
from patternc.search.trials import Trials


def search(trials: Trials, axes: Sequence[Axis], front: Front) -> None:
    """Adds what the axes hold to the front. Raises `TrialsError`, and `ValueError` for axes."""
    ranges = [axis for axis in axes if axis.grows]
    longest = max(ranges, key=lambda axis: len(axis.values), default=None)
    others = [thinned(axis) if axis.grows else axis for axis in axes if axis is not longest]
    fixed = [[(axis.name, value) for value in axis.values] for axis in others]
    lines = [Line(trials, tuple(chosen), longest) for chosen in _products(fixed)]
    cheapest_first = sorted(
        steps(lines, f"{trials.name}: pairs"), key=lambda line: (line.pairs(0), line.fixed)
    )
    for line in steps(cheapest_first, f"{trials.name}: layers"):
        line.verify_ends()
        _improve(front, line)
    if longest is not None and len(ranges) > 1:
        _refine(trials, axes, longest, front)


def _refine(trials: Trials, axes: Sequence[Axis], longest: Axis, front: Front) -> None:
    """The best of all values of all ranges, by every number of layers, the fewest first."""
    others = [axis for axis in axes if axis.grows and axis is not longest]
    listed = [[(axis.name, value) for value in axis.values] for axis in axes if not axis.grows]
    grids = [Grid(trials, tuple(fixed), longest, others) for fixed in product(*listed)]
    wanted = range(min(front.found, default=1), max(front.found, default=0) + 1)
    for layers in steps([*wanted], f"{trials.name}: ranges"):
        for grid in grids:
            grid.refine(front, layers)


def _products(fixed: list[list[tuple[str, int]]]) -> list[tuple[tuple[str, int], ...]]:
    count = 1
    for values in fixed:
        count *= len(values)
    if count > MOST_LISTED:
        raise ValueError(f"{count:,} combinations of values; at most {MOST_LISTED:,} are tried")
    return list(product(*fixed))


def _improve(front: Front, line: Line) -> None:
    """The cheapest programs of a line, for more and more layers, as long as they are of use."""
    most = front.most
    stop = len(line)
    if most is not None:
        stop = 1 + _or(line.last(lambda index: line.pairs(index) <= most, stop), -1)
    layers: int | None = front.least
    while stop and layers is not None:
        bound = front.below(layers)
        top = _top(line, bound, stop)
        reached = None if top is None else line.full_at(top)
        if top is None or reached is None:
            return
        if reached > layers:
            layers = reached
            continue
        stop = first_of(_within(line, layers), top)
        reached = line.full_at(stop)
        assert reached is not None
        front.add(reached, line.pairs(stop), line.values(stop))
        layers = line.full_at(stop - 1) if stop else None


def _top(line: Line, bound: Fraction | None, stop: int) -> int | None:
    """The last program of the line with fewer pairs than the bound."""
    if bound is None:
        return stop - 1
    return line.last(lambda index: line.pairs(index) < bound, stop)


def _within(line: Line, layers: int) -> Callable[[int], bool]:
    return lambda index: (line.full_at(index) or layers + 1) <= layers


def _or(index: int | None, default: int) -> int:
    return default if index is None else index
