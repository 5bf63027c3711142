"""Who depends on one position, and on whom one depends, by classes of positions.

As `forward_reach`, with booleans over the cells of a schedule in place of positions, where no pair
is cut by `j <= i`: a cell is reached as a whole, except for the one position that is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from patternc.algebra.evaluate import Booleans
from patternc.analysis.reach.class_engine import MOST_CELLS, MOST_POSITIONS, seen_cells
from patternc.analysis.reach.edges import Layer
from patternc.analysis.reach.equivalence_cells import ManyCellsError, cells_of, without_cut
from patternc.analysis.reach.forward_reach import Node
from patternc.ir.sources import TOKENS
from patternc.relation.tables import HeadTables


class CellReach:
    """Which positions depend on `key` after 0, 1, .. layers. Raises `ManyCellsError`."""

    def __init__(
        self, steps: Sequence[Layer], tables: Sequence[Sequence[HeadTables]], n: int, key: int
    ) -> None:
        if n > MOST_POSITIONS or any(without_cut(e.formula)[1] for step in steps for e in step):
            raise ManyCellsError
        self._cells = cells_of(steps, n, MOST_CELLS)
        each = zip(steps, tables, strict=True)
        self._seen = [seen_cells(step, given, self._cells) for step, given in each]
        self._key, self._own = key, int(self._cells.of[key])
        self._after = [np.zeros(len(self._cells.first), np.bool_)]

    def advance(self, layer: int) -> bool:
        """Goes through one layer; whether any position was added."""
        before, seen = self._after[layer], self._seen[layer % len(self._seen)]
        self._after.append(before | seen[:, self._telling(layer)].any(axis=1))
        return not np.array_equal(before, self._after[-1])

    def knows(self, at: Node, layers: int) -> bool:
        """Whether a position depends on the key after that many layers."""
        return at.index == self._key or bool(self._after[layers][self._cells.of[at.index]])

    def source_of(self, at: Node, layer: int) -> Node:
        """The first position from which it depends on the key in that layer."""
        seen = self._seen[layer % len(self._seen)][self._cells.of[at.index]]
        found = self._cells.first[seen & self._after[layer]].tolist()
        return Node(TOKENS, min([*found, *([self._key] if seen[self._own] else [])]))

    def _telling(self, layer: int) -> Booleans:
        """The cells of which some position depends on the key before the layer."""
        telling = self._after[layer].copy()
        telling[self._own] = True
        return telling

    def reached(self, layers: int) -> Booleans:
        """The positions on which the key itself depends in so many layers."""
        found = np.zeros(len(self._cells.first), np.bool_)
        for layer in reversed(range(layers)):
            asking = found.copy()
            asking[self._own] = True
            found = found | self._seen[layer % len(self._seen)][asking].any(axis=0)
        positions = found[self._cells.of]
        positions[self._key] = True
        return positions
