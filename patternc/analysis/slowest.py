"""The slowest pair: a query and a key that no fewer layers connect, and the way between them.

From the place where it takes longest (`reach.latest`) to its farthest key and a shortest path whose
links name the terms that allow them. Non-goals: finding the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from patternc.analysis.heard import Ranged, hears_of
from patternc.analysis.listed import UnknownError
from patternc.analysis.paths import MOST_LISTED, MOST_POSITIONS, is_certain, path
from patternc.analysis.reach import Latest, symbolic
from patternc.analysis.reach.edges import Layer, edges_of
from patternc.analysis.reasons import Step, step_of
from patternc.language.elaborate import Elaborated
from patternc.relation import integer_maps as maps
from patternc.relation.integer_sets import BudgetError, budget
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables


@dataclass(frozen=True, slots=True)
class Slowest:
    """A pair that `layers` layers connect and no fewer; more of them have other queries and keys.

    The query is the first that has such a pair, the key its farthest. `path` has one step a layer
    in which the key moves, the last layer first.
    """

    query: int
    key: int
    layers: int
    path: tuple[Step, ...]


def slowest(
    program: Elaborated,
    schedule: Sequence[Sequence[Relation]],
    tables: Sequence[Sequence[HeadTables]],
    place: Latest,
) -> Slowest:
    """The pair at a place. Raises `UnknownError` and `BudgetError` where it cannot be looked at.

    `schedule[layer][head]` and `tables[layer][head]` are those of the program's layers.
    """
    steps = [edges_of(heads) for heads in schedule]
    own = _within(tables, place)
    query = place.query - place.start
    key = _farthest(steps, own, place.width, query, place.layers)
    links = path(steps, own, place.width, query, key, place.layers)
    assert links is not None
    found = tuple(step_of(program, tables, link.moved(place.start)) for link in links)
    return Slowest(place.query, place.start + key, place.layers, found)


def _within(
    tables: Sequence[Sequence[HeadTables]], place: Latest
) -> Sequence[Sequence[HeadTables]]:
    """Those of a segment, which no table decides; as they are where it is the whole sequence."""
    if tables[0][0].n == place.width:
        return tables
    return [[HeadTables(place.width)] * len(heads) for heads in tables]


def _farthest(
    steps: Sequence[Layer],
    tables: Sequence[Sequence[HeadTables]],
    n: int,
    query: int,
    layers: int,
) -> int:
    """The farthest key that the query hears of in no fewer layers; the first of two."""
    if n > MOST_LISTED and is_certain(steps):
        operations = symbolic.HASTY if n <= MOST_POSITIONS else symbolic.PATIENT
        try:
            return _farthest_of(_late(steps, n, query, layers, operations), query)
        except BudgetError:
            if n > MOST_POSITIONS:
                raise
    if n > MOST_POSITIONS:
        raise UnknownError
    ranged = Ranged(steps, tables, n)
    late = hears_of(ranged, query, layers) & ~hears_of(ranged, query, layers - 1)
    keys = np.flatnonzero(late)
    return int(keys[np.abs(keys - query).argmax()])


def _late(
    steps: Sequence[Layer], n: int, query: int, layers: int, operations: int
) -> maps.Positions:
    made = [symbolic.step_of(step, n, operations) for step in steps]
    with budget(operations * layers):
        later, earlier = (_heard(made, n, query, count) for count in (layers, layers - 1))
        return later.subtract(earlier)


def _heard(steps: Sequence[symbolic.Step], n: int, query: int, layers: int) -> maps.Positions:
    wanted = maps.single(query)
    for layer in reversed(range(layers)):
        step = steps[layer % len(steps)]
        if layer and not step.streamed.intersect_domain(wanted).is_empty():
            return maps.everything(n).range()
        wanted = wanted.union(step.pairs.intersect_domain(wanted).range()).coalesce()
    return wanted


def _farthest_of(keys: maps.Positions, query: int) -> int:
    low, high = (int(end(0).to_python()) for end in (keys.dim_min_val, keys.dim_max_val))
    return low if abs(low - query) >= abs(high - query) else high
