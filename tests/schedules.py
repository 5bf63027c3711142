"""Schedules of relations with given tiles, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from patternc import Pattern
from patternc.relation.relation import Relation
from patternc.schedule.build import build_schedule
from patternc.schedule.decompose import decompose
from patternc.schedule.schedule import Schedule
from patternc.schedule.tilings import tile


def schedule_of(
    relations: Sequence[Sequence[Relation]],
    heads: int | None,
    layers: int | None,
    query_tile: int,
    key_tile: int,
) -> Schedule:
    """`relations[layer][head]` through the last stages."""
    return build_schedule(tile(decompose(relations, query_tile, key_tile)), heads, layers)


def schedule_of_pattern(pattern: Pattern, query_tile: int, key_tile: int) -> Schedule:
    """All layers, for the rows of the tokens."""
    relations = [pattern.relations(layer) for layer in range(pattern.layers or 1)]
    return schedule_of(relations, pattern.heads, pattern.layers, query_tile, key_tile)
