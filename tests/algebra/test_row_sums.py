"""Sums over the rows of a run by parts equal those row by row."""

from __future__ import annotations

import numpy as np
import pytest

from patternc import Pattern
from patternc.algebra import row_sums
from patternc.algebra.intervals import Sizes, lengths
from patternc.tiling.key_runs import key_runs

PROGRAMS = (
    "local(left=5, right=3, dilation=2) + columns([0, -1])",
    "causal\nsegment(7, back=1) + columns(period(5, :2))",
    "where(j < min(i * 2, n - i) and i % 3 != 1) + where(j == n - 1 - i)",
    "causal\nblocks(4) { diagonal + offsets(powers(2)) + columns([0]) }",
    "where(i // 6 * 6 + 6 <= 30 or j < 8 or j >= i // 6 * 6 - 18)",
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_parts_sum_to_what_rows_sum_to(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_sums, "FEW_ROWS", 8)
    (branch,) = Pattern.parse(program).relations(0)[0].branches
    runs = key_runs(branch.formula, branch.keys)
    assert runs
    for n in (1, 97, 1000):
        for run in runs:
            alone = int(lengths(run, np.arange(n), Sizes(n, n)).sum())
            assert row_sums.summed(run, n, Sizes(n, n)) == alone


def test_a_thousand_million_tokens_are_counted_exactly() -> None:
    n, powers = 10**9, [2**power for power in range(30)]
    program = Pattern.parse("causal\noffsets(powers(2)) + columns([0]) + diagonal")
    every = sum(n - power for power in powers) + n
    # Column 0 is in all rows, and in as many of them already as a distance reaches it.
    assert program.pairs(n) == [every + n - len(powers) - 1]
    blocks = Pattern.parse("causal\nblocks(128) { offsets(powers(2)) }")
    rows = -(-n // 128)
    assert n % 128 == 0
    assert blocks.pairs(n) == [128**2 * sum(rows - power for power in powers[:23])]
