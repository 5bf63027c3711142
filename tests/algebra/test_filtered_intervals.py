"""Runs with periodic filters are counted as if they were listed."""

from __future__ import annotations

import numpy as np
import pytest

from patternc.algebra.filtered_intervals import is_countable, periodic_counts
from patternc.algebra.intervals import Interval, Sizes, expand
from patternc.ir.formula import Add, Compare, Constant, Modulo, Variable

ROW, KEY, LENGTH = Variable("i"), Variable("j"), Variable("n")
FILTERS = (
    Compare("==", Modulo(KEY, Constant(7)), Constant(3)),
    Compare(">=", Modulo(KEY, Constant(7)), Modulo(Add(KEY, Constant(1)), Constant(5))),
    Compare("<=", Modulo(KEY, Constant(6)), Modulo(ROW, Constant(4))),
)


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("chosen", FILTERS)
def test_periodic_filters_are_counted_as_listed(chosen: Compare, step: int) -> None:
    run = Interval(chosen, Add(ROW, Constant(-5)), LENGTH, step)
    rows, sizes = np.arange(60), Sizes(50, 50)
    assert is_countable(run)
    listed = np.concatenate([row for row, _ in expand(run, rows, sizes)])
    assert np.array_equal(periodic_counts(run, rows, sizes), np.bincount(listed, minlength=60))
