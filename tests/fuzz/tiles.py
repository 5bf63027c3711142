"""Layouts tile by tile: by rows and by columns they list the pairs of every branch."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np

from patternc.queries.call import tables_of
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.tiling.layout_at_length import Layout
from tests.fuzz.case import Case
from tests.fuzz.failures import DisagreementError


def layouts(case: Case, block: tuple[int, int]) -> None:
    """Every tile, by rows and by columns, against the pairs of its branch."""
    layout = case.pattern.layout(case.sizes.n, block, **case.known)
    asked = case.sizes.n, case.call.deciding, case.sizes.given, case.rows
    tables = tables_of(case.pattern._frontend, *asked)
    relations = cycle(case.pattern.relations(case.layer, case.rows))
    full, partial = [], []
    # Inputs that these rows do not ask for may have more heads.
    for head, (own, relation) in enumerate(zip(tables[: layout.heads], relations, strict=False)):
        kinds = _tiles(layout, head, relation, own)
        full.append(sum(int((kind == 2).sum()) for kind in kinds))
        partial.append(sum(int((kind == 1).sum()) for kind in kinds))
    counts = layout.counts()
    if (list(counts.full), list(counts.partial)) != (full, partial):
        raise DisagreementError(f"`counts` of a layout differ from its rows: {counts}")


def _tiles(layout: Layout, head: int, relation: Relation, tables: HeadTables) -> list[Any]:
    """The kinds of the tiles of each branch: 0 not listed, 1 partial, 2 full."""
    height, width = layout.query_tile, layout.key_tile
    found = []
    for branch in relation.branches:
        own = tables.of(branch.source)
        i, j = np.arange(own.n)[:, None], np.arange(own.m)[None, :]
        dense = np.broadcast_to(own.holds(branch.predicate, {"i": i, "j": j}), (own.n, own.m))
        found.append((dense, np.zeros((-(-own.n // height), -(-own.m // width)), np.int64)))
    by_column = [np.zeros_like(kinds) for _, kinds in found]
    for a in range(max((len(kinds) for _, kinds in found), default=0)):
        for tile in layout.row(head, a):
            _note(found[tile.branch][1], a, tile.index, tile.kind)
    for b in range(max((kinds.shape[1] for _, kinds in found), default=0)):
        for tile in layout.column(head, b):
            _note(by_column[tile.branch], tile.index, b, tile.kind)
    for (dense, kinds), columns, branch in zip(found, by_column, relation.branches, strict=True):
        if not np.array_equal(kinds, columns):
            raise DisagreementError(f"tiles by rows and by columns differ: {kinds} and {columns}")
        _check_kinds(dense, kinds, height, width, exact=not branch.conjuncts)
    return [kinds for _, kinds in found]


def _note(kinds: Any, a: int, b: int, kind: str) -> None:
    if not (0 <= a < kinds.shape[0] and 0 <= b < kinds.shape[1]):
        raise DisagreementError(f"a tile outside the plane: {(a, b)} of {kinds.shape}")
    if kinds[a, b]:
        raise DisagreementError(f"a tile is listed twice: {(a, b)}")
    kinds[a, b] = 2 if kind == "full" else 1


def _check_kinds(dense: Any, kinds: Any, height: int, width: int, exact: bool) -> None:
    """Tables and formulas together may leave a full tile partial, and list one without pairs."""
    for (a, b), kind in np.ndenumerate(kinds):
        tile = dense[a * height : (a + 1) * height, b * width : (b + 1) * width]
        whole = bool(tile.all()) and tile.shape[1] == width
        if kind == 0 and tile.any():
            raise DisagreementError(f"a tile with pairs is not listed: {(a, b)}")
        if kind == 2 and not whole:
            raise DisagreementError(f"a full tile lacks pairs: {(a, b)}")
        if kind == 1 and exact and (whole or not tile.any()):
            raise DisagreementError(f"a partial tile is full or empty: {(a, b)}")
