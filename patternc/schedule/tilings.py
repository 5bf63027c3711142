"""Tilings: the pieces of a decomposition to the tiles that each of them visits, for every n."""

from __future__ import annotations

from patternc.frozen import frozen
from patternc.relation.relation import Branch, Relation
from patternc.schedule.decompose import Decomposition, Head, Piece
from patternc.schedule.residue_classes import Classes
from patternc.schedule.tile_sizes import column_tile
from patternc.tiling.classify import Classified, classify_by_key, tiling
from patternc.tiling.tiling import Tiling


@frozen
class TiledPiece:
    """A piece as a branch of its own, over positions or the members of `classes`.

    `tiling` are the key tiles of each query tile, `columns` the query tiles of each key tile.
    """

    branch: Branch
    classes: Classes | None
    tiling: Tiling
    columns: Classified


@frozen
class TiledHead:
    """The relation of a head, and the tiles of the pieces of each of its branches.

    `kind` is what heads of one group have in common beside the shape of their relation.
    """

    relation: Relation
    branches: tuple[tuple[TiledPiece, ...], ...]
    kind: object


@frozen
class Tilings:
    """The heads of every layer with their tiles; query tiles of columns have `column_tile` rows."""

    query_tile: int
    key_tile: int
    column_tile: int
    layers: tuple[tuple[TiledHead, ...], ...]
    reasons: tuple[str, ...] = ()


def tile(found: Decomposition) -> Tilings:
    """The tiles of every head; equal heads are tiled once."""
    sizes = found.query_tile, found.key_tile, column_tile(found.query_tile)
    distinct = dict.fromkeys(head for heads in found.layers for head in heads)
    tiled = {head: _head(head, *sizes) for head in distinct}
    layers = tuple(tuple(tiled[head] for head in heads) for heads in found.layers)
    return Tilings(*sizes, layers, found.reasons)


def _head(head: Head, query_tile: int, key_tile: int, columns: int) -> TiledHead:
    branches = tuple(
        tuple(_piece(branch, piece, query_tile, key_tile, columns) for piece in cut)
        for branch, cut in zip(head.relation.branches, head.cuts, strict=True)
    )
    return TiledHead(head.relation, branches, head.kind)


def _piece(branch: Branch, piece: Piece, query_tile: int, key_tile: int, rows: int) -> TiledPiece:
    own = piece.of(branch)
    columns = classify_by_key(own.formula, rows, key_tile, own.keys, rows_beyond_n=True)
    tiles = tiling(own, query_tile, key_tile, rows_beyond_n=True)
    return TiledPiece(own, piece.classes, tiles, columns)
