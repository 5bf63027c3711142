"""Rows of streams and trees: every room agrees with masks written down from the papers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patternc import Pattern
from patternc.ir import terms as t
from patternc.ir.sources import TEXT, Stream, Text, Tree
from patternc.relation.relation import relation
from patternc.relation.tables import HeadTables
from patternc.semantics.errors import InputError
from patternc.semantics.mask import columns, multiplicity
from patternc.tiling.count_pairs import pairs_with_multiplicity
from patternc.tiling.layout_at_length import Layout
from tests.source_terms import on_sequences

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
STREAM = "local(2) + full on stream(g, 4)\n"
ETC = STREAM + "rows g\nsame(sentence) + full on stream(g, 4)"
TREE = "diagonal + contextual({}) on tree(2)"


def predicates_agree(pattern, n, inputs=None):
    """The predicates against the meaning."""
    found, tables = relation(pattern), HeadTables(n, inputs, None, pattern.rows)
    parts = []
    for source, width in columns(pattern, n):
        at = {"i": np.arange(tables.row_count)[:, None], "j": np.arange(width)[None, :]}
        own = [branch for branch in found.branches if branch.source == source]
        held = (
            branch.multiplicity * tables.of(source).holds(branch.predicate, at) for branch in own
        )
        parts.append(sum(held, np.zeros((tables.row_count, width), np.int64)))
    wanted = multiplicity(pattern, n, inputs=inputs)
    assert np.array_equal(np.hstack(parts), wanted)
    return wanted


def agree(pattern, n, tile, inputs=None):
    """Predicates, pair counts and layouts against the meaning; returns the meaning."""
    wanted = predicates_agree(pattern, n, inputs)
    found, tables = relation(pattern), HeadTables(n, inputs, None, pattern.rows)
    height = tables.row_count
    layout = Layout([found], n, *tile, [tables])
    for source, width in columns(pattern, n):
        of = tables.of(source)
        at = {"i": np.arange(height)[:, None], "j": np.arange(width)[None, :]}
        for number, branch in enumerate(found.branches):
            if branch.source != source:
                continue
            dense = np.broadcast_to(of.holds(branch.predicate, at), (height, width))
            for a in range(-(-height // tile[0])):
                visits = {v.index: v.kind for v in layout.row(0, a) if v.branch == number}
                rows = dense[a * tile[0] : (a + 1) * tile[0]]
                parts = {b: rows[:, b * tile[1] : (b + 1) * tile[1]] for b in visits}
                assert all(parts[b].all() for b, kind in visits.items() if kind == "full")
                assert sum(part.sum() for part in parts.values()) == rows.sum()
                if any("SpanTable" in str(one.literals) for one in branch.conjuncts):
                    assert all(part.any() for part in parts.values())
    assert pairs_with_multiplicity(found, tables) == wanted.sum()
    return wanted


# Streams.


@st.composite
def of_stream(draw):
    """Terms on the tokens and on the stream itself, in the rows of that stream."""
    rows = Stream("g", draw(st.integers(1, 12)))
    on_tokens, on_itself = draw(on_sequences), t.On(draw(on_sequences), rows)
    terms = draw(st.sampled_from([(on_tokens,), (on_itself,), (on_tokens, on_itself)]))
    return t.HeadPattern((t.Union(terms),), rows=rows)


def without_n(term):
    """n is the number of tokens, which terms on other sources do not know."""
    return "Variable(name='n')" not in repr(term)


@given(of_stream().filter(without_n), st.integers(1, 30), st.sampled_from([(4, 4), (8, 4)]))
@settings(max_examples=60, suppress_health_check=SLOW, deadline=None)
def test_rows_of_a_stream_mean_the_same_in_every_room(pattern, n, tile):
    agree(pattern, n, tile)


@given(on_sequences, st.integers(1, 9), st.integers(1, 30))
@settings(max_examples=80, suppress_health_check=SLOW, deadline=None)
def test_n_is_the_number_of_tokens_in_the_rows_of_a_stream(term, slots, n):
    predicates_agree(t.HeadPattern((term,), rows=Stream("g", slots)), n)


def test_global_tokens_see_their_sentence_and_one_another():
    """The hard g2l mask of ETC."""
    sentence = np.array([0, 0, 0, 1, 1, 1, 2, 2, -1, -1])
    of_slots = np.array([0, 1, 2, -1])
    pattern = Pattern.parse(ETC)
    own = (sentence == of_slots[:, None]) & (sentence >= 0)
    wanted = np.hstack([own, np.ones((4, 4), bool)])
    inputs = {"sentence": sentence, "sentence_g": of_slots}
    assert np.array_equal(pattern.mask(10, rows="g", **inputs)[0], wanted)
    assert pattern.pairs(10, rows="g", **inputs) == [wanted.sum()]
    agree(pattern.elaborated_program.resolve(rows="g"), 10, (4, 4), inputs)


def test_tokens_may_see_the_global_token_of_their_sentence():
    pattern = Pattern.parse("local(1) + same(sentence) on stream(g, 3)")
    sentence, of_slots = np.array([0, 0, 1, 2, -1]), np.array([0, 2, 1])
    mask = pattern.mask(5, sentence=sentence, sentence_g=of_slots)[0, :, 5:]
    assert np.array_equal(mask, (sentence[:, None] == of_slots) & (sentence >= 0)[:, None])


def test_rows_without_rules_see_all_tokens_and_the_slots_of_every_stream():
    pattern = Pattern.parse("local(2) + full on stream(g, 4) + full on stream(h, 3)")
    assert pattern.rows == ("g", "h")
    assert pattern.columns(9, rows="h") == ((TEXT, 9), (Stream("g", 4), 4), (Stream("h", 3), 3))
    assert pattern.mask(9, rows="h").shape == (1, 3, 16)
    assert pattern.mask(9, rows="h").all()


def test_rules_of_rows_follow_layers_and_heads():
    text = "layers 2\nheads 2\nlocal(1) + full on stream(g, 3)\nrows g\n"
    pattern = Pattern.parse(text + "layer == head -> diagonal\nelse -> full on stream(g, 3)")
    for layer in (0, 1):
        mask = pattern.mask(5, layer=layer, rows="g")
        sources = [source for source, _ in pattern.columns(5, layer, rows="g")]
        first, second = np.split(mask, [5 if sources[0] == TEXT else 3], axis=2)
        on_tokens, on_slots = (first, second) if sources[0] == TEXT else (second, first)
        assert np.array_equal(on_tokens[layer], np.eye(3, 5, dtype=bool))
        assert on_slots[1 - layer].all()
        assert not on_tokens[1 - layer].any()


def test_listed_and_drawn_rows_of_a_stream_are_its_slots():
    text = STREAM + "rows g\nlisted(plan) + rows([-1]) + columns([-2, 0, 2, 4, 6, n - 1])"
    plan = np.array([[3, -1], [8, 5], [-1, -1], [0, 1]])
    mask = Pattern.parse(text).mask(9, rows="g", plan=plan)[0]
    wanted = np.zeros((4, 9), bool)
    wanted[:, [7, 0, 2, 4, 6, 8]] = wanted[0, 3] = wanted[1, 5] = wanted[3] = True
    assert np.array_equal(mask, wanted)
    drawn = Pattern.parse(STREAM + "rows g\ncolumns([-1]) + random(2)")
    assert drawn.mask(50, rows="g")[0].sum(1).tolist() == [3] * 4
    assert drawn.pairs(50, rows="g") == [12]


def test_labels_of_the_wrong_length_and_other_rows_are_named():
    pattern, labels = Pattern.parse(ETC), np.zeros(9, int)
    with pytest.raises(InputError, match=r"`sentence_g` must be integers \[4\]"):
        pattern.mask(9, rows="g", sentence=labels, sentence_g=labels)
    with pytest.raises(InputError, match="`sentence` must be integers"):
        pattern.mask(8, rows="g", sentence=labels, sentence_g=labels[:4])
    with pytest.raises(ValueError, match="unknown rows 'h'; this pattern has: g"):
        pattern.mask(9, rows="h")
    with pytest.raises(ValueError, match="queries=2 cannot be combined with rows='g'"):
        pattern.mask(9, 2, rows="g", sentence=labels, sentence_g=labels[:4])


# Trees.


def binary_partition(n, count, causal=False, children_of_nothing=False):
    """The edges (token, node) of Ye et al. 2019, pointers walked as its released builder walks.

    `children_of_nothing` keeps what that builder takes for right children behind a level's end.
    """
    sizes = [n]
    while sizes[-1] > 1:
        sizes.append((sizes[-1] + 1) // 2)
    first = np.cumsum([0, *sizes])
    edges = []
    for token in range(n):
        left, right = token - 1, token + 1
        left_child = right_child = False
        for level, size in enumerate(sizes):
            for _ in range(count):
                if right < size and not causal:
                    node = first[level] + right
                    if right_child:
                        inside = 2 * right + 1 < sizes[level - 1] or children_of_nothing
                        node = first[level - 1] + 2 * right + 1 if inside else None
                    edges += [] if node is None else [(token, node)]
                    right_child = False
                if left >= 0:
                    edges.append((token, first[level - left_child] + left * (1 + left_child)))
                    left_child = False
                left, right = left - 1, right + 1
            left_child |= left % 2 == 0
            right_child |= right % 2 == 1
            left, right = left // 2, right // 2
    return edges, sizes


LENGTHS = [1, 2, 3, 5, 8, 23, 64, 100, 129]


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("count", [1, 2, 4, 7, 200])
@pytest.mark.parametrize("causal", [False, True])
def test_contextual_pairs_are_the_edges_of_the_binary_partition(n, count, causal):
    edges, sizes = binary_partition(n, count, causal)
    wanted = np.zeros((n, sum(sizes)), np.int64)
    for edge in edges:
        wanted[edge] += 1
    text = ("causal\n" if causal else "") + f"allow empty\ncontextual({count}) on tree(2)"
    pattern = Pattern.parse(text)
    assert wanted.max(initial=0) <= 1
    assert np.array_equal(agree(pattern.elaborated_program.resolve(), n, (16, 8)), wanted)
    assert not pattern.mask(n)[:, :, -1].any(), "the root"


def test_the_released_builder_has_further_edges_where_n_is_no_power_of_two():
    """15 edges at n = 100 to the first node of the level above; none at powers of two."""
    for n, more in ((100, 15), (64, 0)):
        kept, everything = (binary_partition(n, 4, False, keep)[0] for keep in (False, True))
        assert len(everything) - len(kept) == more
        assert Pattern.parse("contextual(4) on tree(2)").pairs(n) == [len(kept)]


@pytest.mark.parametrize(
    ("n", "count", "contextual", "affiliation"),
    [(64, 4, 1_490, 448), (1024, 4, 54_514, 11_264), (8192, 64, 5_844_158, 114_688)],
)
def test_edges_of_published_sizes(n, count, contextual, affiliation):
    """Every token is affiliated with itself, `diagonal`, and with the span of each level above."""
    pattern = Pattern.parse(TREE.format(count))
    assert pattern.pairs(n) == [contextual + n]
    assert pattern.pairs(n, rows="tree") == [affiliation - n]


@pytest.mark.parametrize("branching", [2, 3, 4, 7])
@pytest.mark.parametrize("count", [1, 3])
def test_the_spans_of_a_row_cover_every_other_token_once(branching, count):
    for n in (1, 2, 9, 27, 50, 65):
        pattern = Pattern.parse(f"allow empty\ncontextual({count}) on tree({branching})")
        attended = pattern.mask(n)[0].astype(int)
        spans = pattern.mask(n, rows="tree")[0].astype(int)
        covered = attended @ np.vstack([np.eye(n, dtype=int), spans])
        assert np.array_equal(covered, 1 - np.eye(n, dtype=int))


@pytest.mark.parametrize("n", [1, 2, 7, 33, 100])
@pytest.mark.parametrize("branching", [2, 3])
def test_spans_attend_to_their_tokens_and_are_available_once_they_end(n, branching):
    rows = Pattern.parse(f"contextual(2) on tree({branching})").elaborated_program.resolve(
        rows="tree"
    )
    spans = agree(rows, n, (16, 8))
    expected = [
        [start <= token < start + width for token in range(n)]
        for width in (branching**level for level in range(1, 8) if branching ** (level - 1) < n)
        for start in range(0, n, width)
    ]
    assert np.array_equal(spans, np.array(expected, dtype=int).reshape(-1, n))
    head = t.HeadPattern((t.Intersection((t.On(t.Full(), Tree(branching)), t.Causal())),))
    stops = [max(np.flatnonzero(span)) for span in spans]
    wanted = np.arange(n)[:, None] >= np.array([*range(n), *stops])
    assert np.array_equal(agree(head, n, (8, 8)), wanted)


def test_queries_before_the_first_token_see_no_span():
    mask = Pattern.parse(TREE.format(2)).mask(4, 6)[0]
    assert not mask[:2].any()
    assert np.array_equal(mask[2:], Pattern.parse(TREE.format(2)).mask(4)[0])


def test_the_text_is_no_source_of_the_tokens_rows():
    assert all(source != Text() for source, _ in Pattern.parse(ETC).columns(8))
