"""Separating a branch into parts: one key source, one list of modifiers, one projection each.

From a term with `On`, `With` and `projection=` inside to disjoint parts without them (LANGUAGE:
`+` joins any source, `&` and `-` work source by source, a pair takes the score of its first term,
a row with a projection uses it for every pair). Non-goals: predicates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from patternc.language.modifiers import Modifier
from patternc.language.sources import TOKENS, Encoder, Pool, Source, Tokens
from patternc.language.terms import (
    Blocks,
    Causal,
    Complement,
    Difference,
    Full,
    Global,
    Intersection,
    On,
    Parts,
    Rows,
    Term,
    Union,
    Where,
    With,
)
from patternc.relation.sources import window_end


@dataclass(frozen=True, slots=True)
class Part:
    """Pairs of one source with equal treatment; `term` holds no `On`, no `With`."""

    term: Term
    source: Source = TOKENS
    modifiers: tuple[Modifier, ...] = ()
    projection: str | None = None


def separate(branch: Term) -> tuple[Part, ...]:
    """Disjoint parts, sources in the order of their first occurrence."""
    return tuple(_projected(_disjoint(_parts(branch)), tuple(_projections(branch))))


def _parts(term: Term) -> list[Part]:
    match term:
        case On(inner, source):
            return [replace(part, source=source) for part in _parts(inner)]
        case With(inner, modifier):
            return [replace(part, modifiers=(*part.modifiers, modifier)) for part in _parts(inner)]
        case Union(terms):
            return [part for item in terms for part in _parts(item)]
        case Intersection(terms):
            return _intersected([item for item in terms if item != Causal()], Causal() in terms)
        case Difference(left, right):
            return _without(_parts(left), _joined(_parts(right)))
        case Complement(operand):
            joined = _joined(_parts(operand))
            return [replace(joined, term=Complement(joined.term))]
        case _:
            return [Part(term)]


def _joined(parts: list[Part]) -> Part:
    """Parts of one source as one; modifiers do not stand where this is asked."""
    terms = tuple(part.term for part in parts)
    return replace(parts[0], term=terms[0] if len(terms) == 1 else Union(terms))


def _intersected(terms: list[Term], causal: bool) -> list[Part]:
    """Source by source; a `Causal` operand cuts every source to what is available."""
    parts = _parts(terms[0]) if terms else [Part(Full())]
    for other in terms[1:]:
        right = _joined(_parts(other))
        parts = [
            replace(part, term=_both(part.term, right.term))
            for part in parts
            if part.source == right.source
        ]
    return [replace(part, term=available(part)) for part in parts] if causal else parts


def _both(left: Term, right: Term) -> Term:
    terms = left.terms if isinstance(left, Intersection) else (left,)
    return Intersection((*terms, right))


def available(part: Part) -> Term:
    """The part's pairs whose key is available to the query."""
    match part.source:
        case Tokens():
            return _both(part.term, Causal())
        case Pool() as pool:
            return _both(part.term, Where(window_end(pool)))
        case _:
            return part.term


def _without(parts: list[Part], other: Part) -> list[Part]:
    return [
        replace(part, term=Difference(part.term, other.term))
        if part.source == other.source
        else part
        for part in parts
    ]


def _disjoint(parts: list[Part]) -> list[Part]:
    """Equal treatment is one part; a later part loses the pairs of earlier ones of its source."""
    merged: dict[tuple[Source, tuple[Modifier, ...]], list[Part]] = {}
    for part in parts:
        merged.setdefault((part.source, part.modifiers), []).append(part)
    if len(merged) == len({source for source, _ in merged}):
        return [_joined(same) for same in merged.values()]
    return _in_order(parts)


def _in_order(parts: list[Part]) -> list[Part]:
    kept: list[Part] = []
    for part in parts:
        held = [earlier for earlier in kept if earlier.source == part.source]
        kept.append(_without([part], _joined(held))[0] if held else part)
    return kept


def _projections(term: Term) -> Iterator[tuple[Term, str]]:
    """Every set of rows with a projection of their own, as a term, and its name."""
    match term:
        case Rows(_, str() as name) | Global(_, str() as name):
            yield Rows(term.positions), name
        case Blocks(size, body):
            yield from ((Blocks(size, rows), name) for rows, name in _projections(body))
        case Parts(parts, body):
            yield from ((Parts(parts, rows), name) for rows, name in _projections(body))
        case Union(terms) | Intersection(terms):
            for item in terms:
                yield from _projections(item)
        case Difference(left, right):
            yield from _projections(left)
            yield from _projections(right)
        case Complement(inner) | On(inner) | With(inner):
            yield from _projections(inner)


def _projected(parts: list[Part], projections: tuple[tuple[Term, str], ...]) -> Iterator[Part]:
    for part in parts:
        # Rows are positions; on an encoder a query is known by its number only.
        if not projections or isinstance(part.source, Encoder):
            yield part
            continue
        rest = part.term
        for rows, name in dict.fromkeys(projections):
            yield replace(part, term=_both(part.term, rows), projection=name)
            rest = Difference(rest, rows)
        yield replace(part, term=rest)
