"""Closed-form pairs equal those counted one by one; what would take too long names its limit."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from patternc import Pattern
from patternc.algebra import work_budget
from patternc.algebra.evaluate import evaluate
from patternc.algebra.isl_budget import is_tangled
from patternc.algebra.work_budget import EffortError, spend
from patternc.analysis.cost import pair_counts
from patternc.analysis.cost.pair_counts import exact_pairs
from patternc.ir.formula import Add, Constant, Multiply, Variable
from patternc.relation.relation import relation
from patternc.relation.tables import HeadTables
from patternc.semantics.errors import InputError, LengthError
from patternc.semantics.lengths import fitting
from patternc.tiling.count_pairs import pairs_with_multiplicity
from patternc.zoo import zoo
from tests.analysis.cost.test_pair_counts import EXAMPLES, closed, distinct
from tests.examples import smaller
from tests.terms import patterns

LENGTHS = (0, 1, 2, 63, 129, 500, 1023)
BILLION = 10**9


def both(pattern, n: int) -> tuple[int, int]:
    """Pairs by closed forms, and counted row by row."""
    held = relation(pattern)
    tables = HeadTables(n, {}, {"encoder": n})
    grid = fitting(pattern) is not None
    sizes = {"encoder": n}
    return exact_pairs(held, tables, sizes, grid), pairs_with_multiplicity(held, tables)


@pytest.fixture
def always_closed(monkeypatch):
    monkeypatch.setattr(pair_counts, "MOST_DIRECT", -1)


@pytest.mark.parametrize("name", list(filter(closed, EXAMPLES)))
@pytest.mark.usefixtures("always_closed")
def test_closed_pairs_of_every_example_are_those_counted_row_by_row(name):
    for pattern in distinct(smaller(name)):
        for n in LENGTHS:
            found, counted = both(pattern, n)
            assert found == counted, n


@given(patterns, st.integers(0, 200))
@settings(max_examples=40)
def test_closed_pairs_of_random_patterns_are_those_counted_row_by_row(pattern, n):
    before, pair_counts.MOST_DIRECT = pair_counts.MOST_DIRECT, -1
    try:
        found, counted = both(pattern, n)
    except LengthError:
        assume(False)
    finally:
        pair_counts.MOST_DIRECT = before
    assert found == counted


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("local(300) + global([0, -1])", 40_001),
        ("mix(segment(512), segment(1024, dilation=2))", 33_333),
        ("causal\nblocks(64) { random(2) + local(1) }", 20_000),
        ("local(9) + full on pool(16, sum, tail=merge)", 20_011),
        ("local(9) + full on memory(100)", 20_000),
    ],
)
def test_pairs_beyond_the_direct_lengths_are_the_same(text, n, monkeypatch):
    pattern = Pattern(text)
    found = pattern.pairs(n)
    monkeypatch.setattr(pair_counts, "MOST_DIRECT", n)
    assert pattern.pairs(n) == found


@pytest.mark.parametrize("name", zoo())
def test_pairs_at_a_billion_tokens_are_exact_or_name_what_lacks(name):
    pattern = Pattern.from_zoo(name)
    slots = {"encoder": BILLION}
    try:
        found = pattern.pairs(BILLION, slots=slots)
    except (LengthError, InputError):
        assert not closed(name)
    except EffortError:
        # A tree, powers of two, each a condition, and rows of thousands of tokens in cases.
        known = ("bp_transformer", "logsparse", "longlive", "power_attention")
        assert name in (*known, "radial", "self_forcing")
    else:
        assert len(found) == (pattern.heads or 1)
        assert all(0 <= count <= 8 * BILLION**2 for count in found)


def test_arrays_of_a_billion_tokens_are_not_made_for_warnings_and_graphs():
    assert not Pattern("random(5)").check(BILLION)
    with pytest.raises(EffortError, match="`report` gives bounds"):
        Pattern("local(5)").graph(BILLION, BILLION // 64)


def test_a_missing_input_is_told_before_the_effort():
    with pytest.raises(InputError, match="document"):
        Pattern("causal & same(document)").pairs(BILLION)


def test_the_rows_of_a_tree_are_counted_at_any_length():
    pattern = Pattern.from_zoo("bp_transformer")
    for n in (1, 2, 37, 64, 100):
        assert pattern.pairs(n, rows="tree") == pattern.mask(n, rows="tree").sum((1, 2)).tolist()
    assert pattern.pairs(BILLION, rows="tree") == [30 * BILLION] * 8


@pytest.mark.parametrize("name", ["bp_transformer", "etc"])
def test_a_report_on_other_rows_at_a_billion_tokens(name):
    document = Pattern.from_zoo(name).report(BILLION, 1).document()
    (rows,) = document["layers"][0]["other_rows"]
    known = name == "bp_transformer"
    assert rows["pairs"] == [30 * BILLION if known else None] * len(rows["pairs"])


# Bounds


def test_a_layout_names_its_limit_at_lengths_too_long_to_list():
    pattern = Pattern("random(8)")
    assert pattern.layout(4096).counts().partial[0] > 0
    with pytest.raises(EffortError, match="listed one by one, more than 8,388,608"):
        pattern.layout((1 << 31) - 1).counts()
    full, partial = (sum(part) for part in vars_of(Pattern("local(8)").layout(BILLION).counts()))
    assert full + partial == 3 * -(-BILLION // 128) - 2


def vars_of(found) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return found.full, found.partial


@pytest.mark.parametrize(("cells", "refused"), [(9, False), (10, False), (11, True)])
def test_effort_ends_at_its_bound(cells, refused):
    with work_budget.effort(10):
        if refused:
            with pytest.raises(EffortError):
                spend(cells)
        else:
            spend(cells)


def test_effort_adds_up_and_inner_bounds_count_as_the_outermost():
    with work_budget.effort(10):
        with work_budget.effort(1 << 40):
            spend(6)
        with pytest.raises(EffortError, match=r"5 rows, pairs or tiles .* more than 4;"):
            spend(5)
    spend(1 << 60)


def test_one_array_is_bounded_by_itself():
    with work_budget.effort():
        spend(work_budget.AT_ONCE)
        with pytest.raises(EffortError):
            spend(work_budget.AT_ONCE + 1)
        spend(work_budget.AT_ONCE + 1, kept=False)


def test_lengths_beyond_32_bits_are_refused():
    pattern = Pattern("local(8)")
    assert pattern.pairs((1 << 31) - 1) == [17 * ((1 << 31) - 1) - 72]
    for ask in (pattern.pairs, pattern.report, pattern.reach, pattern.check, pattern.mask):
        with pytest.raises(ValueError, match="at most 2,147,483,647 tokens"):
            ask(1 << 31)


# Masks in strips


@pytest.mark.parametrize(
    "text",
    [
        "mix(local(3), blocks(4) { random(2) + local(1) }, segment(7))",
        "local(1) + full on pool(5, mean) + local(2) on memory(9)",
        "heads 2\nhead == 0 -> full on encoder + diagonal\nelse -> blocks(parts=3) { diagonal }",
        "permuted([3, 1, 0, 2]) + same(document) + columns(these) + listed(plan)",
        "neighborhood([10, 10], radius=[1, 2], edge=shift)",
        "causal\ndiagonal + contextual(2) on tree(2)",
    ],
)
@pytest.mark.parametrize("queries", [None, 0, 1, 37, 130])
def test_masks_in_strips_are_those_built_at_once(text, queries, monkeypatch):
    from patternc.semantics import dense_strips

    pattern, n = Pattern(text), 100
    known = {
        "document": np.arange(n) // 9,
        "these": np.array([0, 40]),
        "plan": np.arange(2 * n).reshape(n, 2) % 77,
    }
    inputs = {item.name: known[item.name] for item in pattern.inputs if item.name in known}
    asked = {"queries": queries, "slots": {"encoder": 50}, **inputs}
    whole = pattern.multiplicity(n, **asked)
    mask = pattern.mask(n, **asked)
    monkeypatch.setattr(dense_strips, "STRIP", 250)
    monkeypatch.setattr(dense_strips, "STRIPS", 50)
    assert np.array_equal(pattern.multiplicity(n, **asked), whole)
    assert np.array_equal(mask, whole > 0)
    assert (mask.dtype, whole.dtype) == (np.bool_, np.int64)


def test_a_mask_needs_little_beside_itself():
    import tracemalloc

    pattern = Pattern("local(8) + strided(64) + blocks(16) { random(2) }")
    pattern.mask(64)
    tracemalloc.start()
    mask = pattern.mask(4096)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.2 * mask.nbytes + (8 << 20)


def test_masks_past_memory_name_their_size_and_what_to_ask_instead():
    pattern = Pattern("heads 2\nlocal(8)")
    for ask, size in ((pattern.mask, "1,862.7 GB"), (pattern.multiplicity, "14,901.2 GB")):
        with pytest.raises(ValueError, match=rf"2 x 1,000,000 x 1,000,000 needs {size}") as told:
            ask(1_000_000)
        assert isinstance(told.value, MemoryError)
        assert "`pairs`, `layout`, `reach` and `report`" in str(told.value)


def test_the_size_of_a_mask_is_judged_by_what_is_free(monkeypatch):
    from patternc.semantics import dense_strips

    pattern = Pattern("local(8)")
    monkeypatch.setattr(dense_strips, "free_bytes", lambda: 100 * 100 + dense_strips.WORKING * 100)
    assert pattern.mask(100).shape == (1, 100, 100)
    with pytest.raises(dense_strips.SizeError):
        pattern.mask(101)
    monkeypatch.setattr(dense_strips, "free_bytes", lambda: None)
    assert pattern.mask(101).shape == (1, 101, 101)


def test_what_a_command_computes_adds_up_over_its_parts_and_ends_at_its_bound():
    expression = Add(Multiply(Variable("i"), Constant(3)), Constant(1))
    rows = np.arange(10)
    with work_budget.allowance(60), work_budget.allowance(1 << 40):
        for _ in range(3):
            evaluate(expression, {"i": rows})
        with pytest.raises(EffortError, match="this command"):
            evaluate(expression, {"i": rows})
    evaluate(expression, {"i": rows})


def test_a_report_past_its_bound_keeps_its_bounds_and_leaves_the_rest_out(monkeypatch):
    pattern = Pattern.parse("heads 2\nblocks(16) { local(1) + random(2) }\n")
    whole = pattern.report(4096).facts
    monkeypatch.setattr(work_budget, "SMALL", 1 << 12)
    with work_budget.allowance(work_budget.RESERVED + 50_000):
        cut = pattern.report(4096).facts
    assert whole.flow.slowest is not None
    assert cut.flow.slowest is None
    assert cut.flow.reason
    ours, theirs = (facts.layers[0].cost.heads[0].pairs for facts in (cut, whole))
    assert ours.least <= theirs.least <= theirs.most <= ours.most


@pytest.mark.parametrize(
    "text",
    [
        "where(abs(i // 7 - j // 11) <= 3 and abs(i // 13 - j // 5) <= 2)",
        "where(i % 97 == j % 89 or i % 83 == j % 79 or i % 73 == j % 71)",
    ],
)
def test_unlike_divisors_of_several_comparisons_get_a_small_budget(text):
    pattern = Pattern.parse(text)
    assert is_tangled(pattern.relations()[0].branches[0].formula)
    assert sum(pattern.pairs(200)) == pattern.mask(200).sum()
    pattern.compile()


def test_a_search_past_its_bound_stops_instead_of_saying_that_nothing_connects(monkeypatch):
    from patternc.search import SearchQuery, Template, suggest

    monkeypatch.setattr(work_budget.allowance.__wrapped__, "__defaults__", (1000,))
    text = "random(w, pool=[0:4096]) + local(1)"
    template = Template("program", "", text, {}).varied({"w": "1:4"})
    with pytest.raises(EffortError, match="more numbers than one may"):
        suggest(SearchQuery(6000, 2), [template])


@pytest.mark.parametrize(
    "asked",
    [
        lambda pattern: pattern.pairs(1 << 20),
        lambda pattern: pattern.graph(1 << 20, 1 << 12),
    ],
)
def test_counts_and_graphs_are_under_the_bound_of_one_command(asked, monkeypatch):
    monkeypatch.setattr(work_budget.allowance.__wrapped__, "__defaults__", (1000,))
    with pytest.raises(EffortError, match="more numbers than one may"):
        asked(Pattern("blocks(64) { local(1) + random(3) }"))


def test_layers_with_the_same_keys_list_them_once_and_too_many_are_not_listed(monkeypatch):
    from patternc.analysis.reach import forward_reach

    pattern = Pattern("layers 6\nheads 4\ncausal\ndiagonal + contextual(3) on tree(2)")
    plain = pattern.why(500, 499, 0)
    assert plain.path_known
    monkeypatch.setattr(forward_reach, "MOST_RANGES", 30_000)
    assert pattern.why(500, 499, 0) == plain
    monkeypatch.setattr(forward_reach, "MOST_RANGES", 1_000)
    assert not pattern.why(500, 499, 0).path_known


def test_the_spans_of_a_tree_are_made_once_for_all_heads_that_ask():
    from patternc.algebra.atoms import SpanTable
    from patternc.relation.tables import Tables

    table = SpanTable("contextual", 2, 3)
    first, second = Tables(100), Tables(100)
    assert first.spans(table) is second.spans(table)
    assert not first.spans(table).flags.writeable


def test_a_few_rows_of_many_are_drawn_as_the_whole_table_is(monkeypatch):
    from patternc.relation import tables as made

    (held,) = Pattern("causal\nrandom(3) + blocks(4) { random(2) }").relations()
    predicate = held.branches[0].predicate
    rows, keys = np.arange(40, 60)[:, None], np.arange(64)[None, :]
    whole = made.Tables(64).holds(predicate, {"i": rows, "j": keys})
    monkeypatch.setattr(made, "MANY_ROWS", 3)
    monkeypatch.setattr(made.Tables, "rows", None)
    assert np.array_equal(made.Tables(64).holds(predicate, {"i": rows, "j": keys}), whole)
