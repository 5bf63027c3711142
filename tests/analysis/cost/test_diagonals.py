"""Closed forms of lists of distances, against masks and against each other at every length."""

import pytest

from patternc import Pattern
from patternc.analysis.cost.diagonals import diagonals
from patternc.analysis.cost.pair_sets import Plane
from tests.analysis.cost.closed_forms import holds_at, value

POWERS = {
    "causal\noffsets(powers(2))": ("n*ceil_log2(n) - 2**ceil_log2(n) + 1 for n >= 1", "O(n log n)"),
    "causal\noffsets(powers(2)) + diagonal": (
        "n + n*ceil_log2(n) - 2**ceil_log2(n) + 1 for n >= 1",
        "O(n log n)",
    ),
    "offsets(powers(3))": ("4*n - 40 for n >= 27, n <= 81", "O(n log n)"),
    "causal\nlocal(3) + offsets(powers(4))": ("7*n - 90 for n >= 64, n <= 256", "O(n)"),
}


def form_of(pattern: Pattern, n: int):
    (layer,) = pattern.report(n).facts.layers
    return layer.cost.heads[0].pairs


@pytest.mark.parametrize("text", POWERS)
def test_the_form_of_powers_is_short_and_says_where_it_holds(text):
    found = form_of(Pattern.parse(text), 70)
    assert (found.form, found.order) == POWERS[text]
    assert not found.reason


@pytest.mark.parametrize(
    "text", [*POWERS, "heads 2\noffsets(powers(2)) - local(head)", "local(2) + offsets(powers(5))"]
)
def test_forms_are_the_number_of_pairs_of_the_mask(text):
    pattern = Pattern.parse(text)
    for n in (1, 2, 4, 5, 27, 28, 64, 65):
        pairs = int(pattern.mask(n)[0].sum())
        assert pattern.pairs(n)[0] == pairs
        form = form_of(pattern, n).form
        assert holds_at(form, n)
        assert value(form, n) == pairs


def test_what_more_than_distances_decides_has_none():
    for text in ("where(i - j == 4 or j == 3)", "where(i - j != 2)", "local(left=n // 2)"):
        (relation,) = Pattern.parse(text).relations()
        assert diagonals([Plane(relation.branches[0].formula)]) is None
