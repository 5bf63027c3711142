"""The graph of blocks against masks, what it says about flow, and growth in the layers."""

from __future__ import annotations

import numpy as np
import pytest

from patternc import Pattern
from patternc.algebra.evaluate import holds
from patternc.analysis.reach.graph_structure import structure
from patternc.ir.sources import TOKENS

TEXTS = (
    "local(3) + global([0])",
    "heads 2\nblocks(4) { local(1) + random(1) }",
    "causal\nheads 3\nmix(segment(8), segment(16, dilation=2, offset=head % 2))",
    "local(2, dilation=3) + columns([1, 5, 9, 13, 17, 21])",
)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(("n", "block"), [(32, 8), (37, 6), (5, 64)])
def test_edges_hold_the_pairs_of_masks(text: str, n: int, block: int) -> None:
    pattern = Pattern.parse(text)
    graph = pattern.graph(n, block)
    counts = pattern.multiplicity(n)
    for query, key in np.ndindex(len(graph), len(graph)):
        rows, keys = (slice(side * block, (side + 1) * block) for side in (query, key))
        tile = counts[:, rows, keys]
        if not tile.any():
            assert not graph.has_edge(query, key)
            continue
        edge = graph.edges[query, key]
        later = np.arange(n)[None, keys] > np.arange(n)[rows, None]
        assert edge["pairs"] == tile.sum()
        assert edge["ahead"] == (tile * later).sum()
        assert edge["heads"] == tuple(np.flatnonzero(tile.any(axis=(1, 2))))
        assert edge["density"] == pytest.approx(tile.sum() / tile.size)


def test_edges_name_the_terms_that_hold_them() -> None:
    graph = Pattern.parse("local(3) + columns([0])").graph(64, 8)
    assert graph.edges[1, 2]["terms"] == ("local(3)",)
    assert graph.edges[5, 0]["terms"] == ("columns([0])",)
    assert graph.edges[1, 0]["terms"] == ("local(3)", "columns([0])")


def test_one_global_token_carries_all_long_range_flow() -> None:
    found = structure(Pattern.from_zoo("longformer").graph(2048))
    assert (found.components, found.diameter) == (1, 2)
    assert (found.carriers, found.cut_blocks) == ((0,), ())


def test_a_bridge_of_positions_is_a_cut() -> None:
    text = "segment(16) + where(i == 15 and j == 16) + where(i == 16 and j == 15)"
    assert structure(Pattern.parse(text).graph(32, 8)).cut_blocks == (1, 2)


def test_two_global_blocks_carry_the_flow_together() -> None:
    found = structure(Pattern.parse("blocks(64) { local(1) + global([0, -1]) }").graph(2048))
    assert found.carriers == (0, 31)


def test_the_diameter_of_blocks_is_the_layer_that_fills_them() -> None:
    text = "blocks(16) { local(1) + random(2) }"
    found = structure(Pattern.parse(text).graph(1024, 16))
    assert found.diameter == Pattern.parse(text).reach(1024, 12).full_at
    assert found.spectral_gap > structure(Pattern.parse("local(16)").graph(1024, 16)).spectral_gap


def test_causal_patterns_leak_nothing() -> None:
    assert structure(Pattern.parse("causal\nlocal(9)").graph(64, 8)).leaks == 0
    leaking = Pattern.parse("causal & local(9) + columns([5])")
    mask = leaking.mask(64)[0]
    assert structure(leaking.graph(64, 8)).leaks == np.triu(mask, 1).sum()


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("local(4)", True),
        ("causal\nlocal(left=3) + columns([0:2])", True),
        ("local(2, dilation=3)", True),
        ("local(2) + global([0])", True),
        ("segment(4, back=1)", False),
    ],
)
def test_the_formula_of_growth_holds_the_fields(text: str, exact: bool) -> None:
    pattern, n = Pattern.parse(text), 24
    found = pattern.growth()
    assert found is not None
    assert found.exact == exact
    i, j = np.arange(n)[:, None], np.arange(n)[None, :]
    fields = np.eye(n, dtype=np.bool_)
    mask = pattern.mask(n)[0] | np.eye(n, dtype=np.bool_)
    for k in range(1, 5):
        fields = (mask.astype(int) @ fields.astype(int)) > 0
        if k < found.since:
            continue
        at = {"i": i, "j": j, "n": n, "m": k}
        held = np.broadcast_to(holds(found.condition, at), fields.shape)
        assert (held >= fields).all()
        if exact:
            assert np.array_equal(held, fields)


def test_the_formula_of_windows_reads_as_one_would_write_it() -> None:
    found = Pattern.parse("local(256)").growth()
    assert found is not None
    assert found.formula == "(((256 * k) + j) >= i) and (((256 * k) + i) >= j)"


def test_heads_that_others_cover_contribute_nothing() -> None:
    pattern = Pattern.parse("heads 3\nhead == 0 -> local(3)\nelse -> local(1)")
    wide, *narrow = pattern.contributions(64, 3)
    assert wide == Pattern.parse("local(3)").reach(64, 3).connected[-1] - (
        Pattern.parse("local(1)").reach(64, 3).connected[-1] or 0
    )  # type: ignore[operator]
    assert narrow == [0, 0]


@pytest.mark.parametrize(
    "text",
    [
        "random(3)",
        "rows([3:9]) + columns([1, 5, 9, 13, 17, 21]) & rows([0:12])",
        "heads 2\nsegment(8, dilation=3, offset=head)",
        "blocks(4) { random(1) } + where(i < 5) on pool(4, mean)",
    ],
)
def test_rows_without_keys_and_keys_unseen_are_counted(text: str) -> None:
    pattern = Pattern.parse(text)
    for n in (9, 40, 64):
        found, mask = pattern.unmet(n), pattern.mask(n)
        assert found.empty_rows == tuple((~mask.any(axis=2)).sum(axis=1))
        tokens = mask[:, :, :n] if pattern.columns(n)[0][0] == TOKENS else mask[:, :, -n:]
        assert found.unseen_keys == (~tokens.any(axis=(0, 1))).sum()
    assert Pattern.parse("local(left=3, right=-1)").unmet(10**9).empty_rows == (1,)


def test_growth_gives_up_where_one_operation_of_a_power_would_take_minutes() -> None:
    """Several parts of many floor divisions; a grid taken away is such a pattern, too."""
    for text in (
        "segment(9) - segment(4) - segment(5)",
        "causal\nsegment(6) - neighborhood([4, 5], left=[2, 0], right=[0, 1])",
    ):
        assert Pattern.parse(text).growth() is None
