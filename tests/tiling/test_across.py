"""Columns found row by row, where integer sets gave up on them, are those of their runs."""

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
