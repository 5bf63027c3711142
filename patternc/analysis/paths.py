"""Paths of information: through which positions a query hears of a key, in fewest layers.

From the edges of a schedule to links, one a layer that it moves in. Layers are taken in their order
from the first; a position that already heard of the key waits on the residual path. Positions are
numpy booleans up to some million, integer sets beyond that. Non-goals: which term allows a link.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from patternc.analysis.listed import UnknownError
from patternc.analysis.reach import symbolic
from patternc.analysis.reach.bits import window_ranges
from patternc.analysis.reach.edges import Edge, Layer
from patternc.analysis.reach.ranges import Ranges, ranges_of
from patternc.language.sources import Pool, Stream, Tokens, Tree
from patternc.relation import integer_maps as maps
from patternc.relation.evaluation import Booleans, Integers
from patternc.relation.integer_sets import budget
from patternc.relation.tables import HeadTables

MOST_POSITIONS = 1 << 22
# More layers than this are not followed.
MOST_LAYERS = 4096


@dataclass(frozen=True, slots=True)
class Link:
    """In layer `layer` (counted from 0) position `query` takes what `key` held before it.

    `through_stream`: the key was heard by a stream in an earlier layer, and the query by that.
    """

    layer: int
    query: int
    key: int
    through_stream: bool = False


class _Heard(Protocol):
    """Which positions have heard of the key, layer by layer."""

    def advance(self, layer: int) -> bool:
        """Goes through one layer; whether anything was added."""

    def knows(self, query: int, layers: int) -> bool:
        """Whether the position has heard of it after that many layers."""

    def link(self, query: int, layer: int) -> Link:
        """From whom the position hears of it in that layer."""


def path(
    steps: Sequence[Layer],
    tables: Sequence[Sequence[HeadTables]],
    n: int,
    query: int,
    key: int,
    layers: int,
) -> tuple[Link, ...] | None:
    """The links of a shortest path, the last layer first; None where there is none within `layers`.

    Raises `UnknownError` where tables depend on inputs that are not given, n is too large for them,
    or paths may lead through the spans of a tree, and `BudgetError` where the integer sets are.
    """
    heard = _follow(steps, tables, n, key)
    idle = 0
    for layer in range(min(layers, MOST_LAYERS)):
        if heard.knows(query, layer):
            return tuple(_links(heard, query, layer))
        idle = 0 if heard.advance(layer) else idle + 1
        if idle > len(steps):
            break
    done = min(layers, layer + 1) if layers else 0
    return tuple(_links(heard, query, done)) if heard.knows(query, done) else None


def _links(heard: _Heard, query: int, layers: int) -> Iterator[Link]:
    for layer in reversed(range(layers)):
        if heard.knows(query, layer):
            continue
        link = heard.link(query, layer)
        yield link
        query = link.key
        if link.through_stream:
            return


def _follow(
    steps: Sequence[Layer], tables: Sequence[Sequence[HeadTables]], n: int, key: int
) -> _Heard:
    if any(isinstance(edge.source, Tree) for step in steps for edge in step):
        raise UnknownError
    if n <= MOST_POSITIONS:
        return _Listed(steps, tables, n, key)
    if any(edge.literals for step in steps for edge in step):
        raise UnknownError
    return _Symbolic(steps, n, key)


class _Listed:
    """`_Heard` as booleans over the positions."""

    def __init__(
        self, steps: Sequence[Layer], tables: Sequence[Sequence[HeadTables]], n: int, key: int
    ) -> None:
        self._key = key
        self._steps, self._tables = steps, tables
        self._ranges: dict[int, list[tuple[Edge, Ranges]]] = {}
        start = np.zeros(n, np.bool_)
        start[key] = True
        self._after = [start]

    def advance(self, layer: int) -> bool:
        before = self._after[layer]
        later = before.copy()
        for edge, ranges in self._of(layer):
            later[ranges.row[_any_in(ranges, self._slots(edge, layer))]] = True
        self._after.append(later)
        return bool((later != before).any())

    def knows(self, query: int, layers: int) -> bool:
        return bool(self._after[layers][query])

    def link(self, query: int, layer: int) -> Link:
        for edge, ranges in self._of(layer):
            slots = self._slots(edge, layer)
            at = np.flatnonzero(ranges.row == query)
            own = Ranges(ranges.step, ranges.row[at], ranges.start[at], ranges.stop[at])
            for found in np.flatnonzero(_any_in(own, slots)):
                keys = np.arange(own.start[found], own.stop[found], own.step)
                slot = int(keys[slots[keys]][0])
                return self._link(edge, query, layer, slot)
        raise AssertionError("the position hears of the key in this layer")

    def _link(self, edge: Edge, query: int, layer: int, slot: int) -> Link:
        match edge.source:
            case Tokens():
                return Link(layer, query, slot)
            case Stream():
                return Link(layer, query, self._key, through_stream=True)
            case Pool() as pool:
                window = window_ranges(pool, len(self._after[0]))
                inside = np.arange(window.start[slot], window.stop[slot])
            case _:
                inside = np.arange(len(self._after[0]))
        return Link(layer, query, int(inside[self._after[layer][inside]][0]))

    def _of(self, layer: int) -> list[tuple[Edge, Ranges]]:
        at = layer % len(self._steps)
        if at not in self._ranges:
            tables = self._tables[at]
            self._ranges[at] = [
                (edge, ranges)
                for edge in self._steps[at]
                for ranges in ranges_of(edge, tables[edge.head].of(edge.source))
            ]
        return self._ranges[at]

    def _slots(self, edge: Edge, layer: int) -> Booleans:
        """Which slots of the edge's source hold something of the key before the layer."""
        before = self._after[layer]
        match edge.source:
            case Tokens():
                return before
            case Pool() as pool:
                return _any_in(window_ranges(pool, len(before)), before)
            case Stream(_, count):
                return np.full(count, layer > 0)
            case source:
                return np.full(getattr(source, "slots", 0), True)


def _any_in(ranges: Ranges, members: Booleans) -> Booleans:
    """Which ranges hold a member."""
    # A greater step is that of single slots.
    step = max(1, min(ranges.step, len(members)))
    length = -(-len(members) // step)
    padded = np.zeros(length * step, np.int64)
    padded[: len(members)] = members
    before = np.append(0, np.cumsum(padded.reshape(length, step).T))
    start = ranges.start % step * length + ranges.start // step
    count: Integers = -(-(ranges.stop - ranges.start) // ranges.step)
    return np.asarray(before[start + count] > before[start])


class _Symbolic:
    """`_Heard` as integer sets, for formulas only."""

    def __init__(self, steps: Sequence[Layer], n: int, key: int) -> None:
        self._steps = [symbolic.step_of(step, n) for step in steps]
        self._key = key
        self._after = [maps.single(key)]

    def advance(self, layer: int) -> bool:
        step, before = self._steps[layer % len(self._steps)], self._after[layer]
        with budget(symbolic.PATIENT):
            later = before.union(step.pairs.intersect_range(before).domain())
            if layer:
                later = later.union(step.streamed.domain())
            self._after.append(later.coalesce())
            return not self._after[-1].is_equal(before)

    def knows(self, query: int, layers: int) -> bool:
        return bool(maps.single(query).is_subset(self._after[layers]))

    def link(self, query: int, layer: int) -> Link:
        step = self._steps[layer % len(self._steps)]
        own = step.pairs.intersect_domain(maps.single(query)).intersect_range(self._after[layer])
        if own.is_empty():
            return Link(layer, query, self._key, through_stream=True)
        return Link(layer, query, int(own.range().dim_min_val(0).to_python()))
