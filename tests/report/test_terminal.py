"""Block characters show the cells they stand for."""

import numpy as np

from patternc.report.svg import Panel, levels, shares
from patternc.report.terminal import blocks, draw


def test_two_rows_share_a_character():
    assert list(blocks(levels(np.tri(4)))) == ["█▄  ", "███▄"]


def test_an_odd_last_row_stands_alone():
    assert list(blocks(levels(np.ones((3, 2))))) == ["██", "▀▀"]


def test_shades_tell_sparse_from_dense():
    cells = np.array([[0.01, 0.2, 0.9, 1.0]] * 2)
    assert list(blocks(levels(cells))) == ["░▒▓█"]


def test_panels_of_other_heights_stand_side_by_side():
    small = Panel("a", shares(np.ones((2, 2), bool), 1), 2, 2)
    large = Panel("b", shares(np.tri(6, dtype=bool), 1), 6, 6)
    assert draw([small, large]).splitlines() == [
        "┌──┐  ┌ b ───┐",
        "│██│  │█▄    │",
        "└──┘  │███▄  │",
        "      │█████▄│",
        "      └─── 6 ┘",
    ]


def test_nothing_to_draw_is_nothing():
    assert draw([]) == ""
