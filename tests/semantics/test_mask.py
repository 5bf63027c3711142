"""The dense meaning against the table of relations, pair by pair and spelled out anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from patternc import Pattern
from patternc.ir import terms as t
from patternc.ir.formula import (
    Absolute,
    Add,
    All,
    Any,
    Compare,
    Constant,
    FloorDivide,
    Maximum,
    Minimum,
    Modulo,
    Multiply,
    Not,
    Scalar,
    Subtract,
    Truth,
    Variable,
)
from patternc.semantics.errors import InputError, LengthError
from patternc.semantics.mask import mask, multiplicity
from patternc.semantics.random_tables import permute

ROW, KEY, N = Variable("i"), Variable("j"), Variable("n")


def number(value: int) -> Constant:
    return Constant(value)


def local(left: int, right: int, dilation: int = 1) -> t.Local:
    return t.Local(number(left), number(right), dilation)


def listing(*ranges: int | tuple[int | None, int | None]) -> t.Listing:
    def bound(end: int | None) -> Constant | None:
        return None if end is None else number(end)

    return t.Listing(
        tuple(
            t.PositionRange(number(part), None, single=True)
            if isinstance(part, int)
            else t.PositionRange(bound(part[0]), bound(part[1]))
            for part in ranges
        )
    )


def expect(
    term: t.Term, holds: Callable[[int, int], bool], n: int, queries: int | None = None, **inputs
) -> None:
    count = n if queries is None else queries
    expected = np.zeros((count, n), bool)
    for row in range(count):
        for j in range(n):
            expected[row, j] = holds(row + n - count, j)
    actual = mask(term, n, queries, inputs)
    assert actual.dtype == np.bool_
    assert np.array_equal(actual, expected)


SHAPES = [(1, 1), (7, 7), (12, 12), (12, 5), (9, 14), (5, 0), (0, 0), (0, 3)]

# Relations that are evaluated as they stand, at negative rows too.
FORMULAS = [
    (t.Full(), lambda i, j: True),
    (t.Empty(), lambda i, j: False),
    (t.Diagonal(), lambda i, j: i == j),
    (t.Causal(), lambda i, j: j <= i),
    (local(2, 1), lambda i, j: -2 <= j - i <= 1),
    (local(3, -1), lambda i, j: -3 <= j - i <= -1),
    (local(1, -2), lambda i, j: False),
    (local(2, 1, 3), lambda i, j: j - i in (-6, -3, 0, 3)),
    (t.Strided(4), lambda i, j: (i - j) % 4 == 0),
    (t.Segment(3), lambda i, j: i // 3 == j // 3),
    (t.Segment(4, back=1, ahead=2), lambda i, j: -1 <= j // 4 - i // 4 <= 2),
    (
        t.DilatedSegment(5, 2, 3),
        lambda i, j: i // 5 == j // 5 and i % 5 % 2 == j % 5 % 2 == 1,
    ),
    (t.Columns(t.Period(4, 1, 3)), lambda i, j: 1 <= j % 4 < 3),
    (
        t.Where(Compare("<", Absolute(Subtract(ROW, KEY)), number(3))),
        lambda i, j: abs(i - j) < 3,
    ),
]


@pytest.mark.parametrize(("n", "queries"), SHAPES)
@pytest.mark.parametrize(("term", "holds"), FORMULAS)
def test_formula_relations_hold_as_they_stand(term, holds, n, queries):
    expect(term, holds, n, queries)


@pytest.mark.parametrize(("n", "queries"), SHAPES)
def test_columns_are_seen_by_every_row(n, queries):
    expect(t.Columns(listing((0, 2), -1)), lambda i, j: j in (0, 1, n - 1), n, queries)


ROW_RELATIONS = [
    (t.Rows(listing(0, -2)), lambda i, j, n: i in (0, n - 2)),
    (t.Rows(t.Period(3, 0, 1)), lambda i, j, n: i % 3 == 0),
    (t.Global(listing(1, (-2, None))), lambda i, j, n: {i, j} & {1, n - 2, n - 1} != set()),
    (t.Permutation((2, 0, 1, 5, 3, 4)), lambda i, j, n: i < 6 and j == (2, 0, 1, 5, 3, 4)[i]),
]


@pytest.mark.parametrize(("n", "queries"), SHAPES[1:])
@pytest.mark.parametrize(("term", "holds"), ROW_RELATIONS)
def test_relations_on_rows_hold_nothing_before_the_first_token(term, holds, n, queries):
    expect(term, lambda i, j: i >= 0 and holds(i, j, n), n, queries)


def test_listed_positions_outside_the_sequence_hold_nothing():
    outside = listing(5, -6, (7, 9), (3, 2), (-9, -7))
    assert not mask(t.Columns(outside), 5).any()
    assert mask(t.Columns(listing((-9, 2), (4, 99))), 5)[0].tolist() == [True, True, 0, 0, True]


def test_positions_may_be_written_in_n():
    half = t.Listing((t.PositionRange(FloorDivide(N, number(2)), Subtract(N, number(1))),))
    assert np.flatnonzero(mask(t.Columns(half), 9)[0]).tolist() == [4, 5, 6, 7]


def test_widths_may_be_written_in_n():
    term = t.Local(FloorDivide(N, number(4)), number(0))
    expect(term, lambda i, j: 0 <= i - j <= 3, 13)


CONDITIONS = [
    (
        Compare("<=", Modulo(Subtract(ROW, KEY), number(3)), number(1)),
        lambda i, j: (i - j) % 3 <= 1,
    ),
    (Compare("==", FloorDivide(ROW, number(4)), KEY), lambda i, j: i // 4 == j),
    (
        Compare("!=", Minimum(ROW, KEY), Maximum(number(2), KEY)),
        lambda i, j: min(i, j) != max(2, j),
    ),
    (Compare(">", Multiply(number(2), KEY), Add(ROW, number(1))), lambda i, j: 2 * j > i + 1),
    (Not(Compare("<", ROW, KEY)), lambda i, j: not i < j),
    (All((Compare("<", ROW, number(4)), Truth(True))), lambda i, j: i < 4),
    (
        Any((Compare("<", ROW, number(2)), Compare(">", KEY, number(5)))),
        lambda i, j: i < 2 or j > 5,
    ),
    (All(()), lambda i, j: True),
    (Any(()), lambda i, j: False),
]


@pytest.mark.parametrize("queries", [11, 15])
@pytest.mark.parametrize(("condition", "holds"), CONDITIONS)
def test_conditions_floor_and_compare_as_python_does(condition, holds, queries):
    expect(t.Where(condition), holds, 11, queries)


def test_scalars_have_no_meaning_in_a_term():
    with pytest.raises(TypeError, match="scalar 0"):
        mask(t.Where(Compare("<", Scalar(0), ROW)), 4)


@pytest.mark.parametrize(("n", "queries"), SHAPES)
def test_set_operators_are_those_of_sets(n, queries):
    a, b, c = local(2, 0), t.Strided(3), t.Segment(4)
    inside = [mask(term, n, queries) for term in (a, b, c)]
    assert np.array_equal(mask(t.Union((a, b, c)), n, queries), inside[0] | inside[1] | inside[2])
    both = inside[0] & inside[1] & inside[2]
    assert np.array_equal(mask(t.Intersection((a, b, c)), n, queries), both)
    assert np.array_equal(mask(t.Difference(a, b), n, queries), inside[0] & ~inside[1])
    assert np.array_equal(mask(t.Complement(b), n, queries), ~inside[1])


@pytest.mark.parametrize(("n", "queries"), SHAPES)
def test_blocks_lift_every_position_and_the_length(n, queries):
    last = -(-n // 3) - 1
    body = t.Union((local(1, 0), t.Global(listing(-1))))
    expect(
        t.Blocks(3, body),
        lambda i, j: 0 <= i // 3 - j // 3 <= 1 or (i >= 0 and last in (i // 3, j // 3)),
        n,
        queries,
    )


def test_nested_blocks_multiply():
    body = t.Union((t.Diagonal(), t.Columns(listing(0))))
    assert np.array_equal(mask(t.Blocks(2, t.Blocks(3, body)), 20), mask(t.Blocks(6, body), 20))


def test_the_complement_inside_blocks_is_within_the_sequence():
    expect(t.Blocks(4, t.Complement(t.Diagonal())), lambda i, j: i // 4 != j // 4, 10)


@pytest.mark.parametrize(("n", "queries"), [(10, 10), (11, 4), (7, 12), (1, 1), (0, 0), (0, 2)])
def test_parts_cut_the_sequence_nearly_equally(n, queries):
    term = t.EqualParts(3, t.Permutation((2, 0, 1)))
    expect(
        term,
        lambda i, j: i >= 0 and 3 * j // n == (2, 0, 1)[3 * i // n],
        n,
        queries,
    )


def test_a_random_row_takes_the_first_keys_it_need_not_avoid():
    term = t.Random(2, listing((None, None)), 5, 1, 2, local(1, 1))
    actual = mask(term, 20)
    for i in range(20):
        order = permute(np.arange(20), 20, 5, 1, 2, i)
        assert set(np.flatnonzero(actual[i])) == set(order[abs(order - i) > 1][:2]), i


def test_random_rows_and_keys_count_blocks_inside_blocks():
    term = t.Random(2, listing((1, -1)), 5, 1, 2, local(1, 1))
    inside, outside = mask(term, 7), mask(t.Blocks(4, term), 27)
    block = np.arange(27) // 4
    assert np.array_equal(outside, inside[block][:, block])


def test_the_last_queries_draw_what_they_draw_in_the_whole():
    term = t.Random(3, listing((None, None)), 0, 0, 0, t.Empty(), past_only=True)
    whole = mask(term, 30)
    assert np.array_equal(mask(term, 30, 4), whole[-4:])
    assert not (whole & ~mask(t.Causal(), 30)).any()
    assert whole.sum(axis=1).tolist() == [1, 2] + [3] * 28
    assert not mask(term, 5, 8)[:3].any()


def test_listed_rows_ignore_empty_and_repeated_entries():
    table = np.array([[0, 0, -1], [4, -1, -7], [2, 1, 3], [-1] * 3, [-1] * 3], np.int32)
    expected = [{0}, {4}, {1, 2, 3}, set(), set()]
    actual = mask(t.IndexList("plan"), 5, inputs={"plan": table})
    assert [set(np.flatnonzero(row)) for row in actual] == expected
    assert np.array_equal(mask(t.IndexList("plan"), 5, 7, {"plan": table})[2:], actual)


def test_lists_of_no_tokens_and_of_no_queries_hold_nothing():
    pattern = Pattern.parse("listed(plan)")
    assert pattern.mask(0, plan=np.zeros((0, 2), int)).shape == (1, 0, 0)
    assert pattern.mask(3, queries=0, plan=np.zeros((3, 2), int)).shape == (1, 0, 3)


def test_listed_tables_count_blocks_inside_blocks():
    table = np.array([[1], [2], [0]])
    expect(t.Blocks(3, t.IndexList("plan")), lambda i, j: (i // 3 + 1) % 3 == j // 3, 8, plan=table)


@pytest.mark.parametrize(
    "chosen", [np.array([True, False, False, False, False, True]), np.array([-1, 0, -6])]
)
def test_run_time_sets_are_booleans_or_positions(chosen):
    expect(
        t.Global(t.RunTimeSet("s")), lambda i, j: i >= 0 and (i in (0, 5) or j in (0, 5)), 6, 8,
        s=chosen,
    )  # fmt: skip


def test_labels_join_equal_rows_and_keys_and_negative_ones_nothing():
    labels = np.array([0, 0, 1, -1, -1, 1])
    expect(
        t.SameDocument("document"),
        lambda i, j: i >= 0 and labels[i] == labels[j] >= 0,
        6,
        8,
        document=labels,
    )


@pytest.mark.parametrize(
    ("term", "inputs", "words"),
    [
        (t.IndexList("plan"), {}, "`plan` is missing"),
        (t.IndexList("plan"), {"plan": np.zeros(4, int)}, r"`plan` must be integers \[4, k\]"),
        (t.IndexList("plan"), {"plan": np.zeros((4, 2))}, r"got float64 \[4, 2\]"),
        (
            t.SameDocument("s"),
            {"s": np.zeros(3, int)},
            r"`s` must be integers \[4\] or \[batch, 4\], got int64 \[3\]",
        ),
        (t.SameDocument("s"), {"s": np.zeros(4, bool)}, r"got bool \[4\]"),
        (
            t.Columns(t.RunTimeSet("c")),
            {"c": np.zeros(5, bool)},
            r"booleans \[4\] or \[batch, 4\], or integer",
        ),
        (t.Rows(t.RunTimeSet("c")), {"c": np.zeros((2, 2), int)}, r"got int64 \[2, 2\]"),
        (t.Rows(t.RunTimeSet("c")), {"c": np.full(1, 2**64 - 1, np.uint64)}, "below 2"),
        (t.SameDocument("c"), {"c": np.full(4, 2**63, np.uint64)}, "below 2"),
    ],
)
def test_inputs_that_do_not_fit_are_named(term, inputs, words):
    with pytest.raises(InputError, match=words):
        mask(term, 4, inputs=inputs)


def window(x: int, size: int, axis: t.Axis, shift: bool) -> set[int]:
    """The keys of coordinate x, one by one."""
    group = [y for y in range(size) if y % axis.dilation == x % axis.dilation]
    place = group.index(x)
    leaders = range(place - place % axis.stride, place - place % axis.stride + axis.stride)
    leader = min(leaders[-1] if axis.causal else leaders[axis.stride // 2], len(group) - 1)
    first = leader - axis.left
    if shift and not axis.causal:
        first = min(max(first, 0), len(group) - (axis.left + axis.right + 1))
    last = place if axis.causal else first + axis.left + axis.right
    return {group[k] for k in range(max(first, 0), min(last, len(group) - 1) + 1)}


AXES = [
    t.Axis(12, 2, 2),
    t.Axis(12, 1, 1, dilation=3),
    t.Axis(12, 1, 1, dilation=4),
    t.Axis(12, 2, 1, dilation=2),
    t.Axis(12, 2, 2, stride=2),
    t.Axis(12, 3, 2, stride=5),
    t.Axis(12, 1, 1, dilation=2, stride=3),
    t.Axis(12, 3, 0, causal=True),
    t.Axis(12, 3, 0, stride=2, causal=True),
    t.Axis(12, 2, 0, dilation=5, stride=2, causal=True),
]


@pytest.mark.parametrize("edge", ["clip", "shift"])
@pytest.mark.parametrize("axis", AXES)
def test_an_axis_of_a_neighbourhood_has_the_window_of_its_leader(axis, edge):
    expect(
        t.Neighborhood((axis,), edge),
        lambda i, j: i >= 0 and j in window(i, 12, axis, edge == "shift"),
        12,
        14,
    )


@pytest.mark.parametrize("edge", ["clip", "shift"])
def test_a_grid_is_the_product_of_its_axes_in_raster_order(edge):
    axes = (t.Axis(3, 1, 0), t.Axis(5, 1, 1, dilation=1, stride=2), t.Axis(4, 1, 0, causal=True))
    parts = [mask(t.Neighborhood((axis,), edge), axis.size) for axis in axes]
    expected = np.kron(np.kron(parts[0], parts[1]), parts[2])
    assert np.array_equal(mask(t.Neighborhood(axes, edge), 60), expected)


def test_a_grid_fits_one_length_only():
    with pytest.raises(LengthError, match=r"the grid \[3, 4\] has 12 positions, n is 13"):
        mask(t.Neighborhood((t.Axis(3, 1, 1), t.Axis(4, 1, 1)), "clip"), 13)


@pytest.mark.parametrize(
    ("text", "n", "answer"),
    [
        ("blocks(4) { neighborhood([3], radius=[1]) }", 13, "has 4 of them; n from 9 to 12 fits"),
        ("within(2:) { neighborhood([3], radius=[1]) }", 6, "has 4 of them; n = 5 fits"),
        ("within(n // 2:) { neighborhood([3], radius=[1]) }", 9, "has 5 of them"),
    ],
)
def test_the_answer_names_the_lengths_that_fit_a_grid_inside_something(text, n, answer):
    with pytest.raises(LengthError, match=f"a grid of 3 positions stands where n = {n} {answer}$"):
        Pattern.parse(text).mask(n)


@pytest.mark.parametrize("axis", [t.Axis(6, 3, 3), t.Axis(6, 1, 1, dilation=3)])
def test_a_window_longer_than_its_axis_cannot_shift(axis):
    with pytest.raises(LengthError, match="longer than its axis"):
        mask(t.Neighborhood((axis,), "shift"), 6)
    assert mask(t.Neighborhood((axis,), "clip"), 6).any()


def test_multiplicity_counts_the_branches_that_hold_a_pair():
    pattern = t.HeadPattern((local(2, 0), t.Causal(), local(0, 0)))
    counts = multiplicity(pattern, 6, 8)
    i, j = np.arange(-2, 6)[:, None], np.arange(6)
    expected = (j <= i).astype(int) + ((i - j >= 0) & (i - j <= 2)) + (i == j)
    assert counts.dtype == np.int64
    assert np.array_equal(counts, expected)
