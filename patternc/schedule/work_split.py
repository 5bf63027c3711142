"""Splits: passes in which a few programs would have far more tiles to visit than the others.

Decides for the tiles of a pass whether its heavy rows (key tiles of the query tile of a global row)
and columns (query tiles of the key tile of a global column) are split over several programs, and
why. Into how many pieces follows from n at call time, by the rule that appears here too. Generated
code does the splitting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from patternc.algebra.atoms import InRow, Member, Within
from patternc.algebra.filtered_intervals import counts, looked_at
from patternc.algebra.intervals import Sizes
from patternc.algebra.queries import variables_of
from patternc.frozen import frozen
from patternc.ir.formula import Expression
from patternc.ir.sources import Encoder, KeySource, Text
from patternc.relation.cases import Literal
from patternc.semantics.source_slots import slots
from patternc.tiling.classify import Classified, Runs
from patternc.tiling.tiling import Tiling

# Positions at which passes are judged, unless a grid has fewer or they are more query tiles than
# that; rows that are not the tokens' are about as many as slots.
EXAMPLE_LENGTH = 131_072
MOST_QUERY_TILES = 2048
EXAMPLE_ROWS = 256
# Slots that are looked at; more of them are alike.
MOST_JUDGED = 1 << 22
# Tiles that a program may visit in any case, and the largest part of its head's tiles.
MIN_TILES, PROGRAMS = 32, 64
# Tiles that are looked at one by one.
MOST_LOOKED_AT = 1 << 26
# Lines as long as others are cut if there are fewer than this.
MAX_HEAVY_ROWS = 16
# Pieces have up to so many medians or means of all lines.
MAX_MEDIANS, MAX_MEANS = 4, 2


class Limits(NamedTuple):
    """If a line has more than `line` tiles, all lines are cut in pieces of at most `piece`."""

    line: int
    piece: int


def limits(total: int, median: int, lines: int) -> Limits:
    """For the lines of a head that visit `total` tiles; the generated module has the same rule."""
    part = total // PROGRAMS
    line = max(MIN_TILES, part, min(2 * median, total // MAX_HEAVY_ROWS))
    usual = max(MAX_MEDIANS * median, -(-MAX_MEANS * total // lines))
    return Limits(line, max(MIN_TILES, min(usual, part)))


@frozen
class Split:
    """The lines of a pass at n positions: the tiles of the longest, of the median, and of a piece.

    `by_tables`: what tables name comes on top, known at call time only.
    """

    n: int
    longest: int
    median: int
    limits: Limits
    by_tables: bool

    @property
    def pieces(self) -> int:
        """Of the longest line."""
        return -(-self.longest // self.limits.piece) if self.is_long else 1

    @property
    def is_long(self) -> bool:
        return self.longest > self.limits.line


def of_rows(tilings: Sequence[Tiling], source: KeySource, n: int) -> Split:
    """The lines of query tiles at n positions: the key tiles that they visit."""
    sizes = sizes_of(source, n)
    count = -(-sizes.n // tilings[0].query_tile)
    closed = [tiling.full + tiling.partial for tiling in tilings]
    return _split(closed, count, sizes, any(map(_of_rows, _literals(tilings))))


def of_columns(
    columns: Sequence[Classified], tilings: Sequence[Tiling], source: KeySource, n: int
) -> Split:
    """The lines of key tiles: the query tiles that visit them."""
    sizes = sizes_of(source, n)
    count = -(-sizes.m // tilings[0].key_tile)
    closed = [column.full + column.partial for column in columns]
    return _split(closed, count, sizes, any(map(_of_keys, _literals(tilings))))


def chosen(passes: Sequence[Split | None]) -> list[Split | None]:
    """Of passes that run one after another those with lines longer than all usual ones."""
    medians = [0 if split is None else split.median for split in passes]
    return [
        split if split and _stands_out(split, medians[:at] + medians[at + 1 :]) else None
        for at, split in enumerate(passes)
    ]


def _stands_out(split: Split, others: Sequence[int]) -> bool:
    longer = split.longest > MAX_MEDIANS * max(others, default=0)
    return split.by_tables or (split.is_long and longer)


def _split(heads: Sequence[Runs], count: int, sizes: Sizes, named: bool) -> Split:
    """By the head with the longest line; as if none were long where too much is to look at."""
    rows = np.arange(count)
    if sum(looked_at(run, rows, sizes) for runs in heads for run in runs) > MOST_LOOKED_AT:
        return Split(sizes.n, 0, 0, limits(0, 0, count), named)
    each = [sum((counts(run, rows, sizes) for run in runs), 0 * rows) for runs in heads]
    visits = np.sort(max(each, key=lambda head: int(head.max())))
    longest, median = int(visits[-1]), int(visits[(count - 1) // 2])
    return Split(sizes.n, longest, median, limits(int(visits.sum()), median, count), named)


def sizes_of(source: KeySource, n: int) -> Sizes:
    """Positions and slots to judge by, where there are n tokens."""
    match source:
        case Encoder():
            return Sizes(n, n)
        case Text():
            return Sizes(EXAMPLE_ROWS, n)
        case _:
            return Sizes(n, min(slots(source, n, {}), MOST_JUDGED))


def _literals(tilings: Sequence[Tiling]) -> Iterator[Literal]:
    for tiling in tilings:
        for product in tiling.products:
            yield from (literal for literal in product.literals if literal.positive)


def _of_rows(literal: Literal) -> bool:
    """Does a table name rows, which then may be long?"""
    match literal.atom:
        case Member(_, position) | Within(_, position, _):
            return _only(position, "i")
        case _:
            return False


def _of_keys(literal: Literal) -> bool:
    """Does a table name keys, which then may be many rows'?"""
    match literal.atom:
        case Member(_, position) | Within(_, position, _):
            return _only(position, "j")
        case InRow():
            return True
        case _:
            return False


def _only(position: Expression, name: str) -> bool:
    return variables_of(position) - {"n", "m"} == {name}
