"""The spans of a balanced tree over n tokens, and which tokens attend to which (BP-Transformer).

Level 0 are the n tokens, level l has ceil(n / b^l) spans of b^l tokens (the last may be short), the
root has all. Slots go level by level, left to right. Token i attends on each side, from its
neighbour outwards, to `count` spans of level 0, then of level 1, and so on; where the next span of
a level would overlap what is covered already, its uncovered children appear in for it. So the spans
cover every other token once, and the root is never one of them (Ye et al. 2019, BP-Transformer,
section 3; the walk of `graph_builder/builder.pyx` in yzh119/BPT at 3ce980d, but for children that
do not exist, which that code takes from the next level where n is not a power of two).

By slots the rule is a pair of intervals: a span is attended to by the tokens whose walk reaches
beyond it, but not beyond its parent. Does not handle tiles.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from patternc.algebra.evaluate import Booleans, Integers
from patternc.algebra.work_budget import STRIP
from patternc.frozen import frozen


def level_sizes(n: int, branching: int) -> list[int]:
    """How many spans each level has."""
    sizes = [n] if n else []
    while sizes and sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // branching))
    return sizes


def node_count(n: int, branching: int) -> int:
    """Slots of the tree, the n tokens among them."""
    return sum(level_sizes(n, branching))


def ranges(n: int, branching: int) -> Integers:
    """start, stop of the tokens of every slot: integers [slots, 2]."""
    parts = [np.zeros((0, 2), np.int64)]
    for level, size in enumerate(level_sizes(n, branching)):
        start = np.arange(size, dtype=np.int64) * branching**level
        parts.append(np.stack([start, np.minimum(start + branching**level, n)], 1))
    return np.concatenate(parts)


# --- the walk, as it is defined -------------------------------------------------------------


def walked(rows: Integers, n: int, branching: int, count: int) -> Booleans:
    """Which slots the rows attend to, row by row: booleans [rows, slots]."""
    sizes = level_sizes(n, branching)
    first = np.cumsum([0, *sizes])
    result = np.zeros((len(rows), int(first[-1])), np.bool_)
    for place, row in enumerate(rows.tolist()):
        if row >= 0:
            for level, span in walk(row, sizes, branching, count):
                result[place, first[level] + span] = True
    return result


def walk(row: int, sizes: list[int], branching: int, count: int) -> Iterator[tuple[int, int]]:
    """(level, number) of the spans that a token attends to."""
    right_start, left_start = right, left = row + 1, row - 1
    for level in range(len(sizes)):
        if level:
            # Children appear in for the parent that would overlap, the first of this level's count.
            right_start, left_start = -(-right // branching), (left + 1) // branching - 1
            yield from _inside(level - 1, right, right_start * branching, sizes)
            yield from _inside(level - 1, (left_start + 1) * branching, left + 1, sizes)
            right, left = right // branching, left // branching
        right, left = right + count, left - count
        yield from _inside(level, right_start, right, sizes)
        yield from _inside(level, left + 1, left_start + 1, sizes)


def _inside(level: int, start: int, stop: int, sizes: list[int]) -> Iterator[tuple[int, int]]:
    for span in range(max(start, 0), min(stop, sizes[level])):
        yield level, span


# --- by slots -------------------------------------------------------------------------------


@frozen
class _Level:
    """The spans of one level: rows below `right` reach beyond to the right, from `left` on left."""

    right: Integers
    left: Integers


def contextual(n: int, branching: int, count: int) -> Integers:
    """The rows that attend to a slot: two half-open intervals, integers [slots, 4]."""
    sizes = level_sizes(n, branching)
    found = np.zeros((sum(sizes), 4), np.int64)
    first = 0
    for level, size in enumerate(sizes[:-1]):
        _fill(found[first : first + size], n, branching, level, min(count, n))
        first += size
    # The root, the last slot, is never attended to.
    return found


def _fill(rows: Integers, n: int, branching: int, level: int, count: int) -> None:
    """The spans of one level, some at a time: there may be millions."""
    for start in range(0, len(rows), STRIP):
        span = np.arange(start, min(start + STRIP, len(rows)), dtype=np.int64)
        own = _level(level, span, branching, count)
        above = _level(level + 1, span // branching, branching, count)
        for column, end in enumerate((above.right, own.right, own.left, above.left)):
            rows[span[0] : span[-1] + 1, column] = end.clip(0, n)


def _level(level: int, span: Integers, branching: int, count: int) -> _Level:
    """Where walks pass spans of a level: closed forms of the walk's rounded steps."""
    if level == 0:
        return _Level(span, span + 1)
    below = branching ** (level - 1)
    passed = count * (below * branching - 1) // (branching - 1)
    right = (branching * span + 1) * below - 1 - passed
    return _Level(right, (branching * span + branching - 1) * below + 1 + passed)


def ended(n: int, branching: int) -> Integers:
    """The rows to which a slot is available, those from its last token on: integers [slots, 2]."""
    stops = ranges(n, branching)[:, 1]
    return np.stack([stops - 1, np.full_like(stops, n)], 1)


def covered_pairs(n: int, branching: int) -> int:
    """The pairs of all spans above level 0 with their tokens: each level has every token once."""
    return n * max(len(level_sizes(n, branching)) - 1, 0)


def covered(n: int, branching: int) -> Integers:
    """The tokens of each span above level 0: integers [slots - n, 2]."""
    return ranges(n, branching)[n:]
