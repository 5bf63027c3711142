"""isl's AST generator is not stopped halfway, and what it took counts."""

from __future__ import annotations

import islpy as isl
import pytest

from patternc.algebra import isl_loops
from patternc.algebra.isl_context import BudgetError, budget, context
from patternc.algebra.isl_loops import condition_of, loops_of
from patternc.algebra.isl_sets import pairs, universe
from patternc.ir.formula import Compare, Variable

CAUSAL = Compare("<=", Variable("j"), Variable("i"))


@pytest.mark.parametrize("form", [loops_of, condition_of])
def test_no_limit_is_in_force_while_the_generator_runs(form, monkeypatch) -> None:
    limits = []
    make = isl.AstBuild.from_context

    def spied(known: isl.Set) -> isl.AstBuild:
        limits.append(context().get_max_operations())
        return make(known)

    monkeypatch.setattr(isl.AstBuild, "from_context", spied)
    with budget(100_000):
        form(pairs(CAUSAL) & universe())
        assert context().get_max_operations() == 100_000
    assert limits == [0]


def test_what_the_generator_takes_beyond_the_budget_is_refused_behind_it() -> None:
    plane = pairs(CAUSAL) & universe()
    with pytest.raises(BudgetError, match="more than 200 integer set operations"), budget(200):
        loops_of(plane)


def test_sets_of_very_many_parts_are_refused_before(monkeypatch) -> None:
    monkeypatch.setattr(isl_loops, "MOST_PARTS", 0)
    with pytest.raises(BudgetError, match="too many parts"):
        loops_of(pairs(CAUSAL) & universe())
