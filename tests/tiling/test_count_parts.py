"""Pairs that are counted by cells and blocks are those counted one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patternc import Pattern
from patternc.algebra.evaluate import holds
from patternc.algebra.restrict import NotRestrictedError, restricted
from patternc.ir.terms import HeadPattern
from patternc.relation.relation import relation
from patternc.report.view import view
from patternc.tiling import count_parts
from tests.terms import formulas

TILES = "blocks(480) { neighborhood([5, 6, 8], radius=[1, 1, 2], edge=shift) }"
RADIAL = """
param T = 3600
let d = abs(i // T - j // T)
let x = abs(i % T - j % T)
(where(d <= 1) + columns([:T]) + where(d <= 3 and x <= 1024) + where(d <= 7 and x <= 512)
 + where(d <= 15 and x <= 256) + where(d <= 31 and x <= 128))
"""


@pytest.fixture
def in_small_parts(monkeypatch):
    monkeypatch.setattr(count_parts, "FEW_PAIRS", 16)
    count_parts.pairs_by_parts.cache_clear()
    count_parts._counted.cache_clear()
    yield
    count_parts.pairs_by_parts.cache_clear()
    count_parts._counted.cache_clear()


def predicate(text: str):
    (branch,) = Pattern(text).relations()[0].branches
    return branch.formula


@pytest.mark.parametrize(
    "text",
    [
        "blocks(7) { windows([2, 3], size=[1, 2], shift=[0, 1]) }",
        "columns([:2]) + within(2:) { neighborhood([4, 10], radius=[1, 2], edge=shift) }",
        "windows([6, 7], size=[4, 3], shift=[2, 1], edge=roll)",
        "causal\nblocks(4) { local(left=1) } + columns([0])",
        "where(abs(i // 6 - j // 6) <= 2 and abs(i % 6 - j % 6) <= 1)",
        "where(i + j >= n and (i - j) % 5 < 2)",
        "where(min(i // 4, 5) <= max(j // 8, 2) or j % 3 == i % 3)",
    ],
)
@pytest.mark.usefixtures("in_small_parts")
def test_pairs_by_parts_are_those_of_the_mask(text):
    found = count_parts.pairs_by_parts(predicate(text), 42, 42)
    assert found in (None, int((Pattern(text).mask(42)).sum()))
    assert (found is None) == ("(i - j)" in text)


@given(formulas, st.integers(1, 90))
@settings(max_examples=60)
@pytest.mark.usefixtures("in_small_parts")
def test_pairs_by_parts_of_random_formulas(term, n):
    (branch,) = relation(HeadPattern((term,))).branches
    i, j = np.arange(n)[:, None], np.arange(n)
    wanted = np.broadcast_to(holds(branch.formula, {"i": i, "j": j, "n": n}), (n, n)).sum()
    assert count_parts.pairs_by_parts(branch.formula, n, n) in (None, wanted)


@given(formulas, st.integers(1, 99), st.data())
def test_a_restricted_condition_is_the_condition_there(term, n, data):
    (branch,) = relation(HeadPattern((term,))).branches
    rows, keys = (
        (first := data.draw(st.integers(0, n - 1)), data.draw(st.integers(1, n - first)))
        for _ in range(2)
    )
    try:
        inside = restricted(branch.formula, {"i": rows, "j": keys, "n": (n, 1), "m": (n, 1)})
    except NotRestrictedError:
        return
    i, j = np.arange(rows[1])[:, None], np.arange(keys[1])
    shape = rows[1], keys[1]
    wanted = holds(branch.formula, {"i": i + rows[0], "j": j + keys[0], "n": n})
    found = np.broadcast_to(holds(inside, {"i": i, "j": j}), shape)
    assert np.array_equal(found, np.broadcast_to(wanted, shape))


def band(width: int) -> int:
    """Pairs |x - y| <= width of two frames of 3,600 tokens."""
    return 3600 * (2 * width + 1) - width * (width + 1)


def test_grids_of_videos_are_counted():
    """Tiles of 480: 45 of 240 seen by each, windows being inside the grid. Radial: by frames."""
    assert Pattern(TILES).pairs(115_200) == [240 * 45 * 480 * 480]
    widths = {1: 3599, 2: 1024, 3: 512, 4: 256, 5: 128}
    frames = [[band(3599) if j == 0 or abs(i - j) <= 1 else band(widths[abs(i - j).bit_length()])
               for j in range(21)] for i in range(21)]  # fmt: skip
    assert Pattern(RADIAL).pairs(75_600) == [sum(map(sum, frames))]


def test_a_grid_too_large_to_list_its_tiles_is_drawn():
    (panel,) = view(Pattern(TILES), 115_200, 0, None).panels(1)
    assert abs(panel.shares.mean() - 45 / 240) < 0.01
