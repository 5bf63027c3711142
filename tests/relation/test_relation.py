"""Predicates and integer sets mean what the numpy evaluator says, for every term."""

from __future__ import annotations

import islpy as isl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patternc.algebra.isl_context import BudgetError, budget, context
from patternc.algebra.isl_sets import pairs
from patternc.algebra.printer import PLAIN
from patternc.ir.terms import HeadPattern, SameDocument, Union
from patternc.relation.cases import split
from patternc.relation.lower import lower
from patternc.relation.relation import relation
from patternc.relation.tables import HeadTables, Tables
from patternc.semantics.errors import InputError
from patternc.semantics.mask import mask, multiplicity
from patternc.tiling.count_pairs import pairs_with_multiplicity
from tests.terms import formulas, neighborhoods, patterns, terms

lengths = st.integers(1, 70)


def predicate_mask(term, n, queries=None, inputs=None):
    queries = n if queries is None else queries
    i = (np.arange(queries) + n - queries)[:, None]
    held = Tables(n, inputs).holds(lower(term), {"i": i, "j": np.arange(n)[None, :]})
    return np.broadcast_to(held, (queries, n))


@given(terms, lengths)
@settings(max_examples=100)
def test_a_predicate_holds_exactly_the_pairs_of_its_term(term, n):
    assert (predicate_mask(term, n) == mask(term, n)).all()


@given(formulas, lengths, st.integers(0, 90))
def test_queries_at_the_end_or_before_the_start_see_the_same_keys(term, n, queries):
    queries = min(queries, 2 * n)
    assert (predicate_mask(term, n, queries) == mask(term, n, queries)).all()


@given(neighborhoods())
def test_grid_windows_agree(case):
    term, n = case
    assert (predicate_mask(term, n) == mask(term, n)).all()


@given(formulas, lengths)
@settings(max_examples=100)
def test_integer_sets_hold_the_same_pairs_for_a_given_n(term, n):
    formula = split(lower(term)).get(())
    expected = mask(term, n)
    if formula is None or len(split(lower(term))) > 1:
        return
    try:
        with budget():
            plane = pairs(formula).fix_val(_param(), 0, n)
            for i in (0, n // 2, n - 1):
                row = plane.copy()
                found = {j for j in range(n) if _contains(row, i, j)}
                assert found == set(np.flatnonzero(expected[i]).tolist()), PLAIN.condition(formula)
    except BudgetError:
        return


def _param():
    import islpy

    return islpy.dim_type.param


def _contains(plane, i, j):
    import islpy

    point = plane.fix_val(islpy.dim_type.set, 0, i).fix_val(islpy.dim_type.set, 1, j)
    return not point.is_empty()


@given(patterns, lengths)
@settings(max_examples=30)
def test_counted_pairs_are_the_pairs_of_the_mask(pattern, n):
    counted = pairs_with_multiplicity(relation(pattern), HeadTables(n))
    assert counted == int(multiplicity(pattern, n).sum())


def test_equal_branches_of_a_mix_are_one_branch_that_counts_twice():
    term = Union((SameDocument("document"), SameDocument("page")))
    found = relation(HeadPattern((term, term)))
    assert [branch.multiplicity for branch in found.branches] == [2]


def test_a_missing_label_input_is_named():
    with pytest.raises(InputError, match="document"):
        predicate_mask(SameDocument("document"), 5)


def test_labels_of_another_length_are_refused():
    with pytest.raises(InputError, match=r"\[5\]"):
        predicate_mask(SameDocument("document"), 5, inputs={"document": np.zeros(4, np.int64)})


def test_a_budget_stops_a_relation_that_is_too_large():
    with pytest.raises(BudgetError, match="more than 10 "), budget(10):
        pairs(lower(Union(tuple([_window(3, back) for back in range(40)])))).coalesce()
    with budget():
        assert not pairs(lower(_window(3))).is_empty()


@pytest.mark.parametrize("operations", range(1, 60, 7))
def test_an_overrun_is_told_even_where_isl_calls_it_a_syntax_error(operations):
    with pytest.raises(BudgetError, match=f"more than {operations} "), budget(operations):
        pairs(lower(_window(3))).coalesce()


def test_a_mistake_is_no_overrun():
    for text in ("{ [i : }", "[k] -> { [i] -> [j] : k = 1 }"):
        with pytest.raises(isl.Error), budget():
            pairs(lower(_window(3))).intersect(isl.Set(text, context()))


def _window(width, back=1):
    from patternc.ir.terms import Segment

    return Segment(width, back, 1)
