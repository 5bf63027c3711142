"""Searches: how the lists of a relation are found in a call, from its queries and keys.

Each is data that a relation carries; the generated module has the code. What a row may find is the
`among` of `terms.Found`. Does not search.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nearest:
    """The `count` keys of greatest score, which is a product or in the run-time input `scores`."""

    count: int
    scores: str = ""

    @property
    def width(self) -> int:
        """How many keys an entry of its lists stands for."""
        return 1

    @property
    def most(self) -> int:
        """The keys that a row finds at most."""
        return self.count


@dataclass(frozen=True, slots=True)
class TopBlocks:
    """The `count` blocks of `width` keys with the greatest scores, among those with an allowed key.

    A block's score is that of the mean of its keys, or is in the run-time input `scores`. In a
    `group` the heads of one key head find the same, by the sum of their softmaxes over the blocks
    (of given scores: by their sum).
    """

    count: int
    width: int
    scores: str = ""
    group: bool = False

    @property
    def most(self) -> int:
        return self.count * self.width


Search = Nearest | TopBlocks
