"""Normal forms of relations with tables: exact, few where parts exclude each other, bounded."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.algebra.simplify import FALSE, conjunction, disjunction
from patternc.ir.formula import All, Not
from patternc.language.syntax.diagnostics import PatternError
from patternc.relation.exclusion import exclude, facts
from patternc.relation.lower import lower

# A program, and the cases of each of its branches.
PROGRAMS = {
    "(blocks(parts=3) { same(doc) } with alibi) + full": [9, 9],
    "blocks(parts=3) { random(2) } with bias(table) + full": [9, 9],
    "(blocks(parts=3) { same(doc_p3) } + full with xl_relative)": [9, 9],
    "(((blocks(parts=5) { same(doc_p5) } with t5(4, 16, name=steps4)) + (~none with alibi)))": [
        25,
        25,
    ],
    "(blocks(parts=3) { same(a) } with alibi) + blocks(parts=3) { same(b) }": [9, 9],
    "(blocks(parts=3) { same(a) } with alibi) + (blocks(parts=3) { same(b) } with softcap(3))"
    " + full": [9, 9, 9],
    "(blocks(parts=3) { same(a) } with alibi) + (blocks(parts=5) { same(b) } with softcap(3))"
    " + full": [9, 74, 83],
    "(blocks(parts=3) { columns(x) } with alibi) + full": [3, 3],
    "(blocks(parts=4) { rows(x) & same(b) } with alibi) + full": [16, 20],
    "(local(4) with alibi) + full - blocks(parts=4) { same(a) + random(1) }": [16, 48],
    "blocks(4) { (blocks(parts=3) { same(a) }) } & causal": [9],
    "(same(a) with alibi) + (same(b) with softcap(3)) + full": [1, 1, 1],
}


def inputs_of(pattern, n):
    """Labels of tokens or parts, some negative, and sets of a few positions."""
    random, found = np.random.default_rng(n), {}
    for item in pattern.inputs:
        parts = re.search(rf"parts=(\d+)\) {{[^}}]*\({item.name}\)", pattern.text)
        units = int(parts[1]) if parts else n
        if item.role == "labels":
            found[item.name] = random.integers(-1, 3, units)
        elif item.role == "set":
            found[item.name] = np.flatnonzero(random.integers(0, 2, units))
    return found


def held(tables, branch, formula, i, j):
    shape = np.broadcast_shapes(i.shape, j.shape)
    return np.broadcast_to(tables.of(branch.source).holds(formula, {"i": i, "j": j}), shape)


def joined(product):
    literals = [item.atom if item.positive else Not(item.atom) for item in product.literals]
    return conjunction([product.formula, *literals])


@pytest.mark.parametrize("text", PROGRAMS)
@pytest.mark.parametrize("n", [1, 2, 7, 23])
def test_the_cases_of_a_branch_hold_the_pairs_of_its_predicate(text, n):
    pattern = Pattern.parse(text)
    given = inputs_of(pattern, n)
    tables, relation = pattern.head_tables(n, **given)[0], pattern.relations()[0]
    i, j = np.arange(-n, n)[:, None], np.arange(n)[None, :]
    total = np.zeros((2 * n, n), int)
    for branch in relation.branches:
        cases = [branch.formula, *map(joined, branch.conjuncts)]
        either = np.any([held(tables, branch, case, i, j) for case in cases], axis=0)
        assert np.array_equal(either, held(tables, branch, branch.predicate, i, j))
        total += either
    assert np.array_equal(total, pattern.multiplicity(n, queries=2 * n, **given)[0])


@pytest.mark.parametrize(("text", "cases"), PROGRAMS.items())
def test_parts_that_exclude_each_other_have_as_many_cases_as_parts(text, cases):
    branches = Pattern.parse(text).relations()[0].branches
    assert [len(branch.conjuncts) for branch in branches] == cases


@pytest.mark.parametrize("text", list(PROGRAMS)[:4])
def test_a_module_has_the_pairs_of_a_program_whose_scores_exclude_tables(text):
    pattern, n = Pattern.parse(text), 23
    given = inputs_of(pattern, n)
    tensors = {name: torch.from_numpy(value) for name, value in given.items()}
    found = pattern.module.multiplicity(n, **tensors)[0].numpy()
    assert np.array_equal(found, pattern.multiplicity(n, **given)[0])


def unlike(count):
    """A program whose last branch has 2 ** count cases."""
    pairs = " + ".join(f"(same(a{each}) & columns(s{each}))" for each in range(count))
    return f"(({pairs}) with alibi) + full"


@pytest.mark.parametrize("count", [9, 10])
def test_cases_up_to_the_limit_are_compiled(count):
    branches = Pattern.parse(unlike(count)).relations()[0].branches
    assert max(len(branch.conjuncts) for branch in branches) == 2**count


def test_more_cases_than_the_limit_are_refused_with_the_place():
    with pytest.raises(PatternError, match="P135") as refused:
        Pattern.parse("let wide = full\n" + unlike(11).replace("full", "wide"))
    assert "<pattern>:2:1" in str(refused.value)


def test_cases_of_one_layer_are_refused_when_it_is_looked_at():
    inner = unlike(11)
    with pytest.raises(PatternError, match="P135"):
        Pattern.parse(f"layers 3\nlayer == 2 -> {inner}\nelse -> full").relations(2)


def test_every_pair_of_parts_excludes_the_others():
    from patternc.ir.terms import EqualParts, SameDocument

    items = lower(EqualParts(6, SameDocument("a"))).items
    guards = [conjunction(item.items[1:]) for item in items if isinstance(item, All)]
    known = list(map(facts, guards))
    assert len(known) == 36
    for at, one in enumerate(known):
        assert [exclude(one, other) for other in known].count(False) == 1, at
    outside = facts(Not(disjunction(guards)))
    assert all(exclude(outside, one) and exclude(one, outside) for one in known)
    assert FALSE not in guards
