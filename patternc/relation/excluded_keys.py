"""Which keys a random draw excludes and a search may find, as predicates in their index space."""

from __future__ import annotations

from functools import lru_cache

from patternc.algebra.atoms import ListedTable, RandomTable
from patternc.algebra.simplify import disjunction
from patternc.ir.formula import Condition
from patternc.ir.sources import TOKENS, KeySource, Rows, home_of
from patternc.ir.terms import Causal, Complement, Full, Intersection, On, Random, Term, Union
from patternc.relation.coordinates import index_space
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


@lru_cache(maxsize=4096)
def _lowered(term: Term) -> Condition:
    """Lowered once, whichever of a schedule, its tables and its inputs asks first."""
    return lower(term)


@lru_cache(maxsize=4096)
def _lowered_on(term: Term, source: KeySource, rows: Rows) -> Condition:
    scope = index_space(source, rows)
    return disjunction(lower(part.term, scope) for part in split_by_source(On(term, source)))
