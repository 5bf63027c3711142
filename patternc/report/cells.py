"""Squares of positions of one relation's mask, and what share of its pairs each holds.

Looks at tiles where a layout lists them, so that thin lines are found at every length, and counts
pairs in the tiles that are partly held: all of them in small cells, a sample in others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from patternc.algebra.isl_budget import is_tangled
from patternc.algebra.restrict import NotRestrictedError
from patternc.algebra.work_budget import EffortError
from patternc.analysis.sets_at_length import first_within
from patternc.ir.sources import TOKENS, KeySource
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.report.svg import Shares
from patternc.tiling.layout_at_length import Layout
from patternc.tiling.restricted_tiles import Restricted, share

# Positions looked at in a cell, on each side: all of them in pictures of up to 8,192 tokens.
_EXACT, _SAMPLE = 128, 64
# Positions on a side of a cell up to which counting pairs is faster than looking for tiles.
_FEW_PAIRS = 8
# Tokens up to which sets of any formula are small enough.
_FEW = 1 << 12


@dataclass(frozen=True)
class Cells:
    """The mask of a relation, `queries` by `keys`, in squares of `cell` positions.

    `spans` tells where the keys of each source lie: the first column and the one behind the last.
    """

    relation: Relation
    tables: HeadTables
    spans: Mapping[KeySource, tuple[int, int]]
    queries: int
    keys: int
    cell: int

    @property
    def shape(self) -> tuple[int, int]:
        """Cells of a column, and of a row."""
        return -(-self.queries // self.cell), -(-self.keys // self.cell)

    def of_rows(self, rows: Iterable[int], columns: range | None = None) -> Shares:
        """The shares of some rows of cells, in all or some columns, which ascend by 1.

        Looks into every cell where a layout, which tells empty and full ones, takes too long.
        """
        within = range(self.shape[1]) if columns is None else columns
        return np.stack([self._of_row(a, within) for a in rows])

    def _of_row(self, a: int, columns: range) -> Shares:
        if self.cell <= _FEW_PAIRS:
            return self._held(a, columns)
        return self._one_by_one(a, columns) if self._layout is None else self._by_tiles(a, columns)

    def _by_tiles(self, a: int, columns: range) -> Shares:
        assert self._layout is not None
        visits = self._layout.row(0, a)
        inside = (columns.start <= visits.index) & (visits.index < columns.stop)
        index, full = visits.index[inside], visits.full[inside]
        shares = np.zeros(len(columns))
        partial = np.unique(index[~full])
        if len(partial):
            held = self._held(a, partial.tolist())
            # A sample misses thin lines.
            shares[partial - columns.start] = np.maximum(held, self._least)
        shares[index[full] - columns.start] = 1
        return shares

    @property
    def _least(self) -> float:
        """The share of a pair in a cell that is looked at by a sample; 0 in others."""
        return self.cell**-2 if self.cell > _EXACT else 0.0

    def _one_by_one(self, a: int, columns: range) -> Shares:
        """The cells of row a, each by itself where a formula alone says what it holds."""
        if self._formula is None:
            return self._held(a, columns)
        rows = self._span(a, self.queries)
        i = _looked_at(a, self.cell, self.queries) - a * self.cell
        shares = np.zeros(len(columns))
        try:
            for place, b in enumerate(columns):
                keys = _looked_at(b, self.cell, self.keys) - b * self.cell
                inside = self._formula.at(rows, self._span(b, self.keys))
                shares[place] = share(inside, i, keys)
        except NotRestrictedError:
            return self._held(a, columns)
        return shares

    def _span(self, at: int, size: int) -> tuple[int, int]:
        first = at * self.cell
        return first, min(self.cell, size - first)

    @cached_property
    def _formula(self) -> Restricted | None:
        """What one formula over tokens says of a tile; None where there are more, or sources."""
        if set(self.spans) != {TOKENS} or len(self.relation.branches) > 1:
            return None
        return Restricted(self.relation.branches[0].predicate, self.tables.n)

    @cached_property
    def _layout(self) -> Layout | None:
        """The cells as tiles, where there is one source and they are not too many to look at."""
        if set(self.spans) != {TOKENS}:
            return None
        n = self.tables.n
        if n > _FEW and any(is_tangled(each.formula) for each in self.relation.branches):
            return None
        layout = Layout([self.relation], n, self.cell, self.cell, [self.tables])
        try:
            layout.row(0, 0)
        except EffortError:
            return None
        return layout

    def held_pair(self, a: int, b: int) -> tuple[int, int] | None:
        """A query and a token that it attends to in a cell; None where none is found."""
        found = self._pair_looked_at(a, b)
        if found is not None or set(self.spans) != {TOKENS}:
            return found
        n, asked = self.tables.n, self.tables.of(TOKENS)
        rows, keys = (self._stops(at, size) for at, size in ((a, self.queries), (b, self.keys)))
        for branch in self.relation.branches:
            pair = first_within(branch.formula, n, n, rows, keys)
            if pair is not None and pair[0] >= 0:
                i, j = np.array([[pair[0]]]), np.array([[pair[1]]])
                if asked.holds(branch.predicate, {"i": i, "j": j}).all():
                    return pair
        return None

    def _pair_looked_at(self, a: int, b: int) -> tuple[int, int] | None:
        start, stop = self.spans.get(TOKENS, (0, 0))
        i = _looked_at(a, self.cell, self.queries)
        column = _looked_at(b, self.cell, self.keys)
        j = column[(start <= column) & (column < stop)] - start
        held = np.zeros((len(i), len(j)), np.bool_)
        for branch in self.relation.branches:
            if branch.source == TOKENS:
                at = self.tables.of(TOKENS)
                held |= at.holds(branch.predicate, {"i": i[:, None], "j": j[None, :]})
        found = np.argwhere(held)
        return (int(i[found[0, 0]]), int(j[found[0, 1]])) if len(found) else None

    def _stops(self, at: int, size: int) -> tuple[int, int]:
        first, count = self._span(at, size)
        return first, first + count

    def _held(self, a: int, cells: Sequence[int]) -> Shares:
        """The share of held pairs in some cells of row a."""
        i = _looked_at(a, self.cell, self.queries)
        keys = [_looked_at(b, self.cell, self.keys) for b in cells]
        column = np.concatenate(keys)
        held = np.zeros((len(i), len(column)), np.bool_)
        for branch in self.relation.branches:
            start, stop = self.spans[branch.source]
            own = (start <= column) & (column < stop)
            at = self.tables.of(branch.source)
            j = column[None, own] - start
            held[:, own] |= at.holds(branch.predicate, {"i": i[:, None], "j": j})
        lengths = np.array([len(part) for part in keys])
        sums = np.add.reduceat(held.mean(axis=0), np.cumsum(lengths) - lengths)
        return np.asarray(sums / lengths)


def _looked_at(tile: int, cell: int, n: int) -> NDArray[np.int64]:
    """Positions of a cell below n: all, or a sample without a period."""
    if cell <= _EXACT:
        inside = np.arange(cell)
    else:
        inside = np.random.default_rng(tile).choice(cell, _SAMPLE, replace=False)
    position = tile * cell + np.sort(inside)
    return position[position < n]
