"""`windows`: the predicate against numbers of windows, and against code that rolls and masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternc import Pattern
from patternc.algebra.evaluate import holds
from patternc.ir.terms import HeadPattern, WindowAxis, Windows
from patternc.relation.relation import relation
from patternc.semantics.mask import multiplicity


@st.composite
def grids(draw: st.DrawFn) -> Windows:
    edge = draw(st.sampled_from(["clip", "wrap", "roll"]))
    return Windows(tuple(draw(axes(edge)) for _ in range(draw(st.integers(1, 3)))), edge)


@st.composite
def axes(draw: st.DrawFn, edge: str) -> WindowAxis:
    dilation, members = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    size = members * dilation + (draw(st.integers(0, 2)) if edge == "clip" else 0)
    window = draw(st.integers(1, 4))
    shifted = edge == "clip" or window <= members
    return WindowAxis(size, window, draw(st.integers(0, window - 1)) * shifted, dilation)


@given(grids())
def test_predicate_is_equality_of_window_numbers(term):
    n = int(np.prod([axis.size for axis in term.axes]))
    i, j = np.arange(-3, n)[:, None], np.arange(n)
    (branch,) = relation(HeadPattern((term,))).branches
    held = np.broadcast_to(holds(branch.predicate, {"i": i, "j": j, "n": n}), (n + 3, n))
    assert np.array_equal(held, multiplicity(HeadPattern((term,)), n, n + 3) > 0)


def released(size: int, window: int, shift: int, roll_first: bool) -> np.ndarray:
    """One axis as released code cuts it: -1 is padding, the mask compares regions of the padded."""
    padded = -(-size // window) * window
    axis, padding = np.arange(size), np.full(padded - size, -1)
    if roll_first:
        axis = np.append(np.roll(axis, -shift), padding)
    else:
        axis = np.roll(np.append(axis, padding), -shift)
    region = np.zeros(padded, int)
    if shift:
        region[-window:-shift], region[-shift:] = 1, 2
    cell = np.arange(padded) // window * 3 + region
    real = axis >= 0
    mask = np.zeros((size, size), bool)
    mask[np.ix_(axis[real], axis[real])] = np.equal.outer(cell[real], cell[real])
    return mask


@pytest.mark.parametrize(("edge", "roll_first"), [("clip", False), ("roll", True)])
def test_shifted_windows_are_those_of_released_code(edge, roll_first):
    """Transformers pads and rolls; timm rolls and pads."""
    for size, window, shift in [(8, 4, 2), (7, 4, 2), (9, 4, 1), (11, 4, 3), (5, 5, 0), (6, 5, 2)]:
        text = f"windows([{size}], size=[{window}], shift=[{shift}], edge={edge})"
        mask = Pattern(text).mask(size)[0]
        assert np.array_equal(mask, released(size, window, shift, roll_first)), text


def test_windows_of_blocks_and_of_a_part():
    """A text of two tokens before a grid of 2 x 2 blocks of three tokens."""
    mask = Pattern("within(2:) { blocks(3) { windows([2, 2], size=[2, 1]) } }").mask(14)[0]
    columns = np.arange(12) // 3 % 2
    assert not mask[:2].any()
    assert not mask[:, :2].any()
    assert np.array_equal(mask[2:, 2:], np.equal.outer(columns, columns))
