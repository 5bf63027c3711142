"""Layouts list exactly the tiles of the mask, in both directions, for every n and tile shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patternc import Pattern
from patternc.algebra.intervals import Sizes, expand
from patternc.ir.formula import Constant
from patternc.ir.terms import (
    Blocks,
    Causal,
    Columns,
    Global,
    HeadPattern,
    Intersection,
    Listing,
    Local,
    PositionRange,
    Random,
    RunTimeSet,
    SameDocument,
    Union,
)
from patternc.relation.relation import relation
from patternc.relation.tables import HeadTables
from patternc.semantics.mask import mask
from patternc.tiling.classify import Classified, classify, classify_by_key, every_tile
from patternc.tiling.layout_at_length import Layout
from tests.terms import formulas, patterns, with_random

tiles = st.tuples(st.sampled_from([4, 8, 16]), st.sampled_from([4, 8, 16]))
lengths = st.integers(1, 70)


def layout_of(pattern, n, tile, inputs=None):
    return Layout([relation(pattern)], n, *tile, [HeadTables(n, inputs)])


def expected_row(dense, a, tile):
    """Tile index -> full, from the dense mask of one branch."""
    query_tile, key_tile = tile
    rows = dense[a * query_tile : (a + 1) * query_tile]
    found = {}
    for b in range(-(-dense.shape[1] // key_tile)):
        part = rows[:, b * key_tile : (b + 1) * key_tile]
        if part.any():
            found[b] = bool(part.all()) and part.shape[1] == key_tile
    return found


def branch_row(layout, a, branch):
    return {tile.index: tile.kind == "full" for tile in layout.row(0, a) if tile.branch == branch}


@given(formulas, lengths, tiles)
@settings(max_examples=60)
def test_rows_of_a_formula_are_exact(term, n, tile):
    dense, layout = mask(term, n), layout_of(HeadPattern((term,)), n, tile)
    for a in range(-(-n // tile[0])):
        assert branch_row(layout, a, 0) == expected_row(dense, a, tile)


@given(with_random(), lengths, tiles)
@settings(max_examples=50)
def test_rows_with_random_draws_list_exactly_the_touched_tiles(term, n, tile):
    dense, layout = mask(term, n), layout_of(HeadPattern((term,)), n, tile)
    for a in range(-(-n // tile[0])):
        found, expected = branch_row(layout, a, 0), expected_row(dense, a, tile)
        assert set(found) == set(expected)
        assert all(expected[b] for b, full in found.items() if full)


@given(patterns, lengths, tiles)
@settings(max_examples=30)
def test_columns_and_counts_list_the_tiles_of_the_rows(pattern, n, tile):
    layout = layout_of(pattern, n, tile)
    rows = {
        (visit.branch, a, visit.index, visit.kind)
        for a in range(-(-n // tile[0]))
        for visit in layout.row(0, a)
    }
    columns = {
        (visit.branch, visit.index, b, visit.kind)
        for b in range(-(-n // tile[1]))
        for visit in layout.column(0, b)
    }
    assert rows == columns
    counts = layout.counts()
    assert counts.full == (sum(kind == "full" for *_, kind in rows),)
    assert counts.partial == (sum(kind == "partial" for *_, kind in rows),)


def test_columns_list_no_tiles_behind_the_last_slot_of_a_source():
    layout = Pattern.parse("local(1) + full on persistent(2)").layout(48, 16)
    found = [[visit.branch for visit in layout.column(0, b)] for b in range(3)]
    assert found == [[0, 0, 1, 1, 1], [0, 0, 0], [0, 0]]
    for b in (-1, 3):
        with pytest.raises(IndexError, match=f"key tile {b} is not among those of 48 slots"):
            layout.column(0, b)


def test_columns_are_those_of_the_rows_where_integer_sets_give_up_on_columns(monkeypatch):
    wanted = [list(Pattern.parse("causal").layout(70, 16).column(0, b)) for b in range(5)]
    given_up = Classified((), (every_tile(16),), exact=False)
    monkeypatch.setattr("patternc.tiling.layout_at_length.classify_by_key", lambda *_: given_up)
    layout = Pattern.parse("causal").layout(70, 16)
    assert [list(layout.column(0, b)) for b in range(5)] == wanted


def test_dilated_windows_of_odd_blocks_have_columns():
    past = Intersection((Blocks(9, Local(Constant(42), Constant(42), 7)), Causal()))
    (branch,) = relation(HeadPattern((past,))).branches
    found, by_row = (of(branch.formula, 16, 16) for of in (classify_by_key, classify))
    assert found.exact
    assert _tiles(found.full, 20) == {(b, a) for a, b in _tiles(by_row.full, 20)}
    assert _tiles(found.partial, 20) == {(b, a) for a, b in _tiles(by_row.partial, 20)}


def _tiles(runs, count):
    """The tiles (outer, inner) that runs list among count x count."""
    sizes = Sizes(16 * count, 16 * count)
    listed = (part for run in runs for part in expand(run, np.arange(count), sizes))
    return {
        pair for rows, values in listed for pair in zip(rows.tolist(), values.tolist(), strict=True)
    }


@pytest.mark.parametrize("n", [1, 31, 64, 100])
@pytest.mark.parametrize(
    "term",
    [
        Intersection((Causal(), SameDocument("document"))),
        Union((Local(Constant(3), Constant(3)), Global(RunTimeSet("question")))),
        Intersection((Columns(RunTimeSet("question")), SameDocument("document"))),
    ],
    ids=["packed", "question", "both"],
)
def test_run_time_tiles_are_never_missed(term, n):
    inputs = {"document": np.arange(n) // 13, "question": np.arange(n) % 17 == 3}
    dense = mask(term, n, inputs=inputs)
    layout = layout_of(HeadPattern((term,)), n, (16, 8), inputs)
    for a in range(-(-n // 16)):
        found, expected = branch_row(layout, a, 0), expected_row(dense, a, (16, 8))
        assert set(found) >= set(expected)
        assert all(expected[b] for b, full in found.items() if full)


def test_packed_documents_skip_the_tiles_of_other_documents():
    term = Intersection((Causal(), SameDocument("document")))
    layout = layout_of(HeadPattern((term,)), 64, (16, 16), {"document": np.arange(64) // 16})
    assert layout.counts().partial == (4,)


def test_random_blocks_that_fill_a_tile_are_full():
    everything = Listing((PositionRange(None, None),))
    drawn = Blocks(16, Random(1, everything, 0, 0, 0, Local(Constant(1), Constant(1))))
    counts = layout_of(HeadPattern((drawn,)), 128, (16, 16)).counts()
    assert (counts.full, counts.partial) == ((8,), (0,))


def test_a_tile_outside_the_sequence_is_refused():
    with pytest.raises(IndexError, match="query tile 4"):
        layout_of(HeadPattern((Causal(),)), 64, (16, 16)).row(0, 4)
