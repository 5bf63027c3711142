"""Which keys a random draw excludes and a search may find, as predicates in their index space."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from patternc.algebra.atoms import ListedTable, RandomTable
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_sets import implies
from patternc.algebra.simplify import (
    add,
    compare,
    conjunction,
    disjunction,
    floor_divide,
    minimum,
    multiply,
    subtract,
)
from patternc.algebra.walk import atoms_of
from patternc.ir.formula import Condition, Constant, Variable
from patternc.ir.sources import TOKENS, KeySource, Rows, home_of
from patternc.ir.terms import Causal, Complement, Full, Intersection, On, Random, Term, Union
from patternc.relation.coordinates import TOKENS as _PLANE
from patternc.relation.coordinates import index_space, substitute
from patternc.relation.lower import lower
from patternc.relation.split_by_source import split_by_source


def avoided_by(table: RandomTable) -> Condition:
    """Which keys a draw passes over; on the tokens those after the row are no part of it."""
    return avoided_on(table.random, table.source, table.rows)


def avoided_on(random: Random, source: KeySource, rows: Rows) -> Condition:
    """The same for a draw on the slots of a source, of the keys of each of `rows`."""
    if source == TOKENS:
        return _lowered(random.avoid)
    return _lowered_on(_passed_over(random), source, rows)


def _passed_over(random: Random) -> Term:
    """What a draw on a key source other than the tokens leaves out."""
    if not random.past_only:
        return random.avoid
    return Union((random.avoid, Complement(Intersection((Full(), Causal())))))


@lru_cache(maxsize=4096)
def candidates_of(table: ListedTable) -> Condition:
    """Which keys of each row a search may find."""
    assert table.found is not None
    scope = index_space(table.source, table.rows)
    parts = split_by_source(table.found.among, home=home_of(table.rows))
    here = (part.term for part in parts if part.source == table.source)
    return disjunction(lower(term, scope) for term in here)


def is_known_at_ends(among: Condition, table: ListedTable) -> bool:
    """Does a block of keys with an allowed one have one at its first or last key, for every n?"""
    if any(atoms_of(among)):
        return False
    width, count = Constant(table.width), Variable("n" if table.source == TOKENS else "m")
    start = multiply(width, floor_divide(Variable("j"), width))
    last = subtract(minimum(add(start, width), count), Constant(1))
    ends = (substitute(among, replace(_PLANE, key=key)) for key in (start, last))
    there = conjunction([among, compare(Variable("j"), "<", count)])
    try:
        with budget():
            return implies(there, disjunction(ends))
    except BudgetError:
        return False


@lru_cache(maxsize=4096)
def _lowered(term: Term) -> Condition:
    """Lowered once, whichever of a schedule, its tables and its inputs asks first."""
    return lower(term)


@lru_cache(maxsize=4096)
def _lowered_on(term: Term, source: KeySource, rows: Rows) -> Condition:
    scope = index_space(source, rows)
    return disjunction(lower(part.term, scope) for part in split_by_source(On(term, source)))
