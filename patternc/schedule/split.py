"""Splits: passes in which a few programs would have far more tiles to visit than the others.

From the tiles of a pass to whether its long lines (key tiles of the query tile of a global row,
query tiles of the key tile of a global column) are cut for several programs, and why. Into how many
pieces follows from n at the call, by the rule that stands here too. Non-goals: the cutting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from patternc.language.formula import Expression
from patternc.language.sources import (
    Compressed,
    Encoder,
    Memory,
    Persistent,
    Pool,
    Project,
    Source,
    Stream,
    Text,
    Tokens,
    Tree,
)
from patternc.layout.layout import Tiling
from patternc.layout.tiling import Classified, Runs
from patternc.relation.evaluation import Integers
from patternc.relation.formulas import variables_of
from patternc.relation.predicate import InRow, Member, Within
from patternc.relation.relation import Literal
from patternc.relation.runs import Sizes, lengths

# Positions at which passes are judged; rows that are not the tokens' are about as many as slots.
LONG = 131_072
FEW = 256
# What a program may visit: this many tiles in any case, medians and means of all lines, and no more
# than would leave a head fewer programs than this.
LEAST, MEDIANS, MEANS, PROGRAMS = 32, 4, 2, 64


@dataclass(frozen=True, slots=True)
class Split:
    """Lines of a pass at n positions: tiles of the longest and of the median, and what is cut.

    A program visits at most `most` tiles. `by_tables`: what tables name, known at the call only,
    comes on top.
    """

    n: int
    longest: int
    median: int
    most: int
    by_tables: bool

    @property
    def pieces(self) -> int:
        """Of the longest line."""
        return -(-self.longest // self.most)


def most_visits(visits: Integers) -> int:
    """How many tiles a program may visit, given how many each line of a head has."""
    total, median = int(visits.sum()), int(np.sort(visits)[(len(visits) - 1) // 2])
    usual = max(MEDIANS * median, -(-MEANS * total // len(visits)))
    return max(LEAST, min(usual, total // PROGRAMS))


def split_rows(tilings: Sequence[Tiling], source: Source) -> Split | None:
    """Of query tiles, by the key tiles that they visit; None where none are long."""
    sizes = sizes_of(source)
    count = -(-sizes.n // tilings[0].query_tile)
    closed = [tiling.full + tiling.partial for tiling in tilings]
    named = any(_of_rows(literal) for literal in _literals(tilings))
    return _split(closed, count, sizes, named)


def split_columns(
    columns: Sequence[Classified], tilings: Sequence[Tiling], source: Source
) -> Split | None:
    """Of key tiles, by the query tiles that visit them."""
    sizes = sizes_of(source)
    count = -(-sizes.m // tilings[0].key_tile)
    closed = [column.full + column.partial for column in columns]
    named = any(_of_keys(literal) for literal in _literals(tilings))
    return _split(closed, count, sizes, named)


def _split(heads: Sequence[Runs], count: int, sizes: Sizes, named: bool) -> Split | None:
    rows = np.arange(count)
    each = [sum((lengths(run, rows, sizes) for run in runs), 0 * rows) for runs in heads]
    visits = max(each, key=lambda head: int(head.max()))
    longest, median = int(visits.max()), int(np.sort(visits)[(count - 1) // 2])
    most = most_visits(visits)
    held = longest > most or named
    return Split(sizes.n, longest, median, most, named) if held else None


def sizes_of(source: Source) -> Sizes:
    """Positions and slots to judge by."""
    match source:
        case Tokens() | Encoder():
            return Sizes(LONG, LONG)
        case Memory(slots) | Compressed(slots) | Project(slots) | Persistent(slots):
            return Sizes(LONG, slots)
        case Stream(_, slots):
            return Sizes(LONG, slots)
        case Pool(_, _, stride):
            return Sizes(LONG, max(1, LONG // stride))
        case Tree(branching):
            return Sizes(LONG, LONG + LONG // (branching - 1))
        case Text():
            return Sizes(FEW, LONG)
        case _:
            assert_never(source)


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
