"""Tiles where integer sets give up: columns found row by row, and rows tile by tile."""

from __future__ import annotations

import numpy as np
import pytest

from patternc import Pattern
from patternc.relation.tables import HeadTables
from patternc.tiling.layout_at_length import BranchLayout


@pytest.mark.parametrize("text", ["local(5) + strided(48)", "random(2) + local(9)"])
def test_columns_by_rows_are_those_of_column_runs(text: str) -> None:
    n = 150
    (branch,) = Pattern.parse(text).relations()[0].branches
    layout = BranchLayout(branch, 16, 16, HeadTables(n).of(branch.source))
    for key_tile in range(10):
        for found, wanted in zip(layout._across(key_tile), layout.column(key_tile), strict=True):
            assert np.array_equal(found, wanted)


def test_residues_of_segments_that_no_tile_fits_have_tiles_within_the_budget() -> None:
    n, pattern = 600, Pattern.parse("segment(63, dilation=2)")
    layout = pattern.layout(n, (128, 64))
    mask = np.pad(pattern.mask(n)[0], ((0, 40), (0, 40)))
    held = mask.reshape(5, 128, 10, 64).any(axis=(1, 3))
    for row in range(5):
        assert layout.row(0, row).index.tolist() == np.flatnonzero(held[row]).tolist()
