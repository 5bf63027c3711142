"""Entries of rows, searched or compared, are those that the table lists."""

from __future__ import annotations

import numpy as np
import pytest

from patternc.relation.row_entries import FEW, RowEntries

ROWS, WIDTH = 5, 11


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, 9])
@pytest.mark.parametrize("shape", [(ROWS, 1), (1, ROWS), (ROWS, WIDTH)])
def test_a_row_holds_the_keys_that_it_lists(count: int, shape: tuple[int, int]) -> None:
    draws = np.random.default_rng(count)
    keys = draws.integers(-1, WIDTH, (ROWS, count))
    row = np.broadcast_to(draws.integers(-2, ROWS + 2, shape), shape)
    key = np.arange(-2, WIDTH + 2).reshape(-1, 1, 1)
    wanted = [
        [
            [0 <= i < ROWS and j >= 0 and j in keys[i].tolist() for i in line]
            for line in row.tolist()
        ]
        for j in key.ravel().tolist()
    ]
    found = RowEntries.of(keys, WIDTH).hold(row, key)
    assert np.array_equal(np.broadcast_to(found, (len(key), *shape)), wanted)


def test_a_table_of_no_rows_holds_nothing() -> None:
    empty = RowEntries.of(np.empty((0, 9), np.int64), WIDTH)
    assert not empty.hold(np.arange(3), np.arange(3)).any()
