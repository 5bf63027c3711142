"""What a search may find: the pairs that everything around it allows.

Converts a term to the same term with the `among` of every search filled in. `A & nearest(k)` are
the k nearest of A, `nearest(k) - A` those outside A; a union changes nothing. Does not lower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from patternc.ir.parts import children
from patternc.ir.searches import Cluster, Lsh
from patternc.ir.terms import (
    Blocks,
    Complement,
    Difference,
    EqualParts,
    Found,
    Full,
    HeadPattern,
    IndexList,
    Intersection,
    On,
    Part,
    Term,
    Union,
    With,
)

_Around = Callable[[Term], Term]


def with_candidates(term: Term) -> Term:
    """The term, its searches confined to what stands around them."""
    return _within(term, lambda hole: hole)


def _within(term: Term, around: _Around) -> Term:
    """`around` puts a term in the place of this one."""
    match term:
        case IndexList(_, Found() as found):
            return replace(term, found=replace(found, among=around(Full())))
        case Union(terms):
            return Union(tuple(_within(item, around) for item in terms))
        case Intersection(terms):
            plain = tuple(item for item in terms if not _asks_searches(item))
            rest = (item for item in terms if item not in plain)
            inner = (_within(item, _meeting(plain, around)) for item in rest)
            return Intersection((*inner, *plain))
        case Difference(left, right):
            return Difference(_within(left, lambda hole: around(Difference(hole, right))), right)
        case On(inner, source):
            return On(_within(inner, lambda hole: around(On(hole, source))), source)
        case With(inner, modifier):
            return With(_within(inner, around), modifier)
        case _:
            return term


def _asks_searches(term: object) -> bool:
    """Whether pairs of a term are found, or avoid those that are."""
    if isinstance(term, IndexList):
        return term.found is not None
    return any(map(_asks_searches, children(term)))


def _meeting(plain: tuple[Term, ...], around: _Around) -> _Around:
    return lambda hole: around(Intersection((hole, *plain)) if plain else hole)


def joined_apart(pattern: HeadPattern, kind: str) -> HeadPattern | None:
    """The only argument of `mix` or `mean`: rounds count one by one, clusters are averaged.

    None where these are beside other pairs, or have modified scores.
    """
    match tuple(map(_alone, pattern.branches)):
        case ((IndexList(_, Found(Lsh() as search) as found) as term, rest),) if kind == "mix":
            changed: Lsh | Cluster = replace(search, counted=True)
        case ((IndexList(_, Found(Cluster() as search) as found) as term, rest),) if kind == "mean":
            changed = replace(search, mean=True)
        case _:
            several = {"mix": Lsh, "mean": Cluster}[kind]
            every = (each.found for branch in pattern.sets for each in searches_of(branch))
            beside = any(each and isinstance(each.search, several) for each in every)
            return None if beside else pattern
    joined = replace(term, found=replace(found, search=changed))
    return replace(pattern, branches=(Intersection((joined, *rest)) if rest else joined,))


def _alone(branch: Term) -> tuple[Term, tuple[Term, ...]]:
    """A branch as one term, and the terms without a search that confine it."""
    if not isinstance(branch, Intersection):
        return branch, ()
    rest = tuple(item for item in branch.terms if not any(searches_of(item)))
    searches = [item for item in branch.terms if item not in rest]
    if len(searches) != 1:
        return branch, ()
    inner, within = _alone(searches[0])
    return inner, (*within, *rest)


def searches_of(term: Term) -> Iterator[IndexList]:
    """The lists of a term that are found in the call."""
    match term:
        case IndexList(_, Found()):
            yield term
        case Union(terms) | Intersection(terms):
            for item in terms:
                yield from searches_of(item)
        case Difference(left, right):
            yield from (*searches_of(left), *searches_of(right))
        case Complement(inner) | On(inner, _) | With(inner, _):
            yield from searches_of(inner)
        case Blocks(_, inner) | EqualParts(_, inner) | Part(_, inner):
            yield from searches_of(inner)
        case _:
            return
