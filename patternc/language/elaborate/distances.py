"""Sets of distances as conditions: bands, and evenly spaced ones by their remainder.

Converts integers to a condition on an expression. What is evenly spaced becomes one comparison with
a remainder, from which kernels take classes of positions. Does not read programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from patternc.algebra.simplify import conjunction, disjunction, modulo, subtract
from patternc.ir.formula import Compare, Condition, Constant, Expression

# Evenly spaced distances that are worth a remainder.
FEWEST = 4


def among(value: Expression, distances: Iterable[int]) -> Condition:
    """Whether the value is one of the distances."""
    return disjunction(_of(value, *each) for each in progressions(distances))


def _of(value: Expression, first: int, last: int, step: int) -> Condition:
    if first == last:
        return Compare("==", value, Constant(first))
    ends = [Compare("<=", Constant(first), value), Compare("<=", value, Constant(last))]
    if step == 1:
        return conjunction(ends)
    rest = modulo(subtract(value, Constant(first % step)), Constant(step))
    return conjunction([*ends, Compare("==", rest, Constant(0))])


def progressions(numbers: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """(first, last, step) of neighbours, of evenly spaced ones, and of single ones."""
    distances, at = sorted(set(numbers)), 0
    while at < len(distances):
        step = distances[at + 1] - distances[at] if at + 1 < len(distances) else 1
        end = at
        while end + 1 < len(distances) and distances[end + 1] - distances[end] == step:
            end += 1
        if step > 1 and end - at + 1 < FEWEST:
            end = at
        yield distances[at], distances[end], step
        at = end + 1
