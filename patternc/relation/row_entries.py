"""Whether rows of a table list keys: entry by entry where a row has few, else by a search.

Asks arrays of entries [rows, k] at arrays of rows and keys that broadcast. Makes no tables.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from patternc.algebra.work_budget import compute
from patternc.frozen import frozen

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
# Up to so many entries of a row are compared one by one.
FEW = 6
# Numbers that one search computes, about.
SEARCH = 16


@frozen
class RowEntries:
    """Keys below `width` by row, [rows, k], and -1; `codes` are row * width + key, ascending."""

    keys: Integers
    width: int
    codes: Integers

    @classmethod
    def of(cls, keys: Integers, width: int) -> RowEntries:
        """Sorted where they are searched."""
        if keys.shape[1] <= FEW:
            return cls(keys, width, np.empty(0, np.int64))
        codes = np.arange(len(keys))[:, None] * width + keys
        return cls(keys, width, np.sort(codes[keys >= 0]))

    def hold(self, row: Integers, key: Integers) -> Booleans:
        """Where a row that there is lists a key that there is."""
        inside = (key >= 0) & (key < self.width) & (row >= 0) & (row < len(self.keys))
        if not len(self.keys):
            return np.asarray(inside)
        at = row.clip(0, len(self.keys) - 1)
        few = self.keys.shape[1] <= FEW
        return np.asarray(inside & (self._compared(at, key) if few else self._searched(at, key)))

    def _compared(self, row: Integers, key: Integers) -> Booleans:
        columns = (column[row] == key for column in self.keys.T)
        return reduce(np.logical_or, columns, np.asarray(False))

    def _searched(self, row: Integers, key: Integers) -> Booleans:
        if not len(self.codes):
            return np.asarray(False)
        asked = row * self.width + key
        compute(SEARCH * asked.size)
        place = np.searchsorted(self.codes, asked).clip(max=len(self.codes) - 1)
        return np.asarray(self.codes[place] == asked)
