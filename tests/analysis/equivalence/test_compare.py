"""Verdicts of `diff` against masks, and reasons of `why` against what stands in the program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from patternc import Pattern
from patternc.algebra.lengths import EVERY_LENGTH
from patternc.analysis.equivalence.compare import compared
from patternc.ir.terms import HeadPattern
from patternc.relation.relation import relation
from patternc.semantics.mask import mask
from tests.analysis.reach.dense_reach import dense_fields
from tests.terms import terms


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("local(3)", "local(left=3, right=3)"),
        ("segment(8)", "segment(8, dilation=1)"),
        ("where(j <= i)", "causal"),
        ("causal\nlocal(5)", "local(left=5)"),
        ("mix(local(3), columns([0]) - local(3))", "local(3) + columns([0])"),
        ("(local(3) + strided(4)) & causal", "local(3) & causal + strided(4) & causal"),
        ("layers 2\nlocal(1)", "local(1)"),
        ("random(3)", "random(3)"),
    ],
)
def test_equal_patterns_are_proved_equal(left: str, right: str) -> None:
    assert Pattern.parse(left).diff(Pattern.parse(right), 64).outcome == "equal"


@pytest.mark.parametrize(
    ("left", "right", "witness"),
    [
        ("local(3)", "local(4)", (5, 0, 4, 0, 1)),
        ("mix(local(3), local(3))", "local(3)", (1, 0, 0, 2, 1)),
        ("local(100)", "local(100) + where(j == i + 2000)", (2001, 0, 2000, 0, 1)),
        ("segment(8)", "segment(8, ahead=1)", (9, 0, 8, 0, 1)),
    ],
)
def test_different_patterns_have_a_smallest_witness(
    left: str, right: str, witness: tuple[int, ...]
) -> None:
    found = Pattern.parse(left).diff(Pattern.parse(right), 64)
    assert found.outcome == "different"
    at = found.witness
    assert at is not None
    assert (at.n, at.query, at.key, at.left, at.right) == witness


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("random(3)", "random(3, seed=1)"),
        ("blocks(8) { local(1) + random(2) }", "blocks(8) { local(1) + random(2, seed=3) }"),
        ("random(3) + local(2)", "random(3, avoid=local(2)) + local(1)"),
        ("columns([1, 5, 9, 13, 17, 21, 40])", "columns([1, 5, 9, 13, 17, 21, 35])"),
        ("diagonal + random(2) on memory(9)", "diagonal + random(1) on memory(9)"),
    ],
)
def test_the_witness_of_draws_is_smallest_and_pairs_of_one_alone_are_counted(
    left: str, right: str
) -> None:
    one, other = Pattern.parse(left), Pattern.parse(right)
    found = one.diff(other, 50)
    at = found.witness
    assert at is not None
    assert found.is_smallest
    for n in range(1, at.n + 1):
        ours, theirs = one.multiplicity(n)[0], other.multiplicity(n)[0]
        assert np.array_equal(ours, theirs) == (n < at.n)
    (part,) = found.parts
    ours, theirs = one.mask(50)[0], other.mask(50)[0]
    assert part.only_left == (ours & ~theirs).sum()
    assert part.only_right == (theirs & ~ours).sum()


def test_a_witness_that_may_not_be_smallest_says_how_far_was_looked() -> None:
    from patternc.report.diff import document, text

    left = Pattern.parse("blocks(64) { diagonal + random(1, pool=12:) }")
    found = left.diff(Pattern.parse("blocks(64) { diagonal + random(1, pool=12:, seed=1) }"), 64)
    assert found.witness is not None
    assert found.witness.n > 512
    assert not found.is_smallest
    below = found.searched_below
    assert below is not None
    assert 64 < below < found.witness.n
    assert f"checked every n below {below:,} in all" in text(found)
    assert document(found)["searched_below"] == below


def test_nothing_is_claimed_of_lengths_that_inputs_decide() -> None:
    from patternc.report.diff import text

    found = Pattern.parse("same(a) & local(3)").diff(Pattern.parse("same(a) & local(4)"), 64)
    assert found.searched_below == 0
    assert "checked every n" not in text(found)


def test_modifiers_tell_patterns_apart_whose_pairs_are_equal() -> None:
    found = Pattern.parse("local(3) with alibi").diff(Pattern.parse("local(3)"), 64)
    assert found.outcome == "different"
    assert found.witness is None
    # The same modifiers, on other pairs.
    for left, right in (
        ("local(2) with alibi + columns([0])", "columns([0]) with alibi + local(2)"),
        ("mix(local(2) with alibi, columns([0]))", "mix(local(2), columns([0]) with alibi)"),
    ):
        found = Pattern.parse(left).diff(right)
        assert (found.outcome, found.witness) == ("different", None)
    alike = Pattern.parse("local(2) with alibi + columns([0])")
    assert (
        alike.diff("(local(left=2) + local(right=2)) with alibi + columns([0])").outcome == "equal"
    )


def test_many_softmaxes_are_compared_one_by_one() -> None:
    every = [f"local({k})" for k in range(1, 7)]
    ours = Pattern.parse(f"sum({', '.join(every)})")
    assert ours.diff(f"sum({', '.join(every[:5])}, local(left=6, right=6))").outcome == "equal"
    found = ours.diff(f"sum({', '.join(every[:5])}, local(7))")
    assert found.outcome == "different"
    assert found.witness is not None
    assert (found.witness.n, found.witness.left, found.witness.right) == (8, 0, 1)


def test_other_numbers_of_heads_tell_patterns_apart() -> None:
    found = Pattern.parse("heads 2\nlocal(3)").diff(Pattern.parse("heads 4\nlocal(3)"), 64)
    assert found.outcome == "different"


def test_inputs_of_the_call_leave_a_comparison_undecided() -> None:
    found = Pattern.parse("same(a) & local(3)").diff(Pattern.parse("same(a) & local(4)"), 64)
    assert found.outcome == "undecided"


@settings(max_examples=12, deadline=None)
@given(terms, terms)
def test_verdicts_agree_with_masks(left: object, right: object) -> None:
    assert_verdict(left, right)


@pytest.mark.sweep
@settings(max_examples=40, deadline=None)
@given(terms, terms)
def test_many_verdicts_agree_with_masks(left: object, right: object) -> None:
    assert_verdict(left, right)


def assert_verdict(left: object, right: object) -> None:
    one, other = (relation(HeadPattern((term,))) for term in (left, right))  # type: ignore[arg-type]
    (found,) = compared([[one]], [[other]], 24, EVERY_LENGTH)
    equal = [np.array_equal(mask(left, n), mask(right, n)) for n in (1, 5, 12, 24)]  # type: ignore[arg-type]
    if found.outcome == "equal":
        assert all(equal)
    if found.witness is not None:
        at = found.witness
        pair = (at.query, at.key)
        assert mask(left, at.n)[pair] != mask(right, at.n)[pair]  # type: ignore[arg-type]
    ours, theirs = mask(left, 24), mask(right, 24)  # type: ignore[arg-type]
    if found.only_left is not None:
        assert found.only_left == (ours & ~theirs).sum()
        assert found.only_right == (theirs & ~ours).sum()


@pytest.mark.parametrize(
    ("text", "query", "key", "terms", "rule"),
    [
        ("local(1) + global([0])", 9, 0, ["global([0])"], None),
        ("blocks(4) { local(1) + columns([0]) }", 30, 2, ["columns([0])"], None),
        ("causal\nlocal(3)", 5, 7, ["local(3)"], "causal"),
        ("local(3) - columns([2])", 4, 2, ["local(3)"], "-"),
        ("(local(9) + strided(4)) & where(j % 2 == 0)", 8, 5, ["local(9)"], "&"),
        ("let w = local(2)\nw + columns([0])", 4, 3, ["local(2)"], None),
        ("causal\ndiagonal + full on pool(4, sum)", 9, 2, ["full on pool(4, sum)"], None),
        ("causal\ndiagonal + full on pool(4, sum)", 9, 8, ["full on pool(4, sum)"], "causal"),
        ("local(1)", 9, 2, [], None),
    ],
)
def test_the_reason_names_terms_and_rule(
    text: str, query: int, key: int, terms: list[str], rule: str | None
) -> None:
    (verdict,) = Pattern.parse(text).why(40, query, key).verdicts
    assert [part.text for part in verdict.allowed_by] == terms
    assert verdict.rule == rule
    assert verdict.sees == (bool(terms) and rule is None)


@pytest.mark.parametrize(
    "text",
    [
        "local(2) + global([0])",
        "causal\nlayers 2\nlayer == 0 -> segment(8)\nelse -> columns(period(8, 6:8))",
        "layers 3\nlocal(1) + random(1)",
        "local(2, dilation=3) + local(1)",
        "diagonal + full on pool(5, mean)",
        "rows([3]) on stream(g, 2) + local(1)",
        "diagonal + contextual(1) on tree(2)",
        "local(1) + full on stream(g, 2)\nrows g\ncolumns([9]) + diagonal on stream(g, 2)",
    ],
)
def test_paths_are_as_short_as_fields_grow(text: str) -> None:
    pattern, n = Pattern.parse(text), 40
    for query, key in ((0, 39), (39, 0), (20, 3), (3, 21), (7, 7)):
        path = pattern.why(n, query, key, layers=60).path
        used = None if path is None else max((step.layer + 1 for step in path), default=0)
        counts = _layers_until(pattern, n, query, key)
        assert used == counts


def _layers_until(pattern: Pattern, n: int, query: int, key: int) -> int | None:
    _, every = dense_fields(pattern, n, 60)
    fields = [np.eye(n, dtype=np.bool_), *every]
    return next((layers for layers, held in enumerate(fields) if held[query, key]), None)


def test_a_path_over_a_billion_tokens_takes_as_many_layers_as_windows() -> None:
    path = Pattern.parse("causal\nlocal(left=1000)").why(10**9, 10**9 - 1, 10**9 - 50_001).path
    assert path is not None
    assert len(path) == 50
