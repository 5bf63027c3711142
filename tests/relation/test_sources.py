"""Key sources: slots, availability, and relations that mean what the dense masks say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patternc.ir import terms as t
from patternc.ir.formula import Constant
from patternc.ir.sources import (
    TOKENS,
    Compressed,
    Encoder,
    KeySource,
    Memory,
    Persistent,
    Pool,
    Project,
    Stream,
)
from patternc.modifiers.alibi import Alibi
from patternc.modifiers.softcap import SoftCap
from patternc.relation.relation import relation
from patternc.relation.split_by_source import split_by_source
from patternc.relation.tables import HeadTables
from patternc.semantics.errors import InputError
from patternc.semantics.mask import columns, mask, multiplicity, window_ends
from patternc.semantics.source_slots import windows
from patternc.tiling.count_pairs import pairs_with_multiplicity
from patternc.tiling.layout_at_length import Layout
from tests.source_terms import (
    call_sizes,
    on_sequences,
    on_slots,
    pools,
    source_patterns,
    with_source,
)

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
lengths = st.integers(1, 40)


def local(left: int, right: int) -> t.Local:
    return t.Local(Constant(left), Constant(right))


def listing(*parts: int) -> t.Listing:
    return t.Listing(tuple(t.PositionRange(Constant(part), None, True) for part in parts))


def one(term: t.Term) -> t.HeadPattern:
    return t.HeadPattern((term,))


def by_relation(pattern, n, queries, sizes, inputs=None):
    """Counts [queries, columns] from the predicates of the relation's branches."""
    found, tables = relation(pattern), HeadTables(n, inputs, sizes)
    parts = {}
    for source in found.sources:
        width = tables.of(source).m
        counts = np.zeros((queries, width), np.int64)
        i = np.arange(queries) + (0 if source == Encoder() else n - queries)
        at = {"i": i[:, None], "j": np.arange(width)[None, :]}
        for branch in found.branches:
            if branch.source == source:
                counts += branch.multiplicity * tables.of(source).holds(branch.predicate, at)
        parts[source] = counts
    return parts


@given(st.data(), source_patterns(), lengths)
@settings(max_examples=100, suppress_health_check=SLOW)
def test_branches_add_up_to_the_meaning(data, pattern, n):
    sizes = data.draw(call_sizes(pattern))
    queries = data.draw(st.integers(0, 2 * n))
    found = by_relation(pattern, n, queries, sizes)
    known = columns(pattern, n, sizes)
    assert [(source, part.shape[1]) for source, part in found.items()] == list(known)
    expected = multiplicity(pattern, n, queries, sizes=sizes)
    assert np.array_equal(np.hstack(list(found.values())), expected)


@given(st.data(), with_source(), lengths)
@settings(max_examples=50, suppress_health_check=SLOW)
def test_counted_pairs_are_those_of_the_mask(data, term, n):
    sizes = data.draw(call_sizes(one(term)))
    counted = pairs_with_multiplicity(relation(one(term)), HeadTables(n, None, sizes))
    assert counted == multiplicity(one(term), n, sizes=sizes).sum()


@given(st.data(), with_source(), with_source(), lengths)
@settings(max_examples=50, suppress_health_check=SLOW)
def test_layouts_list_the_tiles_of_slots_that_hold_a_pair(data, one_term, other, n):
    pattern = one(t.Union((one_term, other)))
    sizes = data.draw(call_sizes(pattern))
    tile = data.draw(st.tuples(st.sampled_from([4, 8, 16]), st.sampled_from([4, 8])))
    tables, found = HeadTables(n, None, sizes), relation(pattern)
    layout = Layout([found], n, *tile, [tables])
    for number, branch in enumerate(found.branches):
        of = tables.of(branch.source)
        at = {"i": np.arange(n)[:, None], "j": np.arange(of.m)[None, :]}
        dense = np.broadcast_to(of.holds(branch.predicate, at), (n, of.m))
        for a in range(-(-n // tile[0])):
            visits = {v.index: v.kind == "full" for v in layout.row(0, a) if v.branch == number}
            expected = tiles_of(dense, a, tile)
            assert (
                set(visits) == set(expected)
                if not branch.conjuncts
                else (set(visits) >= set(expected))
            )
            assert all(expected[index] for index, full in visits.items() if full)
            if not branch.conjuncts:
                assert visits == expected


def tiles_of(dense, a, tile):
    """Tile index -> full."""
    rows = dense[a * tile[0] : (a + 1) * tile[0]]
    parts = {b: rows[:, b : b + tile[1]] for b in range(0, dense.shape[1], tile[1])}
    return {
        b // tile[1]: bool(part.all()) and part.shape[1] == tile[1]
        for b, part in parts.items()
        if part.any()
    }


# Slots.


@pytest.mark.parametrize("tail", ["clip", "drop", "merge"])
@pytest.mark.parametrize(("size", "stride"), [(1, 1), (4, 4), (5, 2), (3, 1), (2, 5)])
def test_a_pool_has_one_slot_for_each_window(size, stride, tail):
    for n in range(40):
        pool = Pool(size, "mean", stride, tail)
        starts = [s for s in range(0, n, stride) if s + size <= n]
        covered = starts[-1] + size if starts else 0
        short = [s for s in range(0, n, stride) if s + size > n and covered < n][:1]
        expected = starts + (short if tail == "clip" else [])
        assert windows(pool, n) == len(expected) == len(window_ends(pool, n)), n
        ends = [min(s + size, n) for s in expected]
        if tail == "merge" and ends:
            ends[-1] = n
        assert window_ends(pool, n) == ends


def test_columns_follow_the_text_and_slots_the_call():
    pattern = one(
        t.Union(
            (
                t.On(t.Full(), Compressed(4, 2)),
                t.On(t.Full(), Memory(6)),
                local(2, 0),
                t.On(t.Full(), Memory(6)),
                t.On(t.Full(), Pool(4, "sum", 4, "merge")),
                t.On(t.Full(), Stream("summary", 3)),
                t.On(t.Full(), Project(5)),
                t.On(t.Full(), Persistent(2)),
                t.On(t.Full(), Encoder()),
            )
        )
    )
    sizes = {"memory": 5, "encoder": 7}
    found = columns(pattern, 10, sizes)
    assert [count for _, count in found] == [4, 5, 10, 2, 3, 5, 2, 7]
    assert tuple(source for source, _ in found) == relation(pattern).sources
    assert multiplicity(pattern, 10, 3, sizes=sizes).shape == (3, 38)


@pytest.mark.parametrize(
    ("source", "sizes"),
    [(Memory(3), {"memory": 4}), (Compressed(3, 2), {"compressed": -1}), (Encoder(), {})],
)
def test_sizes_that_do_not_fit_are_named(source, sizes):
    pattern = one(t.On(t.Full(), source))
    with pytest.raises(InputError, match=type(source).__name__.lower()):
        multiplicity(pattern, 4, sizes=sizes)


def test_a_shorter_memory_lacks_its_oldest_positions():
    for source, name in ((Memory(6), "memory"), (Compressed(6, 2), "compressed")):
        pattern = one(t.On(t.Columns(listing(-1, -3, -6)), source))
        whole = multiplicity(pattern, 4)
        assert np.flatnonzero(whole[0]).tolist() == [0, 3, 5]
        assert np.array_equal(multiplicity(pattern, 4, sizes={name: 4}), whole[:, 2:])


SEQUENCES = [
    (local(3, 1), lambda i, j: -3 <= j - i <= 1),
    (t.Diagonal(), lambda i, j: i == j),
    (t.Strided(3), lambda i, j: (i - j) % 3 == 0),
    (t.Segment(4, 1), lambda i, j: j // 4 - i // 4 in (-1, 0)),
    (
        t.DilatedSegment(6, 2, 1),
        lambda i, j: i // 6 == j // 6 and i % 6 % 2 == j % 6 % 2 == 1,
    ),
    (t.Columns(t.Period(4, 1, 3)), lambda i, j: j % 4 in (1, 2)),
    (t.Blocks(3, local(1, 0)), lambda i, j: i // 3 - j // 3 in (0, 1)),
    (t.Blocks(3, t.Columns(listing(-1))), lambda i, j: j in (-3, -2, -1)),
]


@pytest.mark.parametrize(("term", "holds"), SEQUENCES)
def test_the_positions_of_a_memory_stand_before_the_segment(term, holds):
    expected = [[holds(i, j) for j in range(-8, 0)] for i in range(-2, 7)]
    assert np.array_equal(mask(t.On(term, Memory(8)), 7, 9, source=Memory(8)), expected)


@pytest.mark.parametrize(("term", "holds"), SEQUENCES[:-1])
def test_rows_of_an_encoder_count_from_its_first_query(term, holds):
    expected = [[holds(i, j) for j in range(9)] for i in range(5)]
    found = mask(t.On(term, Encoder()), 3, 5, source=Encoder(), sizes={"encoder": 9})
    assert np.array_equal(found, expected)


def test_listed_rows_are_tokens_and_listed_columns_slots():
    rows, keys = t.Rows(listing(-1)), t.Columns(listing(-1))
    pool = Pool(4, "mean", 4, "clip")
    assert np.argwhere(mask(t.On(rows, pool), 10, source=pool)).tolist() == [
        [9, s] for s in (0, 1, 2)
    ]
    assert np.argwhere(mask(t.On(keys, pool), 10, source=pool)).tolist() == [
        [i, 2] for i in range(10)
    ]


@pytest.mark.parametrize(
    "term",
    [
        t.Rows(listing(4, 6)),
        t.Rows(t.Period(2, 0, 1)),
        t.Random(9, t.Listing((t.PositionRange(None, None),)), 0, 0, 0, t.Empty()),
    ],
)
def test_rows_of_an_encoder_past_the_tokens_are_in_no_list(term):
    pattern = one(t.On(term, Encoder()))
    found = multiplicity(pattern, 5, 8, sizes={"encoder": 3})
    assert found[4].all()
    assert not found[5:].any()
    assert np.array_equal(by_relation(pattern, 5, 8, {"encoder": 3})[Encoder()], found)


def test_run_time_inputs_number_slots_and_rows_apart():
    inputs = {
        "rows": np.arange(9) == 7,
        "slots": np.array([0, -1]),
        "plan": np.array([[2, -1]] * 9),
    }
    on = {
        "rows": t.Rows(t.RunTimeSet("rows")),
        "slots": t.Columns(t.RunTimeSet("slots")),
        "plan": t.IndexList("plan"),
    }
    expected = {name: np.zeros((9, 4), int) for name in on}
    expected["rows"][7], expected["slots"][:, [0, 3]], expected["plan"][:, 2] = 1, 1, 1
    for source in (Memory(4), Persistent(4), Compressed(4, 2), Pool(2, "mean", 2, "drop")):
        for name, term in on.items():
            pattern = one(t.On(term, source))
            assert np.array_equal(multiplicity(pattern, 9, inputs=inputs), expected[name])
            assert np.array_equal(by_relation(pattern, 9, 9, {}, inputs)[source], expected[name])


# Availability.


AVAILABLE = [
    (TOKENS, lambda i, j: j <= i),
    (Pool(4, "mean", 4, "clip"), lambda i, j: min(4 * j + 4, 10) <= i + 1),
    (Pool(4, "mean", 4, "drop"), lambda i, j: 4 * j + 4 <= i + 1),
    (Pool(4, "mean", 2, "clip"), lambda i, j: 2 * j + 4 <= i + 1),
    (Memory(3), lambda i, j: True),
    (Compressed(3, 2), lambda i, j: True),
    (Persistent(3), lambda i, j: True),
    (Encoder(), lambda i, j: True),
]


@pytest.mark.parametrize(("source", "holds"), AVAILABLE)
@pytest.mark.parametrize("inside", [False, True], ids=["beside on", "within on"])
def test_causal_under_and_means_available(source, holds, inside):
    term = t.On(t.Full(), source)
    cut = t.Intersection((term, t.Causal()))
    if inside:
        cut = t.On(t.Intersection((t.Full(), t.Causal())), source)
    found = multiplicity(one(cut), 10, sizes={"encoder": 12})
    expected = [[holds(i, j) for j in range(found.shape[1])] for i in range(10)]
    assert np.array_equal(found > 0, expected)


def test_causal_by_itself_compares_positions():
    found = mask(t.On(t.Causal(), Encoder()), 5, source=Encoder(), sizes={"encoder": 7})
    assert np.array_equal(found, np.tril(np.ones((5, 7), bool)))


def test_draws_do_not_spend_themselves_on_slots_to_come():
    pool = Pool(2, "mean", 2, "drop")
    drawn = t.Random(2, t.Listing((t.PositionRange(None, None),)), 0, 0, 0, t.Empty(), True)
    found = mask(t.On(drawn, pool), 20, source=pool)
    assert found.sum(axis=1).tolist() == [min((i + 1) // 2, 2) for i in range(20)]
    assert not (
        found & ~mask(t.Intersection((t.On(t.Full(), pool), t.Causal())), 20, source=pool)
    ).any()


# Published counts.


def full_on(source: KeySource) -> t.Term:
    return t.On(t.Full(), source)


@pytest.mark.parametrize(("n", "pairs"), [(4096, 2_076_800), (16384, 20_938_880)])
def test_longt5_transient_global_has_its_published_pairs(n, pairs):
    term = t.Union((local(127, 127), full_on(Pool(16, "sum", 16, "merge"))))
    assert pairs_with_multiplicity(relation(one(term)), HeadTables(n)) == pairs


def test_transformer_xl_has_its_published_pairs():
    term = t.Intersection((t.Union((full_on(Memory(512)), t.Full())), t.Causal()))
    assert pairs_with_multiplicity(relation(one(term)), HeadTables(512)) == 393_472


def test_transformer_xl_of_same_length_sees_512_keys_from_every_row():
    window = local(511, 0)
    term = t.Union((t.On(window, Memory(512)), window))
    assert set(multiplicity(one(term), 512).sum(axis=1).tolist()) == {512}


# Laws.


def equal(one_term: t.Term, other: t.Term, n: int, sizes: dict[str, int]) -> bool:
    return np.array_equal(
        multiplicity(one(one_term), n, sizes=sizes), multiplicity(one(other), n, sizes=sizes)
    )


@st.composite
def on_one_source(draw: st.DrawFn, count: int) -> tuple[t.Term, ...]:
    """Sets of one source."""
    source = draw(st.sampled_from([Memory(7), Encoder(), Persistent(5)]) | pools())
    sets = on_sequences if isinstance(source, Memory | Encoder) else on_slots
    return tuple(t.On(draw(sets), source) for _ in range(count))


@given(on_one_source(3), lengths, st.integers(0, 7))
@settings(max_examples=100, suppress_health_check=SLOW)
def test_sets_of_one_source_obey_the_laws_of_sets(terms_of_one, n, slots):
    a, b, c = terms_of_one
    sizes = {"memory": slots, "encoder": slots}
    assert equal(t.Union((a, a)), a, n, sizes)
    united = t.Intersection((t.Union((a, b)), c))
    assert equal(united, t.Union((t.Intersection((a, c)), t.Intersection((b, c)))), n, sizes)
    assert equal(t.Difference(a, b), t.Intersection((a, t.Complement(b))), n, sizes)
    twice = multiplicity(t.HeadPattern((a, a)), n, sizes=sizes)
    assert np.array_equal(twice, 2 * multiplicity(one(a), n, sizes=sizes))
    apart = t.HeadPattern((a, t.Difference(b, a)))
    both = multiplicity(one(t.Union((a, b))), n, sizes=sizes)
    assert np.array_equal(multiplicity(apart, n, sizes=sizes), both)
    assert [branch.multiplicity for branch in relation(t.HeadPattern((a, a))).branches] == [2]


def test_a_difference_takes_away_on_its_own_source_only():
    term = t.Difference(t.Union((local(2, 2), full_on(Memory(3)))), local(1, 1))
    expected = t.Union((t.Difference(local(2, 2), local(1, 1)), full_on(Memory(3))))
    assert equal(term, expected, 8, {})


def test_a_complement_stays_within_its_source():
    assert equal(
        t.Union((local(1, 1), t.Complement(t.On(t.Rows(listing(0)), Persistent(2))))),
        t.Union((local(1, 1), t.On(t.Complement(t.Rows(listing(0))), Persistent(2)))),
        6,
        {},
    )


# Scores and projections.


def test_a_pair_takes_the_score_of_its_first_term():
    modified, plain = t.With(local(2, 0), Alibi()), t.Full()
    parts = split_by_source(t.Union((modified, plain)))
    assert [part.modifiers for part in parts] == [(Alibi(),), ()]
    assert np.array_equal(mask(parts[0].term, 9), mask(local(2, 0), 9))
    assert np.array_equal(mask(parts[1].term, 9), ~mask(local(2, 0), 9))


def test_modifiers_apply_from_the_inside_out():
    (part,) = split_by_source(t.With(t.With(t.Full(), Alibi()), SoftCap(3.0)))
    assert part.modifiers == (Alibi(), SoftCap(3.0))


def test_every_pair_of_a_projected_row_uses_its_projection():
    """In other branches and on other sources too; on an encoder, which has its own keys, its q."""
    chosen = t.Global(listing(-1), "g")
    sources = (Memory(3), Pool(2, "mean", 2, "clip"))
    others = t.Union(tuple(map(full_on, (*sources, Encoder()))))
    found = relation(t.HeadPattern((chosen, t.Union((local(1, 1), others)))))
    tables = HeadTables(8, None, {"encoder": 5})
    for branch in found.branches:
        of = tables.of(branch.source)
        at = {"i": np.arange(8)[:, None], "j": np.arange(of.m)[None, :]}
        rows = np.broadcast_to(of.holds(branch.predicate, at), (8, of.m)).any(axis=1)
        if branch.source == Encoder():
            assert branch.projection is None
            ((chosen_rows, name),) = branch.projected
            assert name == "g"
            assert np.flatnonzero(of.holds(chosen_rows, at).any(axis=1)).tolist() == [7]
        elif branch.projection == "g":
            assert np.flatnonzero(rows).tolist() == [7]
        else:
            assert np.flatnonzero(rows).tolist() == list(range(7))
    assert {branch.projection for branch in found.branches} == {None, "g"}


def test_overlapping_rows_of_one_projection_are_projected_once():
    pattern = one(t.Union((t.Global(listing(0), "g"), t.Rows(listing(0, 1), "g"), t.Full())))
    projected = [branch for branch in relation(pattern).branches if branch.projection]
    assert [branch.projection for branch in projected] == ["g"]
    at = {"i": np.arange(5)[:, None], "j": np.arange(5)[None, :]}
    held = HeadTables(5).of(TOKENS).holds(projected[0].predicate, at)
    assert np.flatnonzero(np.broadcast_to(held, (5, 5)).all(axis=1)).tolist() == [0, 1]
    assert np.array_equal(by_relation(pattern, 5, 5, {})[TOKENS], np.ones((5, 5)))


def test_softmaxes_of_a_combination_add_up():
    gate = t.HeadPattern(
        (),
        t.Combination("gate", (one(local(1, 1)), t.HeadPattern((t.Full(), t.Diagonal()))), "g"),
    )
    expected = mask(local(1, 1), 6).astype(int) + 1 + np.eye(6, dtype=int)
    assert np.array_equal(multiplicity(gate, 6), expected)
    found = relation(gate)
    assert [branch.softmax for branch in found.branches] == [0, 1, 1]
    assert found.combined is not None
    assert found.combined.arguments == (0, 1)
