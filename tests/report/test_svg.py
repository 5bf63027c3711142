"""Rectangles cover what they should, and the SVG stays small and well formed."""

from xml.etree import ElementTree

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from patternc.report.svg import FULL, Panel, levels, rectangles, shares, svg

_masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=24))
_grids = arrays(
    np.int64, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 3)
)


@given(_grids)
def test_rectangles_paint_the_grid_and_never_overlap(grid):
    painted = np.zeros_like(grid)
    for box in rectangles(grid):
        area = painted[box.top : box.top + box.height, box.left : box.left + box.width]
        assert area.shape == (box.height, box.width)
        assert not area.any()
        area[:] = box.level
    assert np.array_equal(painted, grid)


@given(_masks, st.integers(1, 30))
def test_shares_average_every_cell_and_short_cells_at_the_ends(mask, cell):
    found = shares(mask, cell)
    for row, column in np.ndindex(*found.shape):
        square = mask[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
        assert found[row, column] == square.mean()
    assert found.shape == tuple(-(-size // cell) for size in mask.shape)


def test_only_cells_that_hold_every_pair_are_full():
    assert levels(np.array([0.0, 1e-6, 0.99, 1.0])).tolist() == [0, 1, FULL - 1, FULL]


def test_a_band_is_a_few_rectangles_a_row_and_not_a_pixel_each():
    i, j = np.mgrid[:64, :64]
    grid = levels((abs(i - j) <= 2).astype(float))
    assert len(rectangles(grid)) == 64
    grid = levels(((i // 8) == (j // 8)).astype(float))
    assert len(rectangles(grid)) == 8


def test_the_svg_is_well_formed_and_escapes_its_texts():
    panel = Panel("head <0>", shares(np.tri(6, dtype=bool), 2), 6, 6)
    root = ElementTree.fromstring(svg("a & b", 'x < "y"', [panel, panel]))
    texts = [node.text for node in root.iter() if node.text]
    assert {"a & b", 'x < "y"', "head <0>", "6"} <= set(texts)


def test_an_empty_mask_has_a_picture():
    panel = Panel("head 0", shares(np.zeros((3, 3), bool), 1), 3, 3)
    assert not list(ElementTree.fromstring(svg("none", "", [panel])).iterfind(".//{*}path"))


def test_a_title_wider_than_the_picture_is_cut():
    panel = Panel("head 0", shares(np.ones((2, 2), bool), 1), 2, 2)
    root = ElementTree.fromstring(svg("x" * 500, "", [panel]))
    (shown,) = (node.text for node in root.iterfind(".//{*}text") if node.get("class") == "title")
    assert shown.endswith("x\N{HORIZONTAL ELLIPSIS}")
    assert len(shown) < 40
