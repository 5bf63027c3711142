"""Tile sizes of the generated kernels, chosen from the pattern.

Maps relations and what is known before a launch (dtype, head size) to a shape and the reasons for
it. Shapes are those at which the kernels compile without spills to local memory for sm_90; among
them the one whose tiles cost smallest, by the products that they issue. Does not measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from patternc.algebra.atoms import InRow
from patternc.algebra.walk import atoms_of
from patternc.frozen import frozen
from patternc.relation.relation import Relation
from patternc.schedule.cost_model import LENGTH
from patternc.schedule.decompose import issued
from patternc.schedule.head_groups import relation_shape

QUERY_TILE = 128
KEY_TILE = 64
NARROW_KEY_TILE = 32
NARROWEST_KEY_TILE = 16
WIDE_HEAD = 128
# A product of a short tile costs more: each key is loaded for fewer queries.
SHORT = 64
SHORT_WEIGHT = 1.25
SIZES = (16, 32, 64, 128, 256)


@frozen
class Choice:
    """The shape of the tiles, and human-readable reasons."""

    query_tile: int
    key_tile: int
    reasons: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return self.query_tile, self.key_tile


def choose_tiles(relations: Iterable[Relation], dtype: str | None, head_dim: int | None) -> Choice:
    """`dtype` and `head_dim` None: tiles that fit all up to 128 dimensions of 16 bits."""
    distinct = list(dict.fromkeys(relations))
    key_tile, why = _key_tile(dtype, head_dim or 0)
    reasons = [f"keys by {key_tile}: {why}"]
    if SHORT in set(_table_blocks(distinct)):
        reasons.insert(0, f"queries by {SHORT}: taller tiles would visit the lists of several rows")
        return Choice(SHORT, key_tile, tuple(reasons))
    tall, short = (_issued(distinct, size, key_tile) for size in (QUERY_TILE, SHORT))
    query_tile = SHORT if SHORT_WEIGHT * short < tall else QUERY_TILE
    share = f"{tall:,} products by {QUERY_TILE}, {short:,} by {SHORT} at n = {LENGTH:,}"
    reasons.insert(0, f"queries by {query_tile}: {share}")
    return Choice(query_tile, key_tile, tuple(reasons))


def _key_tile(dtype: str | None, head_dim: int) -> tuple[int, str]:
    """How many keys, and why: registers hold a tile's scores beside its rows."""
    if dtype == "float32" and 2 * head_dim > WIDE_HEAD:
        return NARROWEST_KEY_TILE, "fp32 rows of many dimensions take most registers"
    if dtype == "float32" or head_dim > WIDE_HEAD:
        return NARROW_KEY_TILE, "wide operands"
    return KEY_TILE, "narrow operands"


def given_tiles(query_tile: int, key_tile: int) -> Choice:
    """Tiles that somebody asked for. Raises `ValueError` where no kernel can have them."""
    for size in (query_tile, key_tile):
        if size not in SIZES:
            listed = ", ".join(map(str, SIZES))
            raise ValueError(f"a tile of {size} rows or keys; expected one of {listed}")
    return Choice(query_tile, key_tile, ("as asked",))


def _issued(relations: Sequence[Relation], query_tile: int, key_tile: int) -> int:
    """Products of the closed forms of a few heads; what tables name is left out."""
    tiles = sum(
        issued(branch, query_tile, key_tile, LENGTH)
        for relation in _typical(relations)
        for branch in relation.branches
    )
    return tiles * query_tile * key_tile


def _typical(relations: Sequence[Relation]) -> list[Relation]:
    """Of heads that differ in numbers only the first and the last."""
    alike: dict[object, list[Relation]] = {}
    for relation in relations:
        alike.setdefault(relation_shape(relation), []).append(relation)
    return [found for some in alike.values() for found in (*some[:1], *some[1:][-1:])]


def column_tile(query_tile: int) -> int:
    """Query tiles of the kernel that holds a key tile: half as many accumulators as the others."""
    return 64 if query_tile % 64 == 0 else max(16, query_tile // 2)


def _table_blocks(relations: Iterable[Relation]) -> Iterable[int]:
    """Blocks whose rows are listed."""
    for relation in relations:
        for branch in relation.branches:
            for atom in atoms_of(branch.predicate):
                if isinstance(atom, InRow) and not atom.table.parts:
                    yield atom.table.block
