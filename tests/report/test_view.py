"""A view shows what the mask holds, at a length that says something."""

import numpy as np
import pytest

from patternc import Pattern
from patternc.algebra.work_budget import allowance
from patternc.report.svg import shares
from patternc.report.view import CELLS, view
from patternc.semantics.errors import LengthError

PROGRAMS = (
    "local(3) + global([0])",
    "causal\nmix(segment(16), segment(32, dilation=3, offset=1))",
    "blocks(8) { local(1) + random(2) }",
    "causal\nsame(document)",
    "where((i + j) % 7 == 0) - columns([2:5])",
    "none",
)


@pytest.mark.parametrize("n", [1, 50, CELLS, 200, 333])
@pytest.mark.parametrize("text", PROGRAMS)
def test_the_cells_are_the_shares_of_the_mask(text, n):
    seen = view(Pattern.parse(text), n, 0, None)
    mask = seen.subject.mask(n, **seen.inputs)[0]
    assert np.allclose(seen.cells(0), shares(mask, -(-n // CELLS)))


def test_the_facts_are_those_of_the_mask():
    pattern = Pattern.parse("heads 2\nlocal(head * 5)")
    facts = dict(view(pattern, 300, 0, None).facts())
    low, high = pattern.mask(300).sum(axis=(1, 2))
    assert facts["pairs"] == f"{low:,} to {high:,} of 90,000"
    assert dict(view(pattern, 300, 0, 1).facts())["pairs"] == f"{high:,} of 90,000"


@pytest.mark.parametrize("n", [1, 50, 200, 333])
def test_the_cells_of_several_sources_are_the_shares_of_the_mask(n):
    text = "causal\nlocal(30) on memory(70) + full on pool(4, mean) + local(9)"
    seen = view(Pattern.parse(text), n, 0, None)
    mask = seen.subject.mask(n)[0]
    assert np.allclose(seen.cells(0), shares(mask, -(-max(mask.shape) // CELLS)))


def test_heads_on_different_sources_share_the_columns():
    pattern = Pattern.parse("heads 2\nhead == 0 -> local(1)\nelse -> full on memory(4)")
    left, right = (view(pattern, 6, 0, head).cells(head) for head in (0, 1))
    assert np.array_equal(np.stack((left, right)), pattern.mask(6))
    assert left[:, 6:].sum() == 0
    assert right.sum() == 6 * 4


def test_a_large_view_looks_into_samples_only():
    cells = view(Pattern.parse("strided(16)"), 65536, 0, None).cells(0)
    assert cells.shape == (CELLS, CELLS)
    assert abs(cells.mean() - 1 / 16) < 0.01


def test_heads_with_one_pattern_share_a_panel():
    pattern = Pattern.parse("heads 6\nhead % 4 == 0 -> local(1)\nelse -> full")
    titles = [panel.title for panel in view(pattern, 8, 0, None).panels(9)]
    assert titles == ["heads 0, 4", "heads 1-3, 5"]
    assert [panel.title for panel in view(pattern, 8, 0, None).panels(1)] == titles[:1]
    assert [panel.title for panel in view(pattern, 8, 0, 2).panels(9)] == ["head 2"]


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("full", 64),
        ("causal", 64),
        ("local(20)", 256),
        ("local(256)", 2048),
        ("neighborhood([6, 8], radius=[1, 1])", 48),
        ("blocks(4) { windows([6, 8], size=[2, 2]) }", 192),
        ("columns([:9]) + within(9:) { windows([6, 8], size=[2, 2]) }", 57),
        ("causal\nlocal(left=256, right=-1) on memory(256) + local(left=256)", 1024),
    ],
)
def test_a_telling_length_shows_the_shape(text, n):
    assert view(Pattern.parse(text), None, 0, None).n == n


def test_a_length_without_a_meaning_is_refused():
    with pytest.raises(LengthError):
        view(Pattern.parse("neighborhood([6, 8], radius=[1, 1])"), 47, 0, None)


def test_made_up_inputs_are_named():
    pattern = Pattern.parse("same(document) + global(question)")
    caption = view(pattern, 64, 0, None).caption
    assert caption == "n = 64, document = 4 of equal length, question = [0]"


@pytest.mark.parametrize("n", [1, 50, 200, 333])
@pytest.mark.parametrize("rows", ["g", "tree"])
def test_the_rows_of_streams_and_trees_are_drawn_as_their_masks(rows, n):
    text = (
        "local(1) + full on stream(g, 5)\nrows g\ncolumns([0:9]) + diagonal on stream(g, 5)"
        if rows == "g"
        else "diagonal + contextual(1) on tree(2)"
    )
    pattern = Pattern.parse(text)
    seen = view(pattern, n, 0, None, rows)
    mask = pattern.mask(n, rows=rows)[0]
    assert (seen.queries, seen.keys) == mask.shape
    if len(mask):
        assert np.allclose(seen.cells(0), shares(mask, -(-max(mask.shape) // CELLS)))
        assert dict(seen.facts())["pairs"] == f"{mask.sum():,} of {mask.size:,}"
    assert f"rows of {rows}" in seen.caption


@pytest.mark.parametrize(
    ("text", "pairs", "density"),
    [
        ("mix(full, local(2))", "64 of 64; 98 with multiplicity", "100.00%"),
        ("mean(full, full)", "64 of 64; 128 with multiplicity", "100.00%"),
        ("(local(1) with alibi) + full", "64 of 64", "100.00%"),
        ("local(1)", "22 of 64", "34.38%"),
    ],
)
def test_density_counts_a_pair_once(text, pairs, density):
    facts = dict(view(Pattern.parse(text), 8, 0, None).facts())
    assert (facts["pairs"], facts["density"]) == (pairs, density)


def test_facts_past_the_bound_of_a_command_say_that_they_are_not_counted() -> None:
    seen = view(Pattern("blocks(64) { local(1) + random(3) }"), 1 << 12, 0, None)
    with allowance(0):
        facts = dict(seen.facts())
    assert facts["pairs"].startswith("of 16,777,216; not counted: this command would compute")
    assert facts["density"] == "not counted"
    assert "not counted" in facts["tiles"]
    assert "not counted" not in str(seen.facts())


@pytest.mark.parametrize(
    "text",
    [
        "listed(plan)",
        "blocks(6) { listed(plan) + same(doc) }",
        "blocks(6) { random(2, avoid=same(doc)) }",
        "blocks(parts=3) { same(doc) + random(1, avoid=same(own)) }",
        "same(doc) on memory(7) + local(1)",
        "layers 2\nlayer == 0 -> blocks(4) { same(doc) }\nelse -> full",
    ],
)
def test_inputs_of_blocks_and_of_other_sources_are_made_up(text):
    pattern = Pattern.parse(text)
    for layer in range(pattern.layers or 1):
        assert view(pattern, 50, layer, None).panels(1)


def test_lines_thinner_than_a_sample_are_drawn():
    cells = view(Pattern.parse("global([5])"), 1 << 20, 0, None).cells(0)
    assert (cells[0] > 0).all()
    assert (cells[:, 0] > 0).all()
    assert not cells[1:, 1:].any()
