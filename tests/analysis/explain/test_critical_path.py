"""The slowest pair against dense Boolean products, and its path link by link."""

from __future__ import annotations

import numpy as np
import pytest

from patternc import Pattern
from patternc.analysis.explain.critical_path import Slowest, slowest, unheard
from patternc.analysis.explain.explain import PathStep
from patternc.analysis.reach import explored
from patternc.analysis.reach.edges import edges_of
from patternc.analysis.reach.forward_reach import KeyRangesByLayer, can_depend_on
from patternc.analysis.reach.key_ranges import ranges_of
from patternc.analysis.table_pairs import UnknownError
from patternc.queries.call import stack
from patternc.relation.tables import HeadTables
from tests.analysis.reach.dense_reach import dense_fields, layer_pairs, spans_of
from tests.analysis.reach.test_reach import PROGRAMS

TREES = (
    "diagonal + contextual(2) on tree(2)",
    "causal\ndiagonal + contextual(1) on tree(3)",
    "local(1) + columns([35]) on tree(2)",
)


def slowest_of(text: str, n: int, layers: int) -> Slowest | None:
    pattern = Pattern.parse(text)
    schedule, tables = stack(pattern._frontend, n, layers, None, {})
    place = explored(schedule, n, layers, tables).latest
    return None if place is None else slowest(pattern.elaborated_program, schedule, tables, place)


def unheard_of(text: str, n: int, layers: int) -> tuple[int, int] | None:
    pattern = Pattern.parse(text)
    schedule, tables = stack(pattern._frontend, n, layers, None, {})
    found = explored(schedule, n, layers, tables)
    if found.lacking is None:
        return None
    return unheard(schedule, tables, found.lacking, layers, found.reach.causal)


def wanted(text: str, n: int, layers: int) -> tuple[int, int, int] | None:
    """Query, key and layers: the last growth, its first query, that one's farthest key."""
    _, every = dense_fields(Pattern.parse(text), n, layers)
    before = [np.eye(n, dtype=np.bool_), *every[:-1]]
    grown = [now & ~then for now, then in zip(every, before, strict=True)]
    last = max((layer for layer, pairs in enumerate(grown, 1) if pairs.any()), default=None)
    if last is None:
        return None
    query = int(grown[last - 1].any(axis=1).argmax())
    keys = np.flatnonzero(grown[last - 1][query])
    return query, int(keys[np.abs(keys - query).argmax()]), last


@pytest.mark.parametrize("text", [*PROGRAMS, *TREES])
def test_the_slowest_pair_is_that_of_boolean_products(text: str) -> None:
    for n in (1, 7, 33, 64, 130):
        found, expected = slowest_of(text, n, 4), wanted(text, n, 4)
        assert (found and (found.query, found.key, found.layers)) == expected, n


@pytest.mark.parametrize("text", [*PROGRAMS, *TREES])
def test_the_pair_that_is_never_connected_is_that_of_boolean_products(text: str) -> None:
    for n in (2, 33, 64, 130):
        causal, every = dense_fields(Pattern.parse(text), n, 3)
        permitted = np.tril(np.ones((n, n), np.bool_)) if causal else np.ones((n, n), np.bool_)
        lacking, found = permitted & ~every[-1], unheard_of(text, n, 3)
        if not lacking.any():
            assert found is None, n
            continue
        assert found is not None, n
        query = int(lacking.any(axis=1).argmax())
        keys = np.flatnonzero(lacking[query])
        assert found == (query, int(keys[np.abs(keys - query).argmax()])), n


@pytest.mark.parametrize("text", [*PROGRAMS, *TREES])
def test_every_link_of_the_path_is_a_pair_of_its_layer(text: str) -> None:
    pattern, n = Pattern.parse(text), 64
    found = slowest_of(text, n, 4)
    if found is None:
        return
    at, last = (found.query, ""), found.layers
    for step in found.path:
        assert (step.query, step.rows) == at
        assert step.layer < last
        assert _is_held(pattern, n, step)
        at, last = (step.key, step.source), step.layer
    assert at == (found.key, "")


def _is_held(pattern: Pattern, n: int, step: PathStep) -> bool:
    """Whether the layer has the pair; slots of a pool stand for their tokens."""
    dense = layer_pairs(pattern, n, step.layer % (pattern.layers or 1))
    match step.rows, step.source:
        case "tree", _:
            pairs = spans_of(pattern, n)
        case "", "":
            pairs = dense.pairs
        case "", "tree":
            pairs = dense.spans
        case "", stream:
            pairs = dense.streams[stream]
        case stream, source:
            pairs = dense.rules[stream][source]
    return bool(pairs[step.query, step.key])


@pytest.mark.parametrize("name", ["longformer", "sliding_window", "streaming_llm", "longnet"])
def test_the_slowest_pair_at_a_billion_tokens_comes_from_closed_forms(name: str) -> None:
    found = slowest_of(Pattern.from_zoo(name).text, 10**9, 12)
    assert found is not None
    assert len(found.path) == found.layers
    assert all(step.terms for step in found.path)


def test_the_slowest_pair_of_a_window_walks_back_by_whole_windows() -> None:
    found = slowest_of("causal\nlocal(left=100)", 10**9, 3)
    assert found is not None
    assert (found.query, found.key, found.layers) == (201, 0, 3)
    assert [step.query for step in found.path] == [201, 101, 1]


def test_the_pair_that_is_never_connected_is_found_at_a_billion_tokens() -> None:
    assert unheard_of("causal\nlocal(left=100)", 10**9, 3) == (301, 0)
    assert unheard_of("segment(64)", 10**9, 3) == (0, 10**9 - 1)
    assert unheard_of("causal\nsegment(64)", 10**9, 3) == (64, 0)
    assert unheard_of("local(left=2, right=1)", 10**9, 2) == (0, 10**9 - 1)


def test_segments_are_left_by_no_path() -> None:
    found = slowest_of(
        "layers 2\nlayer == 0 -> segment(10) & local(2)\nelse -> segment(10)", 105, 2
    )
    assert found is not None
    assert (found.query, found.key, found.layers) == (0, 9, 2)


def test_draws_of_too_many_positions_are_not_listed() -> None:
    pattern = Pattern.parse("blocks(64) { local(1) + global([0]) + random(1) }")
    n = (1 << 22) + 64
    schedule, tables = stack(pattern._frontend, n, 2, None, {})
    place = explored(schedule, n, 2, tables).latest
    assert place is not None
    assert (place.layers, place.place.query) == (2, 64)
    with pytest.raises(UnknownError):
        slowest(pattern.elaborated_program, schedule, tables, place)


@pytest.mark.parametrize("text", [*TREES, "full on tree(2)", "full on tree(2) & causal"])
@pytest.mark.parametrize("n", [1, 2, 3, 17, 64, 100])
def test_ranges_of_spans_hold_the_pairs_of_the_mask(text: str, n: int) -> None:
    pattern = Pattern.parse(text)
    tables, first = HeadTables(n), 0
    for source, count in pattern.columns(n):
        held = np.zeros((n, count), np.bool_)
        for edge in edges_of(pattern.relations()):
            if edge.source == source:
                for ranges in ranges_of(edge, tables.of(source)):
                    assert ranges.step == 1
                    for row, start, stop in zip(ranges.row, ranges.start, ranges.stop, strict=True):
                        held[row, start:stop] = True
        assert np.array_equal(held, pattern.mask(n)[0][:, first : first + count])
        first += count


@pytest.mark.parametrize("text", [*PROGRAMS, *TREES])
def test_what_a_query_hears_of_is_its_field(text: str) -> None:
    pattern, n = Pattern.parse(text), 40
    schedule, tables = stack(pattern._frontend, n, 3, None, {})
    ranged = KeyRangesByLayer([edges_of(heads) for heads in schedule], tables, n)
    _, every = dense_fields(pattern, n, 3)
    for query in (0, 5, 17, 39):
        for layers in (1, 2, 3):
            assert np.array_equal(can_depend_on(ranged, query, layers), every[layers - 1][query])
