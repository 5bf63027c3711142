"""The predicate of one tile at one length, by interval arithmetic and without integer sets.

Maps a predicate over tokens and the bounds of a tile to a smaller condition: a truth where the tile
is surely full or empty. Does not handle tables.
"""

from __future__ import annotations

import numpy as np

from patternc.algebra.evaluate import Integers, holds
from patternc.algebra.restrict import Known, restricted, shared
from patternc.ir.formula import Condition, Truth

# The first position and how many there are.
Span = tuple[int, int]


class Restricted:
    """A predicate over n tokens, tile by tile. Raises `NotRestrictedError` where it asks tables."""

    def __init__(self, predicate: Condition, n: int) -> None:
        self._predicate, self._sizes = shared(predicate), {"n": (n, 1), "m": (n, 1)}
        self._known = Known()

    def at(self, rows: Span, keys: Span) -> Condition:
        """The condition of one tile, over positions in it."""
        return restricted(self._predicate, {"i": rows, "j": keys, **self._sizes}, self._known)


def share(condition: Condition, rows: Integers, keys: Integers) -> float:
    """The share of pairs that such a condition holds, of some rows and keys of the tile."""
    if isinstance(condition, Truth):
        return float(condition.value)
    held = holds(condition, {"i": rows[:, None], "j": keys})
    return float(np.broadcast_to(held, (len(rows), len(keys))).mean())
