"""Pieces of a branch: disjoint, together the branch, over positions and over classes."""

import numpy as np
import pytest

from patternc import Pattern
from patternc.algebra.evaluate import holds
from patternc.schedule.decompose import Piece, pieces
from patternc.schedule.residue_classes import Classes, classed

CUT = {
    "local(256, dilation=8)": [Classes(8, 8, 0, 0)],
    "strided(16) & causal": [Classes(16, 16, 0, 0)],
    "(local(left=15) + strided(16)) & causal": [None, Classes(16, 16, 0, 0)],
    "local(30, dilation=8) + global([0])": [Classes(8, 8, 0, 0), None],
    "segment(643, dilation=5, offset=2) & causal": [Classes(5, 1, 643, 2)],
    "segment(100)": [Classes(1, 1, 100, 0)],
    "local(9, dilation=64) + local(40)": [None, Classes(64, 64, 0, 0)],
}
UNCUT = [
    "local(16)",
    "local(20, dilation=3)",
    "columns(period(32, 24:32)) & causal",
    "segment(128, back=1) & causal",
    "none",
    "strided(128) & same(document)",
    "local(4, dilation=32) - columns([5])",
]


def branch_of(text):
    return Pattern.parse(text).relations()[0].branches[0]


def members(classes, n):
    """The positions of every class."""
    for number in range(classes.count(n)):
        at = number // classes.residues, number % classes.residues
        base = classes.segment * at[0] + at[1] + classes.offset
        stop = min(n, classes.segment * (at[0] + 1)) if classes.segment else n
        yield np.arange(base, max(stop, base), classes.stride)


def counted(piece: Piece, n: int):
    """How often the piece holds each pair."""
    found = np.zeros((n, n), np.int64)
    for own in members(piece.classes or Classes(1, 1, 0, 0), n):
        x = np.arange(len(own))
        values = {"i": x[:, None], "j": x[None, :], "n": len(own), "m": len(own)}
        held = np.broadcast_to(holds(piece.formula, values), (len(own), len(own)))
        found[np.ix_(own, own)] += held
    return found


@pytest.mark.parametrize("text", CUT)
def test_terms_with_classes_are_cut_from_the_others(text):
    found = pieces(branch_of(text), 128, 64)
    assert [piece.classes for piece in found] == CUT[text]


@pytest.mark.parametrize("n", [1, 7, 33, 131, 1300])
@pytest.mark.parametrize("text", CUT)
def test_the_pieces_hold_each_pair_once(text, n):
    found = pieces(branch_of(text), 128, 64)
    together = sum(counted(piece, n) for piece in found)
    np.testing.assert_array_equal(together, Pattern.parse(text).mask(n)[0])


@pytest.mark.parametrize("text", UNCUT)
def test_what_has_no_classes_or_gains_nothing_stays_whole(text):
    branch = branch_of(text)
    assert pieces(branch, 128, 64) == (Piece(branch.formula),)


def test_rows_of_different_classes_that_differ_have_none():
    """Column 3 belongs to one class of two, so the members' formula depends on the class."""
    text = "local(4, dilation=2) - columns([3])"
    assert classed(branch_of(text).formula) is None
