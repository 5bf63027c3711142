"""The slowest pair, with the way between its query and key; and a pair that is never connected.

Maps the places where it takes longest, or something is lacking (`reach.slowest_pairs`), to a key
and a shortest path whose links name the terms that allow them. Does not find these pairs itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from patternc.algebra import isl_maps as maps
from patternc.algebra.evaluate import Booleans
from patternc.algebra.isl_context import BudgetError, budget
from patternc.analysis.explain.explain import PathStep, step_of
from patternc.analysis.reach import Latest, Place, isl_engine
from patternc.analysis.reach.class_paths import CellReach
from patternc.analysis.reach.edges import Layer, edges_of
from patternc.analysis.reach.equivalence_cells import ManyCellsError
from patternc.analysis.reach.forward_reach import KeyRangesByLayer, can_depend_on
from patternc.analysis.reach.shortest_path import MOST_LISTED, MOST_POSITIONS, is_certain, path
from patternc.analysis.table_pairs import UnknownError
from patternc.frozen import frozen
from patternc.language.elaborate.elaborate import Elaborated
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables

Tables = Sequence[Sequence[HeadTables]]
Schedule = Sequence[Sequence[Relation]]


@frozen
class Slowest:
    """A pair that `layers` layers connect and no fewer; others may need as many, none more.

    The query is the first that has such a pair, the key its farthest. `path` has one step for each
    layer in which the key moves, the last layer first.
    """

    query: int
    key: int
    layers: int
    path: tuple[PathStep, ...]


def slowest(program: Elaborated, schedule: Schedule, tables: Tables, found: Latest) -> Slowest:
    """The pair at a place. Raises `UnknownError` and `BudgetError` where it cannot be looked at.

    `schedule[layer][head]` and `tables[layer][head]` are those of the program's layers.
    """
    query, key = slowest_pair(schedule, tables, found)
    steps, place = [edges_of(heads) for heads in schedule], found.place
    own, start = _within(tables, place), place.start
    links = path(steps, own, place.width, query - start, key - start, found.layers)
    assert links is not None
    named = tuple(step_of(program, tables, link.moved(start)) for link in links)
    return Slowest(query, key, found.layers, named)


def slowest_pair(schedule: Schedule, tables: Tables, found: Latest) -> tuple[int, int]:
    """The query at a place, and its farthest key. Raises as `slowest`."""
    place = found.place
    own = _within(tables, place)
    steps = [edges_of(heads) for heads in schedule]
    asked = _Asked(steps, own, place.width, place.query - place.start)
    return place.query, place.start + asked.farthest(found.layers)


def unheard(
    schedule: Schedule, tables: Tables, place: Place, layers: int, causal: bool
) -> tuple[int, int]:
    """The query of a place and the farthest key that it may depend on and does not, in the end.

    Raises as `slowest`.
    """
    n, last = tables[0][0].n, place.start + place.width - 1
    if not causal and last < n - 1:
        return place.query, n - 1
    if place.query > last:
        return place.query, 0
    steps, query = [edges_of(heads) for heads in schedule], place.query - place.start
    asked = _Asked(steps, _within(tables, place), place.width, query)
    return place.query, place.start + asked.missing(layers, causal)


def _within(tables: Tables, place: Place) -> Tables:
    """Those of a segment, which no table decides; as they are where it is the whole sequence."""
    if tables[0][0].n == place.width:
        return tables
    return [[HeadTables(place.width)] * len(heads) for heads in tables]


@frozen
class _Asked:
    """One query of n positions."""

    steps: Sequence[Layer]
    tables: Tables
    n: int
    query: int

    def farthest(self, layers: int) -> int:
        """The farthest key that it depends on in so many layers, and no fewer."""
        if (cells := self._cells) is not None:
            return self._far_listed(cells.reached(layers) & ~cells.reached(layers - 1))
        if self._as_sets:
            try:
                later, earlier = self._sets(layers), self._sets(layers - 1)
                return self._far(later.subtract(earlier))
            except BudgetError:
                self._verify_listed()
        ranged = self._ranged()
        late = can_depend_on(ranged, self.query, layers) & ~can_depend_on(
            ranged, self.query, layers - 1
        )
        return self._far_listed(late)

    def missing(self, layers: int, causal: bool) -> int:
        """The farthest permitted key that it does not depend on."""
        permitted = self.query + 1 if causal else self.n
        if (cells := self._cells) is not None:
            return self._far_listed(~cells.reached(layers) & (np.arange(self.n) < permitted))
        if self._as_sets:
            try:
                return self._far(maps.below(permitted).subtract(self._sets(layers)))
            except BudgetError:
                self._verify_listed()
        heard = can_depend_on(self._ranged(), self.query, layers)
        return self._far_listed(~heard & (np.arange(self.n) < permitted))

    @property
    def _cells(self) -> CellReach | None:
        try:
            known = self._as_sets
            return CellReach(self.steps, self.tables, self.n, self.query) if known else None
        except ManyCellsError:
            return None

    @property
    def _as_sets(self) -> bool:
        return self.n > MOST_LISTED and is_certain(self.steps)

    def _verify_listed(self) -> None:
        if self.n > MOST_POSITIONS:
            raise UnknownError

    def _ranged(self) -> KeyRangesByLayer:
        self._verify_listed()
        return KeyRangesByLayer(self.steps, self.tables, self.n)

    def _sets(self, layers: int) -> maps.Positions:
        """The keys that it depends on in so many layers."""
        operations = isl_engine.HASTY if self.n <= MOST_POSITIONS else isl_engine.PATIENT
        steps = [isl_engine.step_of(step, self.n, operations) for step in self.steps]
        wanted = maps.single(self.query)
        with budget(operations * max(layers, 1)):
            for layer in reversed(range(layers)):
                step = steps[layer % len(steps)]
                if layer and not step.streamed.intersect_domain(wanted).is_empty():
                    return maps.below(self.n)
                heard = step.pairs.intersect_domain(wanted).range()
                wanted = wanted.union(heard).coalesce()
        return wanted

    def _far(self, keys: maps.Positions) -> int:
        low, high = (int(end(0).to_python()) for end in (keys.dim_min_val, keys.dim_max_val))
        return low if abs(low - self.query) >= abs(high - self.query) else high

    def _far_listed(self, chosen: Booleans) -> int:
        keys = np.flatnonzero(chosen)
        return int(keys[np.abs(keys - self.query).argmax()])
