"""Building a schedule: the relations of all layers and heads to groups, passes and tilings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from patternc.ir.sources import Rows
from patternc.relation.relation import Branch, Relation
from patternc.schedule import work_split
from patternc.schedule.decompose import Piece, pieces
from patternc.schedule.head_groups import Shared, group_heads, share, with_slots
from patternc.schedule.schedule import Group, HeadClasses, Pass, Schedule
from patternc.schedule.tile_sizes import KEY_TILE, QUERY_TILE, column_tile
from patternc.tiling.classify import Classified, classify_by_key, tiling
from patternc.tiling.tiling import Tiling


@dataclass(frozen=True, slots=True)
class Head:
    """The relation of a head, and each of its branches cut into pieces."""

    relation: Relation
    cuts: tuple[tuple[Piece, ...], ...]

    @property
    def kind(self) -> object:
        """What heads of one group have in common beside the shape of their relation."""
        return tuple(tuple(piece.kind for piece in cut) for cut in self.cuts)


@dataclass(frozen=True, slots=True)
class Tiles:
    """The shape of tiles, and the n at which passes are judged."""

    query: int
    key: int
    n: int


def build_schedule(
    relations: Sequence[Sequence[Relation]],
    *,
    heads: int | None,
    layers: int | None,
    query_tile: int = QUERY_TILE,
    key_tile: int = KEY_TILE,
    reasons: tuple[str, ...] = (),
    rows: Sequence[Rows] = (),
    n: int = work_split.EXAMPLE_LENGTH,
) -> Schedule:
    """`relations[layer][head]` to launches; layers with equal patterns share their groups.

    Behind the layers of the tokens' rows stand those of each of `rows`. What is long is judged at
    n tokens.
    """
    distinct: list[tuple[Group, ...]] = []
    of_layer: list[int] = []
    for layer in relations:
        groups = _groups(layer, Tiles(query_tile, key_tile, n))
        if groups not in distinct:
            distinct.append(groups)
        of_layer.append(distinct.index(groups))
    tiles = query_tile, key_tile, column_tile(query_tile)
    kinds = tuple(distinct), tuple(of_layer)
    return Schedule(heads, layers, *tiles, *kinds, reasons, tuple(rows))


def _groups(relations: Sequence[Relation], tiles: Tiles) -> tuple[Group, ...]:
    heads = [_head(relation, tiles) for relation in relations]
    members = group_heads(relations, [head.kind for head in heads])
    return tuple(_group(tuple(own), [heads[head] for head in own], tiles) for own in members)


def _head(relation: Relation, tiles: Tiles) -> Head:
    return Head(
        relation, tuple(pieces(branch, tiles.query, tiles.key) for branch in relation.branches)
    )


def _group(members: tuple[int, ...], heads: list[Head], tiles: Tiles) -> Group:
    columns = list(zip(*(head.relation.branches for head in heads), strict=True))
    cuts = zip(*(head.cuts for head in heads), strict=True)
    passes = [
        _pass(column, piece, tiles)
        for column, cut in zip(columns, cuts, strict=True)
        for piece in zip(*cut, strict=True)
    ]
    # The last pass of a softmax writes all rows, if any does.
    passes.sort(key=lambda item: item.reaches_every_row)
    branches = tuple(_shared(list(column))[1] for column in columns)
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


def _pass(branches: Sequence[Branch], cut: Sequence[Piece], tiles: Tiles) -> Pass:
    """The pass of one piece of each head's branch."""
    own = [piece.of(branch) for branch, piece in zip(branches, cut, strict=True)]
    shared, found = _shared(own)
    of_heads = [
        (_tiling(branch, shared, head, tiles), _columns(branch, tiles))
        for head, branch in enumerate(own)
    ]
    distinct = tuple(dict.fromkeys(of_heads))
    tilings, columns = zip(*distinct, strict=True)
    classes = _classes(cut)
    return replace(
        found,
        tilings=tilings,
        tiling_of_head=tuple(distinct.index(item) for item in of_heads),
        columns=columns,
        classes=classes,
        # The lines of a class are alike: what is global appears in a piece of its own.
        split_rows=None if classes else work_split.of_rows(tilings, found.source, tiles.n),
        split_columns=None
        if classes
        else work_split.of_columns(columns, tilings, found.source, tiles.n),
    )


def _split(passes: Sequence[Pass]) -> list[Pass]:
    """Passes of which those alone are split whose longest programs hold up the others."""
    rows = work_split.chosen([item.split_rows for item in passes])
    columns = work_split.chosen([item.split_columns for item in passes])
    return [
        replace(item, split_rows=row, split_columns=column)
        for item, row, column in zip(passes, rows, columns, strict=True)
    ]


def _classes(cut: Sequence[Piece]) -> HeadClasses | None:
    every = [piece.classes for piece in cut if piece.classes is not None]
    if not every:
        return None
    return HeadClasses(*every[0].kind, tuple(classes.offset for classes in every))


def _tiling(branch: Branch, shared: Shared, head: int, tiles: Tiles) -> Tiling:
    slots = {tables[head]: slot for slot, tables in enumerate(shared.tables)}
    found = tiling(branch, tiles.query, tiles.key, rows_beyond_n=True)
    return with_slots(found, slots)


def _columns(branch: Branch, tiles: Tiles) -> Classified:
    shape = column_tile(tiles.query), tiles.key
    return classify_by_key(branch.formula, *shape, branch.keys, rows_beyond_n=True)
