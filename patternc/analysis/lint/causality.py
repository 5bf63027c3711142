"""What causality leaves of a relation, and what escapes it, at one length.

Maps relations to answers about pairs (i, j) with j > i. Run-time parts are unknown: they are taken
to hold what their formula allows where a part is to be causal, and nothing where it is to leak.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from math import gcd

import numpy as np

from patternc.analysis.lint.empty_rows import slots_at
from patternc.analysis.sets_at_length import are_equal, first_ahead, leaves_the_diagonal, looks_back
from patternc.analysis.table_pairs import UnknownError, held
from patternc.ir.formula import Condition
from patternc.ir.sources import TOKENS
from patternc.ir.terms import (
    Blocks,
    Columns,
    Complement,
    Difference,
    EqualParts,
    Global,
    HeadPattern,
    Intersection,
    On,
    Part,
    Term,
    Union,
    With,
)
from patternc.relation.cases import Literal
from patternc.relation.relation import Branch, Conjunct, Relation
from patternc.relation.tables import Tables

Pair = tuple[int, int]
_NONE = (-1, -1)


def is_causal(relation: Relation, n: int) -> bool:
    """Whether no row sees a later key, wherever it stands, and some row sees an earlier one."""
    formulas = list(_formulas(relation))
    return (
        relation.sources == (TOKENS,)
        and all(looks_back(formula, n) for formula in formulas)
        and any(leaves_the_diagonal(formula, n) for formula in formulas)
    )


def is_cut(relation: Relation, n: int) -> bool:
    """Whether no row below n sees a later token."""
    return all(first_ahead(formula, n) == _NONE for formula in _formulas(relation))


def _formulas(relation: Relation) -> Iterator[Condition]:
    """What every part on the tokens lies within."""
    for branch in relation.branches:
        if branch.source == TOKENS:
            yield from _cases(branch).values()


@lru_cache(maxsize=4096)
def leak(relation: Relation, n: int, block: int = 1) -> Pair | None:
    """The smallest pair (i, j) of tokens with j > i, and j in a later block than i."""
    tables = Tables(n)
    found = [
        pair
        for branch in relation.branches
        if branch.source == TOKENS
        for pair in (first_ahead(branch.formula, n, block), *_listed_leaks(branch, tables, block))
        if pair is not None and pair != _NONE
    ]
    return min(found, default=None)


def block_size(term: Term) -> int:
    """The tokens of the blocks that a term is written in, 1 outside `blocks`."""
    match term:
        case Blocks(size, Blocks() as inner):
            return size * block_size(inner)
        case Blocks(size, _):
            return size
        case Union(terms):
            return gcd(*map(block_size, terms)) or 1
        case Intersection(terms):
            return max(map(block_size, terms))
        case Difference(term, _) | With(term) | On(term):
            return block_size(term)
        case _:
            return 1


def _listed_leaks(branch: Branch, tables: Tables, block: int) -> Iterator[Pair | None]:
    for conjunct in branch.conjuncts:
        try:
            yield _listed_leak(conjunct, tables, block)
        except UnknownError:
            continue


def _listed_leak(conjunct: Conjunct, tables: Tables, block: int) -> Pair | None:
    for row, key in held(conjunct, tables):
        ahead = np.flatnonzero(key // block > row // block)
        if len(ahead):
            first = ahead[np.lexsort((key[ahead], row[ahead]))[0]]
            return int(row[first]), int(key[first])
    return None


def are_surely_equal(left: Relation, right: Relation, n: int) -> bool:
    """Whether two relations hold the same pairs in the same parts.

    Parts that ask tables are compared by their formulas, so equal relations may go unnoticed.
    """
    return len(left.branches) == len(right.branches) and all(
        _is_equal(one, other, n) for one, other in zip(left.branches, right.branches, strict=True)
    )


def _is_equal(left: Branch, right: Branch, n: int) -> bool:
    ours, theirs = _cases(left), _cases(right)
    same_kind = replace(left, formula=right.formula, predicate=right.predicate, conjuncts=())
    m = slots_at(left.source, n)
    return (
        m is not None
        and same_kind == replace(right, conjuncts=())
        and ours.keys() == theirs.keys()
        and all(are_equal(ours[case], theirs[case], n, m) for case in ours)
    )


def _cases(branch: Branch) -> dict[tuple[Literal, ...], Condition]:
    return {(): branch.formula, **{one.literals: one.formula for one in branch.conjuncts}}


def without_rows(pattern: HeadPattern, chosen: Global) -> HeadPattern:
    """`columns(S)` in place of `global(S)`."""
    return replaced(pattern, chosen, Columns(chosen.positions))


def replaced(pattern: HeadPattern, chosen: Term, other: Term) -> HeadPattern:
    """Another term in place of the chosen one; what draws avoid stays, so that they stay."""
    combination = pattern.combination
    if combination is not None:
        arguments = tuple(replaced(argument, chosen, other) for argument in combination.arguments)
        combination = replace(combination, arguments=arguments)
    branches = tuple(_replaced(branch, chosen, other) for branch in pattern.branches)
    return HeadPattern(branches, combination)


def _replaced(term: Term, chosen: Term, other: Term) -> Term:
    def inside(part: Term) -> Term:
        return _replaced(part, chosen, other)

    if term == chosen:
        return other
    match term:
        case Union(terms):
            return Union(tuple(map(inside, terms)))
        case Intersection(terms):
            return Intersection(tuple(map(inside, terms)))
        case Difference(left, right):
            return Difference(inside(left), inside(right))
        case Complement(operand):
            return Complement(inside(operand))
        case Blocks(_, body) | EqualParts(_, body) | Part(_, body):
            return replace(term, body=inside(body))
        case On(inner) | With(inner):
            return replace(term, term=inside(inner))
        case _:
            return term
