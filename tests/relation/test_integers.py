"""Numbers near the ends of 32 and 64 bits: every room agrees, or the program is refused (P104)."""

from __future__ import annotations

import numpy as np
import pytest

from patternc import Pattern
from patternc.algebra.isl_budget import is_tangled
from patternc.language.syntax.diagnostics import PatternError
from patternc.relation.relation import relation

LARGE = 2**63 - 1
AGREEING = [
    "local({c})",
    "local({c}, dilation={c})",
    "strided({c})",
    "segment({c}, back=1)",
    "segment(3, back={c})",
    "columns([-{c}:]) & columns([:{c}])",
    "blocks({c}) {{ blocks({c}) {{ local(1) }} }}",
]
REFUSED = [
    "where(i * 2**60 > j)",
    f"where(i + {LARGE} > j)",
    "where(i % 2**41 == j)",
    "columns([:n * 2**61])",
    "local(n * 2**31, dilation=2**31)",
]


@pytest.mark.parametrize("text", AGREEING)
@pytest.mark.parametrize("number", [2**31, 2**32 + 3, LARGE])
def test_windows_that_reach_everything_mean_the_same_in_all_rooms(text, number):
    pattern = Pattern.parse(text.format(c=number))
    dense = pattern.mask(9)
    assert np.array_equal(dense[0], np.asarray(pattern.module.mask(9)[0]))
    assert np.sum(pattern.pairs(9)) == np.asarray(dense).sum()


@pytest.mark.parametrize("text", REFUSED)
def test_expressions_that_leave_63_bits_are_refused(text):
    with pytest.raises(PatternError, match="P104"):
        Pattern.parse(text)


def test_divisions_of_unlike_numbers_get_a_small_budget_and_exact_layouts():
    text = "where((i // 7 + j // 11) // 5 == (j // 13 + i // 17) // 3)"
    pattern = Pattern.parse(text)
    assert is_tangled(relation(pattern._frontend.resolve(0, 0)).branches[0].formula)
    assert np.sum(pattern.pairs(40)) == np.asarray(pattern.mask(40)).sum()
