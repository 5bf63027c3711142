"""Building a schedule: the relations of all layers and heads to groups, passes and tilings."""

from __future__ import annotations

from collections.abc import Sequence

from patternc.layout.layout import Tiling
from patternc.layout.tiling import tiling
from patternc.relation.relation import Branch, Relation
from patternc.schedule.grouping import Shared, group_heads, share, with_slots
from patternc.schedule.schedule import Group, Pass, Schedule
from patternc.schedule.tiles import KEY_TILE, QUERY_TILE


def build_schedule(
    relations: Sequence[Sequence[Relation]],
    *,
    heads: int | None,
    layers: int | None,
    query_tile: int = QUERY_TILE,
    key_tile: int = KEY_TILE,
) -> Schedule:
    """`relations[layer][head]` to launches; layers with equal patterns share their groups."""
    distinct: list[tuple[Group, ...]] = []
    of_layer: list[int] = []
    for layer in relations:
        groups = _groups(layer, query_tile, key_tile)
        if groups not in distinct:
            distinct.append(groups)
        of_layer.append(distinct.index(groups))
    return Schedule(heads, layers, query_tile, key_tile, tuple(distinct), tuple(of_layer))


def _groups(relations: Sequence[Relation], query_tile: int, key_tile: int) -> tuple[Group, ...]:
    return tuple(
        Group(
            tuple(heads),
            _passes([relations[head] for head in heads], query_tile, key_tile),
            relations[heads[0]].combined,
        )
        for heads in group_heads(relations)
    )


def _passes(relations: list[Relation], query_tile: int, key_tile: int) -> tuple[Pass, ...]:
    columns = zip(*(relation.branches for relation in relations), strict=True)
    return tuple(_pass(list(branches), query_tile, key_tile) for branches in columns)


def _pass(branches: list[Branch], query_tile: int, key_tile: int) -> Pass:
    shared = share([branch.predicate for branch in branches])
    found = [
        _tiling(branch, shared, head, query_tile, key_tile) for head, branch in enumerate(branches)
    ]
    distinct, first = tuple(dict.fromkeys(found)), branches[0]
    return Pass(
        shared.predicate,
        shared.scalars,
        shared.tables,
        distinct,
        tuple(distinct.index(item) for item in found),
        first.multiplicity,
        first.source,
        first.modifiers,
        first.projection,
        first.softmax,
    )


def _tiling(branch: Branch, shared: Shared, head: int, query_tile: int, key_tile: int) -> Tiling:
    slots = {tables[head]: slot for slot, tables in enumerate(shared.tables)}
    return with_slots(tiling(branch, query_tile, key_tile, rows_beyond_n=True), slots)
