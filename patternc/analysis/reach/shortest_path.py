"""Paths of information: through which positions a query depends on a key, in fewest layers.

Maps the edges of a schedule to links, one a layer that it moves in. Layers are taken in their order
from the first; a position that already depends on the key waits on the residual path. Positions are
numpy booleans up to some million, integer sets where formulas allow. Does not name the terms that
allow a link.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from patternc.algebra import isl_maps as maps
from patternc.algebra.isl_context import BudgetError, budget
from patternc.analysis.reach import isl_engine
from patternc.analysis.reach.class_paths import CellReach
from patternc.analysis.reach.edges import Edge, Layer, listening
from patternc.analysis.reach.equivalence_cells import ManyCellsError
from patternc.analysis.reach.forward_reach import ForwardReach, Node
from patternc.analysis.table_pairs import UnknownError
from patternc.frozen import frozen
from patternc.ir.sources import TOKENS, Rows, Stream
from patternc.relation.tables import HeadTables

MOST_POSITIONS = 1 << 22
# Up to here lists are as fast as integer sets.
MOST_LISTED = 1 << 13
# More layers than this are not followed.
MOST_LAYERS = 4096


@frozen
class Link:
    """In layer `layer` (counted from 0) `query` takes what `key` held before it.

    Both are positions of the tokens, or slots: of a stream, or of a tree (its spans above the
    tokens, counted from 0).
    """

    layer: int
    query: int
    key: int
    rows: Rows = TOKENS
    source: Rows = TOKENS

    def moved(self, start: int) -> Link:
        """The same, `start` tokens later."""
        query, key = (
            at + (start if source == TOKENS else 0)
            for at, source in ((self.query, self.rows), (self.key, self.source))
        )
        return Link(self.layer, query, key, self.rows, self.source)


class _Known(Protocol):
    """Which positions and slots depend on the key, layer by layer."""

    def advance(self, layer: int) -> bool:
        """Goes through one layer; whether anything was added."""

    def knows(self, at: Node, layers: int) -> bool:
        """Whether it depends on the key after that many layers."""

    def source_of(self, at: Node, layer: int) -> Node:
        """From whom it depends on it in that layer."""


def path(
    steps: Sequence[Layer],
    tables: Sequence[Sequence[HeadTables]],
    n: int,
    query: int,
    key: int,
    layers: int,
) -> tuple[Link, ...] | None:
    """The links of a shortest path, the last layer first; None where there is none within `layers`.

    Raises `UnknownError` where tables depend on inputs that are not given, or n is too large for
    them, and `BudgetError` where the integer sets are.
    """
    if n > MOST_LISTED and is_certain(steps):
        try:
            return _shortest(CellReach(steps, tables, n, key), len(steps), query, layers)
        except ManyCellsError:
            pass
        try:
            made = _Symbolic(
                steps, n, key, isl_engine.HASTY if n <= MOST_POSITIONS else isl_engine.PATIENT
            )
            return _shortest(made, len(steps), query, layers)
        except BudgetError:
            if n > MOST_POSITIONS:
                raise
    if n > MOST_POSITIONS:
        raise UnknownError
    return _shortest(ForwardReach(steps, tables, n, key), len(steps), query, layers)


def is_certain(steps: Sequence[Layer]) -> bool:
    """Whether formulas decide everything, and streams depend on all tokens."""
    return not listening(steps) and not any(edge.literals for step in steps for edge in step)


def _shortest(known: _Known, period: int, query: int, layers: int) -> tuple[Link, ...] | None:
    at, idle = Node(TOKENS, query), 0
    for layer in range(min(layers, MOST_LAYERS)):
        if known.knows(at, layer):
            return tuple(_links(known, at, layer))
        idle = 0 if known.advance(layer) else idle + 1
        if idle > period:
            break
    done = min(layers, layer + 1) if layers else 0
    return tuple(_links(known, at, done)) if known.knows(at, done) else None


def _links(known: _Known, at: Node, layers: int) -> Iterator[Link]:
    for layer in reversed(range(layers)):
        if not known.knows(at, layer):
            before = known.source_of(at, layer)
            yield Link(layer, at.index, before.index, at.source, before.source)
            at = before


class _Symbolic:
    """`_Known` as integer sets, for formulas only; streams depend on all tokens in a layer."""

    def __init__(self, steps: Sequence[Layer], n: int, key: int, operations: int) -> None:
        self._edges, self._n, self._key, self._operations = steps, n, key, operations
        self._steps = [isl_engine.step_of(step, n, operations) for step in steps]
        self._after = [maps.single(key)]

    def advance(self, layer: int) -> bool:
        step, before = self._steps[layer % len(self._steps)], self._after[layer]
        with budget(self._operations):
            later = before.union(step.pairs.intersect_range(before).domain())
            if layer:
                later = later.union(step.streamed.domain())
            self._after.append(later.coalesce())
            return not self._after[-1].is_equal(before)

    def knows(self, at: Node, layers: int) -> bool:
        if at.source != TOKENS:
            return layers > 0
        return bool(maps.single(at.index).is_subset(self._after[layers]))

    def source_of(self, at: Node, layer: int) -> Node:
        if at.source != TOKENS:
            return Node(TOKENS, self._key)
        step = self._steps[layer % len(self._steps)]
        own = step.pairs.intersect_domain(maps.single(at.index))
        own = own.intersect_range(self._after[layer])
        if not own.is_empty():
            return Node(TOKENS, int(own.range().dim_min_val(0).to_python()))
        slots = (
            (edge.source, self._slot(edge, at.index))
            for edge in self._edges[layer % len(self._edges)]
            if isinstance(edge.source, Stream)
        )
        return next(Node(source, slot) for source, slot in slots if slot is not None)

    def _slot(self, edge: Edge, query: int) -> int | None:
        """A slot of a stream that the query attends to."""
        count = getattr(edge.source, "slots", 0)
        held = maps.held(edge.formula, self._n, count, "m").intersect_domain(maps.single(query))
        return None if held.is_empty() else int(held.range().dim_min_val(0).to_python())
