"""Programs in a row, and the best of those found: what every search over values uses.

Maps values of one range, the others fixed, to pairs and layers that are each found once. Does not
choose which ranges to search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from patternc.search.candidates import Axis
from patternc.search.trials import Trials, Values


@dataclass(slots=True)
class Front:
    """The cheapest values found for `least` layers and more, with `most` pairs at most."""

    most: Fraction | None
    least: int = 1
    found: dict[int, tuple[Fraction, Values]] = field(default_factory=dict)

    def below(self, layers: int) -> Fraction | None:
        """Fewer pairs than these are of use within so many layers; None is any number."""
        return min((pairs for at, (pairs, _) in self.found.items() if at <= layers), default=None)

    def bound(self, layers: int) -> Fraction | None:
        """What is of use within so many layers has fewer pairs; None is any number."""
        found = self.below(layers)
        # As many as the budget are within it.
        return found if found is not None or self.most is None else self.most + Fraction(1, 1 << 32)

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
class Line:
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
                self.axis, f"{self._told(last)} contains fewer pairs than {self._told(0)}"
            )

    def _told(self, index: int) -> str:
        return f"{self.axis.name} = {self.axis.values[index]}" if self.axis else ""

    def last(self, holds: Callable[[int], bool], stop: int) -> int | None:
        """The last index below `stop` up to which `holds` is true."""
        count = first_of(lambda index: not holds(index), stop)
        return count - 1 if count else None


def _not_growing(axis: Axis, told: str) -> ValueError:
    first, last = axis.values[0], axis.values[-1] + 1
    return ValueError(
        f"{told}, so that the range cannot be bisected; "
        f"list its values: {axis.name}={first}:{last}:*2"
    )


def first_of(holds: Callable[[int], bool], stop: int) -> int:
    """The first index below `stop` from which `holds` is true; `stop` if there is none."""
    start = 0
    while start < stop:
        middle = (start + stop) // 2
        start, stop = (start, middle) if holds(middle) else (middle + 1, stop)
    return start
