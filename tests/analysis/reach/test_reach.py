"""Receptive fields against dense Boolean products, and what the papers' stacks are known for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patternc import Pattern
from patternc.analysis.reach import Reach, reach
from patternc.analysis.reach.edges import edges_of
from patternc.analysis.reach.interval_engine import first_field
from patternc.ir.terms import HeadPattern
from patternc.relation.relation import relation
from patternc.relation.tables import HeadTables
from tests.analysis.reach.dense_reach import dense_reach
from tests.examples import smaller
from tests.terms import terms

EXAMPLES = sorted(Path("examples").glob("*.pat"))
LENGTHS = (1, 2, 5, 17, 63, 64, 65, 128, 130, 257)
DECIDED_AT_THE_CALL = ("labels", "integers", "set", "listed", "offsets")
# LongNet in small: residues, segments and offsets of several sizes, innermost segments whole.
DILATED = """heads 12
mix(segment(16), segment(32, dilation=2, offset=head % 2), segment(64, dilation=4, offset=head % 4),
    segment(128, dilation=6, offset=head % 6), segment(256, dilation=12, offset=head % 12))
"""
PROGRAMS = (
    DILATED,
    "causal\n" + DILATED,
    "segment(64, dilation=4, offset=1)",
    "causal\nsegment(8) + segment(16, dilation=3, offset=1)",
    "heads 2\nblocks(8) { local(1) + random(2) }",
    "layers 3\nheads 2\nblocks(4) { random(2) }",
    "random(3)",
    "layers 2\ncausal\nlocal(left=1) + random(2)",
    "blocks(8) { random(1) + diagonal } & causal",
    "causal\nlayers 2\nblocks(8) { local(1) + random(2) }",
    "causal\nlayers 2\nlayer == 0 -> segment(16, back=1) + random(1)\nelse -> segment(8)",
    "causal\nblocks(8) { local(1) + random(2) } + segment(16)",
    "columns([3, 9, 20, 33, 47, 60, 77]) + diagonal",
    "permuted([4, 5, 1, 2, 3, 0, 7, 6, 9, 8]) + local(left=1)",
    "none",
    "full on pool(6, mean, stride=4, tail=drop)",
    "full on pool(7, mean, tail=merge)",
    "causal\nlocal(left=3) + full on pool(5, sum)",
    "rows([3:9]) on project(4)",
    "rows([5]) on stream(g, 3) + local(2)",
    "local(1) + full on stream(g, 2)\nrows g\ncolumns([0:9]) + diagonal on stream(g, 2)",
    "layers 2\nlocal(1) + columns([1]) on stream(g, 3)\nrows g\nlayer == 0 -> columns([4, 20])\n"
    "else -> local(1) on stream(g, 3)",
    "local(1) + full on stream(g, 2)\nrows g\nnone",
    "strided(7) & local(30)",
    "local(3, dilation=4)",
    "~local(20)",
    "where(i // 5 != j // 3)",
    "where((i * 3 + j) % 7 == 2)",
    "layers 2\nlayer == 0 -> local(2, dilation=3)\nelse -> local(1)",
)


def reach_of(pattern: Pattern, n: int, layers: int, residual: bool = True) -> Reach:
    return pattern.reach(n, layers, residual=residual)


def lengths_of(pattern: Pattern) -> tuple[int, ...]:
    """A grid fits its own length only."""
    span = pattern.fitting()
    return LENGTHS if span is None else (span[1],)


# Grids of which a field takes seconds.
LARGE = ("qwen_vision", "sam")


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.sweep] * (path.stem in LARGE)) for path in EXAMPLES],
    ids=lambda path: path.stem,
)
def test_fields_of_examples_are_those_of_boolean_products(path: Path) -> None:
    pattern = smaller(path.stem)
    if any(item.role in DECIDED_AT_THE_CALL for item in pattern.inputs):
        pytest.skip("the call decides which pairs there are")
    layers = min((pattern.layers or 2) + 1, 4)
    for n in lengths_of(pattern):
        wanted, found = dense_reach(pattern, n, layers), reach_of(pattern, n, layers)
        assert (found.layers, found.full_at) == (wanted.layers, wanted.full_at), n


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("text", PROGRAMS)
def test_fields_of_programs_for_every_engine_are_those_of_boolean_products(
    text: str, residual: bool
) -> None:
    pattern = Pattern.parse(text)
    for n in (1, 7, 31, 33, 64, 129, 200):
        wanted = dense_reach(pattern, n, 4, residual)
        found = reach_of(pattern, n, 4, residual)
        assert (found.layers, found.causal) == (wanted.layers, wanted.causal), n
        assert found.full_at == wanted.full_at, n


@settings(max_examples=60)
@given(terms, st.integers(1, 60))
def test_fields_grow_with_layers_on_the_residual_path(term: object, n: int) -> None:
    schedule = [[relation(HeadPattern((term,)))]]  # type: ignore[arg-type]
    found = reach(schedule, n, 3)
    totals = [total for total in found.connected if total is not None]
    assert totals == sorted(totals)
    assert all(layer.size_min >= 1 for layer in found.layers)
    assert all(count is None or count >= 0 for count in found.hops)


@pytest.mark.parametrize(
    "text",
    [
        "heads 2\nblocks(8) { local(1) + random(2) }",
        "blocks(4) { random(1) }",
        "heads 3\nblocks(8) { local(1) + global([0, -1]) + random(3, pool=1:16) }",
        "blocks(8) { local(left=-1, right=2) }",
    ],
)
def test_the_first_layer_by_lists_is_that_of_boolean_products(text: str) -> None:
    pattern = Pattern.parse(text)
    for n in (1, 8, 9, 31, 64, 100, 127):
        (wanted,) = dense_reach(pattern, n, 1).layers
        found = first_field(edges_of(pattern.relations()), [HeadTables(n)], n, True)
        assert found is not None
        field, lacking = found
        sizes = field.sizes
        assert (sizes.least, sizes.median, sizes.greatest, field.left, field.right) == (
            wanted.size_min, wanted.size_median, wanted.size_max, wanted.left_max, wanted.right_max
        )  # fmt: skip
        assert field.holes == wanted.holes
        seen = pattern.mask(n).any(axis=0) | np.eye(n, dtype=np.bool_)
        assert lacking == next(iter(np.flatnonzero(~seen.all(axis=1))), None)


def test_windows_of_longformer_alone_need_sixteen_layers_at_4096() -> None:
    assert Pattern.parse("local(256)").reach(4096, 16).full_at == 16
    assert Pattern.parse("local(256)").reach(4096, 15).full_at is None


def test_a_symmetric_global_token_connects_everything_in_two_layers() -> None:
    assert Pattern.from_zoo("longformer").reach(4096).full_at == 2


def test_the_fixed_pattern_is_full_in_one_order_only() -> None:
    first, second = "segment(128)", "columns(period(128, 96:128))"
    text = "causal\nlayers 2\nlayer == 0 -> {}\nelse -> {}"
    assert Pattern.parse(text.format(first, second)).reach(12288).full_at == 2
    assert Pattern.parse(text.format(second, first)).reach(12288).full_at is None
    assert Pattern.parse(text.format(second, first)).reach(12288, 3).full_at == 3
    assert (
        Pattern.parse(text.format(first, second)).reach(12288, 40, residual=False).full_at is None
    )


def test_the_strided_pattern_is_full_in_two_layers_in_either_order() -> None:
    for layer in (0, 1):
        text = f"causal\nlayers 2\nlayer == {layer} -> local(left=127)\nelse -> strided(128)"
        assert Pattern.parse(text).reach(3072).full_at == 2


def test_a_global_token_under_causality_adds_no_reach() -> None:
    plain = Pattern.parse("causal\nlocal(left=4)").reach(512, 128)
    both = Pattern.parse("causal\nlocal(left=4) + global([0])").reach(512, 128)
    assert plain.full_at == 128
    assert both.full_at == 128


def test_longnet_is_full_in_two_layers_at_its_length_where_nothing_is_causal() -> None:
    text = Pattern.from_zoo("longnet").text.replace("\ncausal\n", "\n")
    assert Pattern.parse(text).reach(32768, 3).full_at == 2


def test_causal_longnet_never_connects_the_ends_of_segments() -> None:
    pattern = Pattern.from_zoo("longnet")
    assert pattern.reach(32768, 12).full_at is None
    assert pattern.why(32768, 2048, 2047, layers=12).path is None


def test_draws_of_rows_without_a_local_part_leave_keys_unseen() -> None:
    n = 2048
    mask = Pattern.parse("random(3)").mask(n)[0]
    unseen = (~mask.any(axis=0)).mean()
    assert 0.03 < unseen < 0.07
    found = Pattern.parse("random(3)").reach(n, 40, residual=False)
    assert found.full_at is None
    assert found.layers[-1].size_max <= mask.any(axis=0).sum()


@pytest.mark.parametrize("name", ["longnet", "longformer", "streaming_llm", "sliding_window"])
def test_a_billion_tokens_are_answered_exactly(name: str) -> None:
    found = Pattern.from_zoo(name).reach(1_000_000_000, 12)
    assert all(layer.exact for layer in found.layers)
    assert found.full_exact


def test_facts_at_a_billion_tokens_follow_the_closed_form() -> None:
    layers = Pattern.parse("causal\nlocal(left=1019) + columns([0:4])").reach(10**9, 3).layers
    assert [layer.size_max for layer in layers] == [4 + 1019 * k + 1 for k in (1, 2, 3)]
    assert [layer.holes for layer in layers] == [10**9 - 1019 * k - 5 for k in (1, 2, 3)]


def test_draws_of_blocks_are_followed_where_single_positions_are_too_many() -> None:
    pattern = Pattern.parse("causal\nlayers 6\nblocks(64) { local(1) + random(3) }")
    found = pattern.reach(40_000)
    assert all(layer.exact for layer in found.layers)
    # An earlier block is heard of as a whole, and each row hears of its own block up to itself.
    assert found.layers[0].size_max <= 64 * (1 + 1 + 3)
    assert found.layers[-1].size_max > found.layers[0].size_max


def test_inputs_of_the_call_make_bounds_unless_they_are_given() -> None:
    pattern = Pattern.parse("causal\nsame(document) & local(left=3)")
    assert not pattern.reach(16, 2).layers[0].exact
    labels = np.repeat([0, 1], 8)
    found = pattern.reach(16, 2, document=labels)
    assert found.layers == dense_reach(pattern, 16, 2, document=labels).layers
    pattern = Pattern.parse("where(place[j] <= place[i] and place[i] < place[j] + 2) & local(3)")
    found = pattern.reach(16, 2, place=labels)
    assert found.layers == dense_reach(pattern, 16, 2, place=labels).layers


def test_entries_where_a_formula_has_no_closed_runs_are_those_of_boolean_products() -> None:
    rows = np.arange(48)[:, None]
    plan = np.concatenate((rows, rows // 2, rows - 5), axis=1)
    cut = "listed(plan) & where(i // 3 // 5 != j // 5 // 3 or (i // 7 + j // 11) // 5 == j // 13)"
    pattern = Pattern(cut)
    found = pattern.reach(48, 2, plan=plan)
    assert found.causal
    assert found.layers == dense_reach(pattern, 48, 2, plan=plan).layers


def test_draws_too_many_to_look_up_count_as_not_causal() -> None:
    assert not Pattern("random(500) & local(100)").reach(10000, 1).causal


def test_hops_count_every_permitted_pair_once() -> None:
    found = Pattern.parse("local(2)").reach(12, 6)
    assert sum(count or 0 for count in found.hops) == found.permitted
    assert found.unreached == 0


@pytest.mark.parametrize("header", ["", "causal\n"])
@pytest.mark.parametrize("n", [1, 2, 37, 100])
def test_spans_of_a_tree_carry_what_their_tokens_held_a_layer_before(header: str, n: int) -> None:
    """Any two tokens in two layers, token to span to token (Ye et al. 2019)."""
    pattern = Pattern.parse(header + "diagonal + contextual(2) on tree(2)")
    found, wanted = reach_of(pattern, n, 3), dense_reach(pattern, n, 3)
    assert (found.layers, found.full_at) == (wanted.layers, wanted.full_at)
    assert found.full_at == (1 if n < 3 else 2)
