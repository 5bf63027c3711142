"""What a term of a program must hold: pairs of one mask at one length, and pairs of no matter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Board:
    """Pairs of the last queries with n keys: `target` [queries, n], of which only `care` matter.

    `header`: whether the program has the header `causal`, which words may heed.
    """

    target: Bits
    care: Bits
    header: bool = False

    @classmethod
    def of(cls, mask: Bits) -> Board:
        return cls(mask, np.ones_like(mask))

    @property
    def n(self) -> int:
        return int(self.target.shape[1])

    @property
    def first(self) -> int:
        """The position of the first query."""
        return int(self.target.shape[1] - self.target.shape[0])

    @cached_property
    def i(self) -> Integers:
        return np.arange(self.first, self.n)[:, None]

    @cached_property
    def j(self) -> Integers:
        return np.arange(self.n)[None, :]

    @cached_property
    def wanted(self) -> Bits:
        return self.target & self.care

    @cached_property
    def barred(self) -> Bits:
        return self.care & ~self.target

    def within(self, care: Bits) -> Board:
        """The same, where only these pairs matter."""
        return replace(self, care=self.care & care)

    def part(self, a: int, b: int) -> Board:
        """The positions a:b as a sequence of their own."""
        return replace(self, target=self.target[a:b, a:b], care=self.care[a:b, a:b])

    def negated(self) -> Board:
        return replace(self, target=~self.target)

    def admits(self, held: Bits) -> bool:
        """Does a term with these pairs hold none that is barred?"""
        return not (held & self.barred).any()

    def blocks(self, block_of_row: Integers, block_of_key: Integers) -> Board | None:
        """The blocks as pairs, where every block that matters is whole or empty."""
        wanted, barred = (
            _any(part, block_of_row, block_of_key) for part in (self.wanted, self.barred)
        )
        if (wanted & barred).any():
            return None
        return Board(wanted, wanted | barred, self.header)


def along(pairs: Bits, axis: int) -> Bits:
    """Is any pair true, along an axis?"""
    return np.asarray(pairs.any(axis), np.bool_)


def _any(pairs: Bits, block_of_row: Integers, block_of_key: Integers) -> Bits:
    """Is any pair of each block in the set?"""
    rows = np.flatnonzero(np.diff(block_of_row, prepend=-1))
    keys = np.flatnonzero(np.diff(block_of_key, prepend=-1))
    by_key = np.logical_or.reduceat(pairs, keys, axis=1)
    return np.asarray(np.logical_or.reduceat(by_key, rows, axis=0), np.bool_)
