"""The best of a whole grid of ranges: from the thinned search's front to the exact one.

Of several ranges one is bisected; boxes over the others are cut in two until what they could hold
at best is not a better than what was found. In a box the largest corner connects no later and the
smallest one has no more pairs than any other, so that a value of the bisected range that the first
needs bounds the pairs of all. Source: branch and bound, Land and Doig 1960. Lists are tried value
by value in `search`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from patternc.frozen import frozen
from patternc.search.candidates import Axis
from patternc.search.parameter_ranges import Front, Line, first_of
from patternc.search.trials import Trials, Values


@frozen
class _Box:
    """Indices low..high of every range but the bisected one, both ends in it."""

    low: tuple[int, ...]
    high: tuple[int, ...]

    def halves(self) -> tuple[_Box, _Box]:
        """Cut along the longest side, the cheaper half first."""
        sides = [high - low for low, high in zip(self.low, self.high, strict=True)]
        at = sides.index(max(sides))
        middle = self.low[at] + sides[at] // 2
        upper, lower = list(self.high), list(self.low)
        upper[at], lower[at] = middle, middle + 1
        return _Box(self.low, tuple(upper)), _Box(tuple(lower), self.high)


@frozen
class Grid:
    """The ranges of one program whose other values are `fixed`."""

    trials: Trials
    fixed: Values
    bisected: Axis
    others: Sequence[Axis]

    @property
    def cells(self) -> int:
        return prod(len(axis.values) for axis in self.others)

    def refine(self, front: Front, layers: int) -> None:
        """Finds the fewest pairs that connect everything within so many layers.

        Raises `TrialsError`.
        """
        stack = [_Box((0,) * len(self.others), tuple(len(each.values) - 1 for each in self.others))]
        while stack:
            box = stack.pop()
            needed = self._needed(box.high, front, layers)
            if needed is None or self._is_over(box.low, needed, front, layers):
                continue
            if box.low != box.high:
                stack.extend(reversed(box.halves()))

    def _needed(self, at: tuple[int, ...], front: Front, layers: int) -> int | None:
        """The index that a corner needs, at least; None: it does not connect everything.

        What is better than all that was found is added to the front.
        """
        line = self._line(at)
        bound = front.bound(layers)
        stop = len(line) if bound is None else first_of(lambda x: line.pairs(x) >= bound, len(line))
        if not self._connects(line, stop - 1, layers):
            # Beyond what is worth it; at all?
            return stop if stop < len(line) else None
        needed = first_of(lambda index: self._connects(line, index, layers), stop - 1)
        reached = line.full_at(needed)
        assert reached is not None
        front.add(reached, line.pairs(needed), line.values(needed))
        return needed

    def _connects(self, line: Line, index: int, layers: int) -> bool:
        return index >= 0 and (line.full_at(index) or layers + 1) <= layers

    def _is_over(self, low: tuple[int, ...], needed: int, front: Front, layers: int) -> bool:
        """Whether the cheapest corner, with that value, is not a better than what was found."""
        bound = front.bound(layers)
        return bound is not None and self._line(low).pairs(needed) >= bound

    def _line(self, at: tuple[int, ...]) -> Line:
        chosen = tuple(
            (axis.name, axis.values[index]) for axis, index in zip(self.others, at, strict=True)
        )
        return Line(self.trials, (*self.fixed, *chosen), self.bisected)
