"""The search: from a template's axes to its best programs, fewest layers against fewest pairs.

Lists are tried value by value, the cheapest programs first; the longest range is bisected, other
ranges are thinned to values one and a half times apart. What a better program has ruled out is not
tried. The answer is the best of all values where greater values of a range hold the pairs of
smaller ones. Non-goals: what a trial is (`trials`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

from patternc.analysis.suggest.trials import Trials, Values
from patternc.analysis.suggest.values import MOST_LISTED, Axis, thinned
from patternc.progress import steps


@dataclass(slots=True)
class Front:
    """The cheapest values found for `least` layers and more, with `most` pairs at most."""

    most: Fraction | None
    least: int = 1
    found: dict[int, tuple[Fraction, Values]] = field(default_factory=dict)

    def below(self, layers: int) -> Fraction | None:
        """Fewer pairs than these are of use within so many layers; None is any number."""
        return min((pairs for at, (pairs, _) in self.found.items() if at <= layers), default=None)

    def add(self, layers: int, pairs: Fraction, values: Values) -> None:
        bound = self.below(layers)
        if bound is None or pairs < bound:
            self.found[layers] = (pairs, values)

    def kept(self) -> Iterator[tuple[int, Values]]:
        """The values that none of fewer layers and pairs betters, fewest layers first."""
        for layers, (pairs, values) in sorted(self.found.items()):
            before = self.below(layers - 1)
            if before is None or pairs < before:
                yield layers, values


@dataclass(slots=True)
class _Line:
    """Programs in a row, from few pairs to many: all values of one range, the rest fixed."""

    trials: Trials
    fixed: Values
    axis: Axis | None
    _tried: dict[int, int | None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.axis.values) if self.axis else 1

    def values(self, index: int) -> Values:
        own = ((self.axis.name, self.axis.values[index]),) if self.axis else ()
        return (*self.fixed, *own)

    def pairs(self, index: int) -> Fraction:
        return self.trials.pairs(self.values(index))

    def full_at(self, index: int) -> int | None:
        found = self.trials.full_at(self.values(index))
        self._tried[index] = found
        self._verify(index, found)
        return found

    def _verify(self, index: int, found: int | None) -> None:
        """Greater values connect no later: what bisection rests on."""
        never = self.trials.asked.layers + 1
        for other, layers in self._tried.items():
            low, high = sorted(((index, found or never), (other, layers or never)))
            if self.axis is not None and low[1] < high[1]:
                told = f"{self._told(high[0])} connects later than {self._told(low[0])}"
                raise _not_growing(self.axis, told)

    def verify_ends(self) -> None:
        """More pairs at the end than at the start, or as many."""
        last = len(self) - 1
        if self.axis is not None and self.pairs(last) < self.pairs(0):
            raise _not_growing(
                self.axis, f"{self._told(last)} holds fewer pairs than {self._told(0)}"
            )

    def _told(self, index: int) -> str:
        return f"{self.axis.name} = {self.axis.values[index]}" if self.axis else ""

    def last(self, holds: Callable[[int], bool], stop: int) -> int | None:
        """The last index below `stop` up to which `holds` is true."""
        count = _first(lambda index: not holds(index), stop)
        return count - 1 if count else None


def _not_growing(axis: Axis, told: str) -> ValueError:
    first, last = axis.values[0], axis.values[-1] + 1
    return ValueError(
        f"{told}, so that the range cannot be bisected; "
        f"list its values, as {axis.name}={first}:{last}:*2"
    )


def _first(holds: Callable[[int], bool], stop: int) -> int:
    """The first index below `stop` from which `holds` is true; `stop` if there is none."""
    start = 0
    while start < stop:
        middle = (start + stop) // 2
        start, stop = (start, middle) if holds(middle) else (middle + 1, stop)
    return start


def search(trials: Trials, axes: Sequence[Axis], front: Front) -> None:
    """Adds what the axes hold to the front. Raises `TrialsError`, and `ValueError` for axes."""
    ranges = [axis for axis in axes if axis.grows]
    longest = max(ranges, key=lambda axis: len(axis.values), default=None)
    others = [thinned(axis) if axis.grows else axis for axis in axes if axis is not longest]
    fixed = [[(axis.name, value) for value in axis.values] for axis in others]
    lines = [_Line(trials, tuple(chosen), longest) for chosen in _products(fixed)]
    cheapest_first = sorted(
        steps(lines, f"{trials.name}: pairs"), key=lambda line: (line.pairs(0), line.fixed)
    )
    for line in steps(cheapest_first, f"{trials.name}: layers"):
        line.verify_ends()
        _improve(front, line)


def _products(fixed: list[list[tuple[str, int]]]) -> list[tuple[tuple[str, int], ...]]:
    count = 1
    for values in fixed:
        count *= len(values)
    if count > MOST_LISTED:
        raise ValueError(f"{count:,} combinations of values; at most {MOST_LISTED:,} are tried")
    return list(product(*fixed))


def _improve(front: Front, line: _Line) -> None:
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
        stop = _first(_within(line, layers), top)
        reached = line.full_at(stop)
        assert reached is not None
        front.add(reached, line.pairs(stop), line.values(stop))
        layers = line.full_at(stop - 1) if stop else None


def _top(line: _Line, bound: Fraction | None, stop: int) -> int | None:
    """The last program of the line with fewer pairs than the bound."""
    if bound is None:
        return stop - 1
    return line.last(lambda index: line.pairs(index) < bound, stop)


def _within(line: _Line, layers: int) -> Callable[[int], bool]:
    return lambda index: (line.full_at(index) or layers + 1) <= layers


def _or(index: int | None, default: int) -> int:
    return default if index is None else index
