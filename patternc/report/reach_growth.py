"""How receptive fields grow, for pictures: from relations to shares of connected pairs.

The fields are exact: they are propagated as bits, a few columns of cells at a time, and counted by
squares of positions. Run-time inputs are those that the view makes up. Does not draw; lengths are
limited by `MOST_DRAWN`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from patternc.analysis.reach.bitset_engine import Step, propagated, step_of
from patternc.analysis.reach.edges import edges_of
from patternc.frozen import frozen
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.report.svg import Mask, Shares, shares

MOST_DRAWN = 4096
# Columns that are propagated together.
_WIDTH = 2048

Layers = NDArray[np.int64]


@frozen
class ReachGrowth:
    """The fields of n positions after 1, 2, .. layers.

    `shares[l]` is [rows, columns] of squares of `cell` positions, `row[l]` the field of position
    `query`: booleans [n]. `permitted` is the share of the pairs that a square could have.
    """

    n: int
    cell: int
    query: int
    shares: tuple[Shares, ...]
    row: Mask
    permitted: Shares

    @property
    def first(self) -> Layers:
        """The number of layers after which a square holds any pair; 0 is never."""
        return _first([share > 0 for share in self.shares])

    @property
    def full(self) -> Layers:
        """The number of layers after which it holds every permitted pair; 0 is never."""
        return _first([share >= self.permitted for share in self.shares])

    @property
    def full_at(self) -> int | None:
        """After how many layers every permitted pair is connected."""
        layers = self.full
        return int(layers.max()) if (layers > 0).all() else None

    @property
    def telling(self) -> int:
        """Layers up to the one that connects everything; all where none does."""
        return self.full_at or len(self.shares)


def reach_growth(
    relations: Sequence[Sequence[Relation]],
    tables: HeadTables,
    layers: int,
    cell: int,
    query: int,
) -> ReachGrowth:
    """The growth over `layers` layers; schedules shorter than that repeat.

    `relations[layer][head]` are asked of `tables`, which are those of every layer and head.
    """
    n = tables.n
    made = {heads: _step(heads, tables) for heads in dict.fromkeys(map(tuple, relations))}
    steps = [made[tuple(heads)] for heads in relations]
    parts = [
        list(_counted(steps, n, layers, cell, columns, query)) for columns in _columns(n, cell)
    ]
    counted = tuple(
        np.concatenate([part[layer][0] for part in parts], axis=1) for layer in range(layers)
    )
    row = np.stack([np.concatenate([part[layer][1] for part in parts]) for layer in range(layers)])
    causal = not any(part[layer][2] for part in parts for layer in range(layers))
    return ReachGrowth(n, cell, query, counted, row, _permitted(n, cell, causal))


def _step(heads: Sequence[Relation], tables: HeadTables) -> Step:
    edges = dict.fromkeys(replace(edge, head=0) for edge in edges_of(heads))
    return step_of(tuple(edges), [tables])


def _columns(n: int, cell: int) -> Iterator[range]:
    width = max(1, _WIDTH // cell) * cell
    for first in range(0, n, width):
        yield range(first, min(first + width, n))


def _counted(
    steps: Sequence[Step], n: int, layers: int, cell: int, columns: range, query: int
) -> Iterator[tuple[Shares, Mask, bool]]:
    """Shares of some columns, the booleans of one row, and whether any row sees ahead."""
    for words in propagated(steps, n, layers, True, columns):
        every = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
        held = every[:, : len(columns)].astype(np.bool_)
        ahead = np.arange(n)[:, None] < np.arange(columns.start, columns.stop)
        yield shares(held, cell), held[query].copy(), bool((held & ahead).any())


def _permitted(n: int, cell: int, causal: bool) -> Shares:
    starts = np.arange(0, n, cell)
    if not causal:
        return np.ones((len(starts), len(starts)))
    stops = np.minimum(starts + cell, n)
    sides = stops - starts
    inside = np.tril(np.ones((len(starts), len(starts))), -1)
    # Of a square on the diagonal the half with it.
    return inside + np.diag((sides + 1) / (2 * sides))


def _first(flags: Sequence[Mask]) -> Layers:
    """The first layer that has a flag, counted from 1; 0 where none has."""
    stacked = np.stack(flags)
    return np.where(stacked.any(axis=0), stacked.argmax(axis=0) + 1, 0)
