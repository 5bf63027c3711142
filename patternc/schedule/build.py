"""Building a schedule: the tilings of all layers and heads to groups of launches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from patternc.ir.modifiers import ScoreModifier
from patternc.ir.sources import Rows
from patternc.relation.relation import Branch
from patternc.schedule import work_split
from patternc.schedule.head_groups import Shared, group_heads, share, with_slots
from patternc.schedule.schedule import Group, HeadClasses, Pass, Schedule
from patternc.schedule.tilings import TiledHead, TiledPiece, Tilings
from patternc.tiling.tiling import Tiling


def build_schedule(
    tilings: Tilings,
    heads: int | None,
    layers: int | None,
    rows: Sequence[Rows] = (),
    n: int = work_split.EXAMPLE_LENGTH,
) -> Schedule:
    """The launches of every layer; layers with equal patterns share their groups.

    Behind the layers of the tokens' rows stand those of each of `rows`. What is long is judged at
    n tokens, or as many as `work_split` looks at tiles of.
    """
    n = min(n, work_split.MOST_QUERY_TILES * tilings.query_tile)
    distinct: list[tuple[Group, ...]] = []
    of_layer: list[int] = []
    for layer in tilings.layers:
        groups = _groups(layer, n)
        if groups not in distinct:
            distinct.append(groups)
        of_layer.append(distinct.index(groups))
    sizes = tilings.query_tile, tilings.key_tile, tilings.column_tile
    kinds = tuple(distinct), tuple(of_layer)
    return Schedule(heads, layers, *sizes, *kinds, tilings.reasons, tuple(rows))


def _groups(heads: Sequence[TiledHead], n: int) -> tuple[Group, ...]:
    members = group_heads([head.relation for head in heads], [head.kind for head in heads])
    return tuple(_group(tuple(own), [heads[head] for head in own], n) for own in members)


def _group(members: tuple[int, ...], heads: list[TiledHead], n: int) -> Group:
    columns = zip(*(head.relation.branches for head in heads), strict=True)
    cuts = zip(*(head.branches for head in heads), strict=True)
    passes = [_pass(pieces, n) for cut in cuts for pieces in zip(*cut, strict=True)]
    # The last pass of a softmax writes all rows, if any does.
    passes.sort(key=lambda item: item.reaches_every_row)
    branches = tuple(_shared(column)[1] for column in columns)
    return Group(members, tuple(_split(passes)), branches, heads[0].relation.combined)


def _shared(branches: Sequence[Branch]) -> tuple[Shared, Pass]:
    """One predicate for the branches of several heads, and the pass of it without tilings."""
    shared, first = share([branch.predicate for branch in branches]), branches[0]
    return shared, Pass(
        shared.predicate,
        shared.scalars,
        shared.tables,
        (),
        (),
        (),
        first.multiplicity,
        first.source,
        first.modifiers,
        first.projection,
        first.softmax,
        first.projected,
    )


def _pass(pieces: Sequence[TiledPiece], n: int) -> Pass:
    """The pass of one piece of each head's branch."""
    shared, found = _shared([piece.branch for piece in pieces])
    of_heads = [
        (_with_slots(piece.tiling, shared, head), piece.columns)
        for head, piece in enumerate(pieces)
    ]
    distinct = tuple(dict.fromkeys(of_heads))
    tilings, columns = zip(*distinct, strict=True)
    classes = _classes(pieces)
    return replace(
        found,
        tilings=tilings,
        tiling_of_head=tuple(distinct.index(item) for item in of_heads),
        columns=columns,
        classes=classes,
        # The lines of a class are alike: what is global appears in a piece of its own.
        split_rows=None if classes else work_split.of_rows(tilings, found.source, n),
        split_columns=None if classes else work_split.of_columns(columns, tilings, found.source, n),
    )


def _split(passes: Sequence[Pass]) -> list[Pass]:
    """Passes of which those alone are split whose longest programs hold up the others."""
    rows = work_split.chosen([item.split_rows for item in passes])
    columns = work_split.chosen([item.split_columns for item in passes])
    return [
        # Pieces of a column would add to the same numbers of its keys.
        replace(item, split_rows=row, split_columns=None if _sums_columns(item) else column)
        for item, row, column in zip(passes, rows, columns, strict=True)
    ]


def _sums_columns(item: Pass) -> bool:
    """Has each key a number of its own, whose gradient is a sum down its column?"""
    return any(isinstance(each, ScoreModifier) and each.of_tokens for each in item.modifiers)


def _classes(pieces: Sequence[TiledPiece]) -> HeadClasses | None:
    every = [piece.classes for piece in pieces if piece.classes is not None]
    if not every:
        return None
    return HeadClasses(*every[0].kind, tuple(classes.offset for classes in every))


def _with_slots(tiling: Tiling, shared: Shared, head: int) -> Tiling:
    """The tiling of a head with slots for its tables."""
    slots = {tables[head]: slot for slot, tables in enumerate(shared.tables)}
    return with_slots(tiling, slots)
