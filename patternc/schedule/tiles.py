"""Tile sizes of the generated kernels.

From what is known before a launch (tables, dtype, head size) to (query tile, key tile). The
numbers are those at which the kernels compile without spills to local memory for sm_90.
Non-goals: measuring.
"""

from __future__ import annotations

from collections.abc import Iterable

from patternc.relation.predicate import InRow
from patternc.relation.relation import Relation, atoms_of

QUERY_TILE = 128
KEY_TILE = 64


def choose_tiles(
    relations: Iterable[Relation], dtype: str | None, head_dim: int | None
) -> tuple[int, int]:
    """Small key tiles for wide operands; query tiles as tall as the blocks of row tables."""
    wide = dtype == "float32" or (head_dim or 0) > 128
    tall = 64 if 64 in set(_table_blocks(relations)) else QUERY_TILE
    return tall, KEY_TILE // 2 if wide else KEY_TILE


def _table_blocks(relations: Iterable[Relation]) -> Iterable[int]:
    """Blocks whose rows are listed: taller tiles would visit the lists of several rows."""
    for relation in relations:
        for branch in relation.branches:
            for atom in atoms_of(branch.predicate):
                if isinstance(atom, InRow) and not atom.table.parts:
                    yield atom.table.block
