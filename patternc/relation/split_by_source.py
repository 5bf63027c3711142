"""Separating a branch into parts: one key source, one list of modifiers, one projection each.

Converts a term with `On`, `With` and `projection=` inside to disjoint parts without them, by the
rules of the manual: `+` joins any source, `&` and `-` work source by source, a pair takes the score
of its first term, a row with a projection uses it for every pair. Does not build predicates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from patternc.frozen import frozen
from patternc.ir.modifiers import Modifier
from patternc.ir.sources import TOKENS, Encoder, KeySource, Pool, Tokens, Tree
from patternc.ir.terms import (
    AvailableSpans,
    Blocks,
    Causal,
    Complement,
    Contextual,
    Difference,
    EqualParts,
    Full,
    Global,
    HeadPattern,
    Intersection,
    On,
    Rows,
    Term,
    Union,
    Where,
    With,
)
from patternc.semantics.source_slots import window_end

# Rows, as a term, and the name of their projection.
Projected = tuple[tuple[Term, str], ...]


@frozen
class SourcePart:
    """Pairs of one source with equal treatment; `term` holds no `On`, no `With`.

    The `projected` rows have queries of their own; on other sources they are a part by themselves.
    """

    term: Term
    source: KeySource = TOKENS
    modifiers: tuple[Modifier, ...] = ()
    projection: str | None = None
    projected: Projected = ()


def split_by_source(
    branch: Term, projected: Projected = (), home: KeySource = TOKENS
) -> tuple[SourcePart, ...]:
    """Disjoint parts, sources in the order of their first occurrence.

    `projected` are the `projections` of the whole pattern, `home` the source of a relation as it
    stands.
    """
    return tuple(_by_projection(_disjoint(_parts(branch, home)), projected))


def _parts(term: Term, source: KeySource = TOKENS) -> list[SourcePart]:
    """A relation as it stands relates to the slots of `source`."""
    match term:
        case On(inner, found):
            return _parts(inner, found)
        case With(inner, modifier):
            parts = _parts(inner, source)
            return [replace(part, modifiers=(*part.modifiers, modifier)) for part in parts]
        case Union(terms):
            return [part for item in terms for part in _parts(item, source)]
        case Intersection(terms):
            return _intersected(terms, source)
        case Difference(left, right):
            return _without(_parts(left, source), _joined(_parts(right, source)))
        case Complement(operand):
            joined = _joined(_parts(operand, source))
            return [replace(joined, term=Complement(joined.term))]
        case Blocks(size, body) if source != TOKENS:
            return [SourcePart(Blocks(size, _without_causal(body)), source)]
        case _:
            return [SourcePart(term, source)]


def _without_causal(body: Term) -> Term:
    """Sources that blocks lift, other than the tokens, are always available."""
    match body:
        case Union(terms):
            return Union(tuple(map(_without_causal, terms)))
        case Intersection(terms):
            rest = tuple(_without_causal(item) for item in terms if item != Causal())
            return Intersection(rest)
        case Difference(left, right):
            return Difference(_without_causal(left), _without_causal(right))
        case Complement(operand):
            return Complement(_without_causal(operand))
        case Blocks(size, inner):
            return Blocks(size, _without_causal(inner))
        case _:
            return body


def _joined(parts: list[SourcePart]) -> SourcePart:
    """Parts of one source as one; modifiers do not stand where this is asked."""
    return replace(parts[0], term=_united([part.term for part in parts]))


def _intersected(terms: tuple[Term, ...], source: KeySource) -> list[SourcePart]:
    """Source by source; a `Causal` operand cuts every source to what is available."""
    rest = [item for item in terms if item != Causal()]
    parts = _parts(rest[0], source) if rest else [SourcePart(Full(), source)]
    for other in rest[1:]:
        right = _joined(_parts(other, source))
        parts = [
            replace(part, term=_both(part.term, right.term))
            for part in parts
            if part.source == right.source
        ]
    if len(rest) == len(terms):
        return parts
    return [replace(part, term=available(part)) for part in parts]


def _both(left: Term, right: Term) -> Term:
    terms = left.terms if isinstance(left, Intersection) else (left,)
    return Intersection((*terms, right))


def available(part: SourcePart) -> Term:
    """The part's pairs whose key is available to the query."""
    match part.source:
        case Tokens():
            return _both(part.term, Causal())
        case Pool() as pool:
            return _both(part.term, Where(window_end(pool)))
        case Tree(branching):
            return _ended(part.term, branching)
        case _:
            return part.term


def _ended(term: Term, branching: int) -> Term:
    """The pairs whose span ends at or before the row: to its left, of those around it."""
    match term:
        case Contextual(count):
            return Contextual(count, past_only=True)
        case Union(terms):
            return Union(tuple(_ended(item, branching) for item in terms))
        case _:
            return _both(term, AvailableSpans(branching))


def _without(parts: list[SourcePart], other: SourcePart) -> list[SourcePart]:
    return [
        replace(part, term=Difference(part.term, other.term))
        if part.source == other.source
        else part
        for part in parts
    ]


def _disjoint(parts: list[SourcePart]) -> list[SourcePart]:
    """Equal treatment is one part; a later part loses the pairs of earlier ones of its source."""
    merged: dict[tuple[KeySource, tuple[Modifier, ...]], list[SourcePart]] = {}
    for part in parts:
        merged.setdefault((part.source, part.modifiers), []).append(part)
    if len(merged) == len({source for source, _ in merged}):
        return [_joined(same) for same in merged.values()]
    return _in_order(parts)


def _in_order(parts: list[SourcePart]) -> list[SourcePart]:
    kept: list[SourcePart] = []
    for at, part in enumerate(parts):
        held = [earlier for earlier in parts[:at] if earlier.source == part.source]
        kept.append(_without([part], _joined(held))[0] if held else part)
    return kept


def projections(pattern: HeadPattern) -> Projected:
    """Every set of rows with a projection of their own: it holds for their pairs in any branch."""
    found = [item for branch in pattern.sets for item in _projections(branch)]
    names = dict.fromkeys(name for _, name in found)
    return tuple((_united([rows for rows, of in found if of == name]), name) for name in names)


def _united(terms: list[Term]) -> Term:
    distinct = tuple(dict.fromkeys(terms))
    return distinct[0] if len(distinct) == 1 else Union(distinct)


def _projections(term: Term) -> Iterator[tuple[Term, str]]:
    match term:
        case Rows(_, str() as name) | Global(_, str() as name):
            yield Rows(term.positions), name
        case Blocks(size, body):
            yield from ((Blocks(size, rows), name) for rows, name in _projections(body))
        case EqualParts(parts, body):
            yield from ((EqualParts(parts, rows), name) for rows, name in _projections(body))
        case Union(terms) | Intersection(terms):
            for item in terms:
                yield from _projections(item)
        case Difference(left, right):
            yield from _projections(left)
            yield from _projections(right)
        case Complement(inner) | On(inner) | With(inner):
            yield from _projections(inner)


def _by_projection(parts: list[SourcePart], projected: Projected) -> Iterator[SourcePart]:
    for part in parts:
        if isinstance(part.source, Encoder):
            # There rows are numbers, and not what the sets of rows refer to.
            yield replace(part, projected=projected)
            continue
        rest = part.term
        for rows, name in projected:
            yield replace(part, term=_both(rest, rows), projection=name)
            rest = Difference(rest, rows)
        yield replace(part, term=rest)
