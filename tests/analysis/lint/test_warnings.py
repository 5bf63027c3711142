"""Warnings at a length: what is said is what the masks show, and nothing where it is not known."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from patternc import Pattern
from patternc.analysis.lint.causality import are_surely_equal, is_causal, leak, without_rows
from patternc.analysis.lint.empty_rows import empty_row, unseen_key
from patternc.cli.main import commands
from patternc.ir.sources import TOKENS, Encoder, KeySource
from patternc.ir.terms import (
    Blocks,
    Columns,
    Complement,
    Difference,
    Global,
    HeadPattern,
    Intersection,
    Listing,
    Period,
    Random,
    Union,
)
from patternc.relation.relation import relation
from patternc.relation.tables import HeadTables
from patternc.semantics.errors import LengthError
from patternc.semantics.key_sources import sources_of
from patternc.semantics.mask import multiplicity
from tests.source_terms import source_patterns
from tests.terms import formulas, patterns, positions, terms

lengths = st.integers(1, 24)


def codes(text: str, n: int | None = None) -> list[str]:
    return [found.code for found in Pattern.parse(text).check(n)]


def held(term: object, n: int) -> np.ndarray:
    return multiplicity(HeadPattern((term,)), n) > 0


def first(flags: np.ndarray) -> int | None:
    return int(flags.argmax()) if flags.any() else None


# Against the masks


@settings(max_examples=80)
@given(patterns, lengths)
def test_the_first_row_without_keys_is_that_of_the_mask(pattern, n):
    counts = multiplicity(pattern, n)
    assert empty_row(relation(pattern), n) == first(~counts.any(axis=1))


def seen(heads: list[HeadPattern], source: KeySource, n: int) -> np.ndarray:
    """Slots of a source that some row sees; rows go on far beyond n."""
    tables, rows = HeadTables(n).of(source), np.arange(30 * n)[:, None]
    flags = np.zeros(tables.m, np.bool_)
    for branch in (branch for head in heads for branch in relation(head).branches):
        if branch.source == source:
            at = {"i": rows, "j": np.arange(tables.m)[None, :]}
            shape = (len(rows), tables.m)
            flags |= np.broadcast_to(tables.holds(branch.predicate, at), shape).any(axis=0)
    return flags


@settings(max_examples=60)
@given(st.lists(patterns, min_size=1, max_size=3), lengths)
def test_the_first_key_that_no_head_sees_is_that_of_the_masks(heads, n):
    expected = first(~seen(heads, TOKENS, n))
    found = unseen_key(tuple(map(relation, heads)), n)
    assert found == (None if expected is None else (TOKENS, expected))


@settings(max_examples=60)
@given(source_patterns().filter(lambda pattern: Encoder() not in sources_of(pattern)), lengths)
def test_rows_and_slots_of_key_sources_count(pattern, n):
    assert empty_row(relation(pattern), n) == first(~multiplicity(pattern, n).any(axis=1))
    left = ((source, first(~seen([pattern], source, n))) for source in sources_of(pattern))
    expected = next((one for one in left if one[1] is not None), None)
    assert unseen_key((relation(pattern),), n) == expected


@settings(max_examples=80)
@given(terms, lengths)
def test_the_smallest_pair_that_leaks_is_that_of_the_mask(term, n):
    ahead = np.argwhere(np.triu(held(term, n), 1))
    expected = tuple(int(side) for side in ahead[0]) if len(ahead) else None
    assert leak(relation(HeadPattern((term,))), n) == expected


@settings(max_examples=60)
@given(formulas, lengths)
def test_a_term_that_looks_back_leaks_for_no_row(term, n):
    if is_causal(relation(HeadPattern((term,))), n):
        rows = np.tril(np.ones((2 * n, n), np.bool_), -n)
        assert not (multiplicity(HeadPattern((term,)), n, 2 * n) > 0)[~rows].any()


@settings(max_examples=80)
@given(positions, terms, formulas, lengths)
def test_a_global_set_is_idle_if_its_columns_alone_give_the_same_mask(where, beside, cut, n):
    chosen = Global(where)
    whole = HeadPattern((Intersection((Union((beside, chosen)), cut)),))
    without = without_rows(whole, chosen)
    left, right = relation(whole), relation(without)
    same = bool((multiplicity(whole, n) == multiplicity(without, n)).all())
    surely = are_surely_equal(left, right, n)
    asks_tables = any(branch.conjuncts for branch in (*left.branches, *right.branches))
    assert surely <= same if asks_tables else surely == same


def test_columns_stand_in_for_the_chosen_set_alone_wherever_it_is():
    chosen, other = Global(Period(4, 0, 1)), Global(Period(4, 1, 2))
    draw = Random(1, Listing(()), 0, 0, 0, avoid=chosen)
    before = Blocks(2, Difference(Union((chosen, draw)), Complement(Union((other, chosen)))))
    columns_of = Columns(chosen.positions)
    after = Blocks(2, Difference(Union((columns_of, draw)), Complement(Union((other, columns_of)))))
    assert without_rows(HeadPattern((before,)), chosen) == HeadPattern((after,))


def test_tables_do_not_hide_that_a_global_set_is_idle():
    text = "causal\nblocks(8) { local(1) + global([0]) + random(2) }"
    assert codes(text, 128) == ["P205"]


# What is said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("causal\nlocal(left=8) + global([0])", ["P205"]),
        ("(local(left=8) + global([0])) & causal", ["P205"]),
        ("causal\nlocal(left=8) + global([0, 20])", []),
        ("causal\nlocal(left=8) + global([-1])", []),
        ("causal\nlocal(left=8) + columns([0])", []),
        ("local(8) + global([0])", []),
        ("full + global([0])", []),
        ("causal\nlocal(left=8) + global([0], projection=g)", []),
    ],
)
def test_a_global_set_that_gathers_nothing_is_told(text, expected):
    assert codes(text, 64) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("columns([0:8]) + causal", ["P206"]),
        ("local(left=3) + strided(4)", ["P206"]),
        ("mix(causal, segment(8))", ["P206"]),
        ("let part = (causal & strided(3)) + diagonal\npart + segment(8)", ["P206"]),
        ("(random(2) & causal) + global([0])", ["P206"]),
        ("causal + random(3)", ["P206"]),
        ("causal + local(left=2, right=1) + global([9])", ["P206", "P206"]),
        # At the start of the sequence is not the same as causal.
        ("columns([0]) + local(1)", []),
        ("rows([-1]) + local(1)", []),
        ("diagonal + strided(4)", []),
        ("causal + columns([0])", []),
        ("(causal & same(document)) + diagonal", []),
        ("causal\nlocal(left=3) + strided(4)", []),
        ("(local(left=3) + strided(4)) & causal", []),
        ("columns([0]) + local(2) + random(3)", []),
        # Blocks are causal by blocks.
        ("causal + blocks(8) { diagonal }", []),
        (
            "local(left=9) + blocks(8) { diagonal } + blocks(8) { columns([0]) }"
            " + blocks(8) { local(left=2) }",
            [],
        ),
        ("causal + blocks(4) { blocks(2) { local(left=1) } }", []),
        ("causal + blocks(8) { causal & random(2) }", []),
        ("mix(causal, blocks(8) { causal } with alibi)", []),
        ("causal + blocks(8) { local(1) }", ["P206"]),
        ("causal + blocks(8) { diagonal } + blocks(4) { rows([0]) }", ["P206"]),
        ("causal + (blocks(8) { diagonal } & local(3)) + segment(8)", ["P206"]),
        ("causal + blocks(8) { random(2) }", ["P206"]),
    ],
)
def test_a_union_that_is_causal_in_part_is_told(text, expected):
    assert codes(text, 64) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("local(left=2, right=-1)", ["P207"]),
        ("local(left=-2, right=4)", ["P207", "P208"]),
        ("allow empty\nlocal(left=2, right=-1)", []),
        ("columns([5:])", ["P208"]),
        ("allow empty\ncolumns([5:])", []),
        ("where(j > i - 2 * n) & rows([1:])", ["P207"]),
        ("where(j > -2 * n + i) & rows([1:])", ["P207"]),
        # The word alone says that there is no attention here; what comes out as nothing is told.
        ("none", []),
        ("causal\nnone", []),
        ("local(2) - local(3)", ["P207", "P208"]),
        ("none & local(1)", ["P207", "P208"]),
        ("layers 3\nlayer == 1 -> none\nelse -> local(2)", []),
        ("let nothing = none\nlayers 3\nlayer == 1 -> nothing\nelse -> local(2)", []),
        ("heads 2\nhead == 0 -> none\nelse -> local(2)", []),
        ("heads 2\nhead == 0 -> none\nelse -> columns([1])", ["P208"]),
        ("heads 2\nhead == 0 -> none\nelse -> local(left=2, right=-1)", ["P207"]),
        ("local(2) + full on stream(g, 4)\nrows g\nnone", []),
        ("heads 2\nhead == 0 -> columns([0:32])\nelse -> columns([32:])", []),
        ("heads 2\nhead == 0 -> segment(8) & rows([0:32])\nelse -> full", ["P207"]),
        ("layers 2\nlayer == 0 -> columns([0:32])\nelse -> columns([32:])", ["P208", "P208"]),
        # Draws: every row has some, and two a row leave some key out of one head.
        ("random(2, seed=1)", ["P208"]),
        ("heads 12\nrandom(2, seed=1)", []),
        ("random(60)", []),
        ("blocks(parts=4) { random(4) }", []),
        ("random(2, pool=3:4) + columns([3])", ["P208"]),
        # What the call decides is not guessed.
        ("same(document)", []),
        ("listed(chosen) & causal", []),
        ("same(document) + local(1)", []),
    ],
)
def test_rows_without_keys_and_keys_unseen_are_told(text, expected):
    assert codes(text, 64) == expected


def test_the_first_layer_head_and_position_are_named():
    text = "layers 3\nheads 2\nlayer == 2 and head == 1 -> segment(8) & rows([0:21])\nelse -> full"
    (found,) = Pattern.parse(text).check(64)
    assert found.title == "query 21 has no keys"
    assert found.label == "at n = 64, at layer 2, head 1"


def test_a_leak_names_the_smallest_pair_and_both_terms():
    pattern = Pattern.parse("local(left=3) + segment(8)")
    (found,) = pattern.check(64)
    assert found.label == "query 0 attends to key 1"
    assert [pattern.text[span.start : span.stop] for span in (found.span, found.marks[0].span)] == [
        "segment(8)",
        "local(left=3)",
    ]


def test_an_unknown_is_no_warning_at_lengths_too_large_to_list():
    assert codes("random(3)", 64) == ["P208"]
    assert codes("random(3)", 2**23) == []


# Lengths


def test_the_length_of_a_grid_is_the_usual_one_and_others_are_refused():
    grid = "neighborhood([6, 8], radius=[1, 1])"
    assert codes(f"{grid} & rows([0:47])") == ["P207"]
    assert codes(f"blocks(4) {{ {grid} & rows([0:47]) }}") == ["P207"]
    with pytest.raises(LengthError):
        Pattern.parse(f"local(1) + {grid}").check(64)


def test_the_usual_length_is_4096_and_single_positions_are_looked_at():
    assert codes("local(1) + columns([4096])") == ["P204"]
    assert codes("local(1) + columns([4095])") == []
    assert codes("local(1) + columns([64])", 64) == ["P204"]


def test_what_needs_no_length_is_said_too():
    assert codes("let idle = 3\nlocal(left=3) + segment(8)", 64) == ["P201", "P206"]


# The command


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, arguments)


def test_check_looks_at_the_length_it_is_given():
    text = "local(1) + global([0, 100])"
    assert "P204" not in run("check", "-e", text).stderr
    short = run("check", "-e", text, "-n", "100")
    assert (short.exit_code, "P204" in short.stderr) == (0, True)
    assert short.stdout.endswith(", 1 warning\n")


def test_check_refuses_a_length_that_a_grid_does_not_have():
    grid = "neighborhood([6, 8], radius=[1, 1])"
    assert run("check", "-e", grid).exit_code == 0
    refused = run("check", "-e", grid, "-n", "50")
    assert (refused.exit_code, "48" in refused.stderr) == (1, True)


def test_show_tells_what_the_length_brings_to_light():
    text = "local(1) + columns([20])"
    assert "P204" in run("show", "-e", text, "-n", "16").stderr
    assert not run("show", "-e", text, "-n", "32").stderr


def test_rows_of_a_stream_without_keys_are_told() -> None:
    text = "local(1) + full on stream(g, 4)\nrows g\nrows([0:3])"
    (found,) = Pattern.parse(text).check(64)
    assert (found.code, found.title) == ("P207", "query 3 has no keys: one of `g`")
    assert (~Pattern.parse(text).mask(64, rows="g")[0].any(axis=1)).tolist() == [False] * 3 + [True]
    assert not Pattern.parse(text.replace("local", "allow empty\nlocal")).check(64)
    assert not Pattern.parse(text.replace("[0:3]", "[0:4]")).check(64)


@pytest.mark.parametrize(
    "text",
    [
        "random(2) + same(doc)",
        "causal\nrandom(2) + listed(plan)",
        "local(1) & causal + random(2) + columns(chosen)",
        "local(2) + full on stream(g, 2)\nrows g\nrandom(2) + listed(plan)",
        "(random(1) + random(2) + listed(plan)) on compressed(3, rate=3)",
        "blocks(2) { random(1) + same(doc) }",
    ],
)
def test_draws_that_avoid_what_the_call_decides_are_not_looked_at(text):
    pattern = Pattern.parse(text)
    assert {found.code for found in pattern.check(20, teach=True)} <= {"P206", "P208"}
    told = str(pattern.report(20))
    assert "the pairs are an upper bound" in told or "rows" in text
