"""A layout at a given n: counts, rows and columns of every head.

Evaluates tilings, which hold for every n, at one length. Does not handle devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import ClassVar, Literal

import numpy as np

from patternc.algebra.evaluate import Booleans, Integers
from patternc.algebra.filtered_intervals import counted
from patternc.algebra.intervals import Interval, Sizes, in_runs, values_of_row
from patternc.algebra.work_budget import effort, spend
from patternc.frozen import frozen
from patternc.printed import Printed
from patternc.relation.relation import Branch, Relation
from patternc.relation.tables import HeadTables, Tables
from patternc.tiling.classify import classify_by_key, tiling
from patternc.tiling.tile_lists import Pairs, joined, listed_singly, product_tiles, tile_rows
from patternc.tiling.tiling import Tiling

Kind = Literal["full", "partial"]


@frozen
class Tile:
    """One visit of a row or column: the other side's tile, its kind, how often its pairs count.

    `branch` numbers the relation's branches: arguments of a `mix`, and key sources, whose tiles
    hold slots.
    """

    index: int
    kind: Kind
    multiplicity: int
    branch: int


@frozen
class Visits:
    """The tiles of one row or column, ascending within each branch of a mix; iterates as `Tile`s.

    `index` int64 [k], `full` bool [k], `multiplicity` int64 [k], `branch` int64 [k].
    """

    index: Integers
    full: Booleans
    multiplicity: Integers
    branch: Integers

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[Tile]:
        columns = (self.index, self.full, self.multiplicity, self.branch)
        for index, full, times, branch in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            yield Tile(index, "full" if full else "partial", times, branch)


@frozen
class Counts:
    """Full and partial tiles of each head, branches of a mix added up."""

    full: tuple[int, ...]
    partial: tuple[int, ...]


class BranchLayout:
    """The tiles of one branch at one n."""

    def __init__(self, branch: Branch, query_tile: int, key_tile: int, tables: Tables) -> None:
        self.branch = branch
        self.tables = tables
        self.sizes = tables.sizes
        self._shape = query_tile, key_tile

    @cached_property
    def tiling(self) -> Tiling:
        """The tiles for every n; made when something asks for them."""
        return tiling(self.branch, *self._shape)

    @cached_property
    def singles(self) -> tuple[Pairs, Pairs]:
        """Full and partial tiles that no closed-form run lists."""
        if not self.tiling.exact:
            return self._resolved()
        runs = self.tiling.full + self.tiling.partial
        found = [product_tiles(item, self.tiling, self.tables) for item in self.tiling.products]
        full = joined([pairs for pairs, _ in found])
        partial = _without(joined([pairs for _, pairs in found]), full)
        return _unlisted(full, runs, self.sizes), _unlisted(partial, runs, self.sizes)

    @cached_property
    def runs(self) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
        """The closed-form runs, full and partial; none where isl gave up."""
        return (self.tiling.full, self.tiling.partial) if self.tiling.exact else ((), ())

    @cached_property
    def counts(self) -> tuple[int, int]:
        """Full and partial tiles."""
        rows = -(-self.sizes.n // self.tiling.query_tile)
        full, partial = (
            _visited(runs, rows, self.sizes) + len(pairs.row)
            for runs, pairs in zip(self.runs, self.singles, strict=True)
        )
        return full, partial

    def row(self, a: int) -> tuple[Integers, Booleans]:
        """The key tiles of query tile a, ascending, and which of them are full."""
        return self._visits(self.runs, a, lambda pairs: pairs.of_row(a))

    def column(self, b: int) -> tuple[Integers, Booleans]:
        """The query tiles of key tile b, ascending, and which of them are full.

        None where the source has no slot in the tile: other sources may have more slots.
        """
        if b * self.tiling.key_tile >= self.sizes.m:
            return np.zeros(0, np.int64), np.zeros(0, np.bool_)
        shape = (self.tiling.query_tile, self.tiling.key_tile)
        found = classify_by_key(self.branch.formula, *shape, self.branch.keys)
        if self.tiling.exact and not found.exact:
            return self._across(b)
        runs = (found.full, found.partial) if self.tiling.exact else ((), ())
        return self._visits(runs, b, lambda pairs: pairs.row[pairs.tile == b])

    def _across(self, b: int) -> tuple[Integers, Booleans]:
        """The column from the runs of all rows, where integer sets gave up on columns only."""
        count = -(-self.sizes.n // self.tiling.query_tile)
        spend(count)
        rows, tile = np.arange(count), np.full(count, b)
        full, partial = (
            in_runs(runs, rows, tile, self.sizes) | np.isin(rows, pairs.row[pairs.tile == b])
            for runs, pairs in zip(self.runs, self.singles, strict=True)
        )
        held = np.flatnonzero(full | partial)
        return held, full[held]

    def _visits(
        self,
        runs: tuple[tuple[Interval, ...], tuple[Interval, ...]],
        at: int,
        singles: Callable[[Pairs], Integers],
    ) -> tuple[Integers, Booleans]:
        full, partial = (
            np.concatenate([*(values_of_row(run, at, self.sizes) for run in part), singles(pairs)])
            for part, pairs in zip(runs, self.singles, strict=True)
        )
        tiles = np.concatenate([full, partial])
        order = np.argsort(tiles)
        return tiles[order], order < len(full)

    def _resolved(self) -> tuple[Pairs, Pairs]:
        """Tile by tile from the predicate itself, where integer sets gave up."""
        listed = listed_singly(self.tiling.partial, tile_rows(self.tiling, self.sizes), self.sizes)
        spend(len(listed.row) * self.tiling.query_tile * self.tiling.key_tile, kept=False)
        kinds = [self._kind(a, b) for a, b in zip(listed.row, listed.tile, strict=True)]
        full, partial = (np.array([kind == want for kind in kinds], bool) for want in (2, 1))
        return (
            Pairs(listed.row[full], listed.tile[full]),
            Pairs(listed.row[partial], listed.tile[partial]),
        )

    def _kind(self, a: int, b: int) -> int:
        """0 without a pair, 1 partial, 2 full."""
        i = np.arange(
            a * self.tiling.query_tile, min((a + 1) * self.tiling.query_tile, self.sizes.n)
        )
        j = np.arange(b * self.tiling.key_tile, (b + 1) * self.tiling.key_tile)
        below = j[j < self.sizes.m]
        held = self.tables.holds(self.branch.predicate, {"i": i[:, None], "j": below[None, :]})
        held = np.broadcast_to(held, (len(i), len(below)))
        return 2 if held.all() and len(below) == len(j) else int(held.any())


class Layout(Printed):
    """The tiles that every head visits at length `n`.

    Query tile a holds positions a*query_tile .. (a+1)*query_tile - 1, key tile b likewise. A tile
    is full when every pair of its rows below n with all its keys is in the set; a key tile that n
    cuts is partial. A tile that a table and other terms fill only together stays partial, and tiles
    that labels or run-time sets choose may be listed without a pair.
    """

    printer: ClassVar[str] = "report.printing:layout"

    def __init__(
        self,
        relations: Sequence[Relation],
        n: int,
        query_tile: int,
        key_tile: int,
        tables: Sequence[HeadTables],
    ) -> None:
        self.n, self.query_tile, self.key_tile = n, query_tile, key_tile
        self._rows = max((mine.row_count for mine in tables), default=n)
        self._heads = [
            [
                BranchLayout(branch, query_tile, key_tile, mine.of(branch.source))
                for branch in relation.branches
            ]
            for relation, mine in zip(relations, tables, strict=True)
        ]

    @property
    def heads(self) -> int:
        return len(self._heads)

    def counts(self) -> Counts:
        """Full and partial tiles of each head."""
        with effort():
            found = [[branch.counts for branch in branches] for branches in self._heads]
        full, partial = (
            tuple(sum(counts[kind] for counts in branches) for branches in found) for kind in (0, 1)
        )
        return Counts(full, partial)

    def row(self, head: int, a: int) -> Visits:
        """The key tiles of query tile `a`; branch by branch."""
        if not 0 <= a < -(-self._rows // self.query_tile):
            raise IndexError(f"query tile {a} is not among those of n = {self.n}")
        return self._visits(head, lambda branch: branch.row(a))

    def column(self, head: int, b: int) -> Visits:
        """The query tiles of key tile `b`; branch by branch."""
        most = max((branch.sizes.m for branch in self._heads[head]), default=0)
        if not 0 <= b < -(-most // self.key_tile):
            raise IndexError(f"key tile {b} is not among those of {most} slots")
        return self._visits(head, lambda branch: branch.column(b))

    def _visits(
        self, head: int, side: Callable[[BranchLayout], tuple[Integers, Booleans]]
    ) -> Visits:
        branches = self._heads[head]
        with effort():
            found = [side(branch) for branch in branches]
        sizes = [len(tiles) for tiles, _ in found]
        times = [branch.branch.multiplicity for branch in branches]
        empty = np.zeros(0, np.int64)
        return Visits(
            np.concatenate([empty, *(tiles for tiles, _ in found)]),
            np.concatenate([empty.astype(np.bool_), *(full for _, full in found)]),
            np.repeat(np.array(times, np.int64), sizes),
            np.repeat(np.arange(len(branches)), sizes),
        )


@lru_cache(maxsize=256)
def _visited(runs: tuple[Interval, ...], rows: int, sizes: Sizes) -> int:
    """Tiles of closed-form runs; heads with equal runs are counted once."""
    return sum(counted(run, rows, sizes) for run in runs)


def _without(pairs: Pairs, others: Pairs) -> Pairs:
    if not len(others.row) or not len(pairs.row):
        return pairs
    width = int(max(pairs.tile.max(), others.tile.max())) + 1
    kept = ~np.isin(pairs.row * width + pairs.tile, others.row * width + others.tile)
    return Pairs(pairs.row[kept], pairs.tile[kept])


def _unlisted(pairs: Pairs, runs: tuple[Interval, ...], sizes: Sizes) -> Pairs:
    kept = ~in_runs(runs, pairs.row, pairs.tile, sizes)
    return Pairs(pairs.row[kept], pairs.tile[kept])


__all__ = ["BranchLayout", "Counts", "Layout", "Tile", "Visits"]
