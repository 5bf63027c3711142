"""How the pairs of a term are treated: on which key source, with which score modifiers.

Converts a term to its parts of one source and one list of modifiers, as far as checks need them:
`+` keeps all of them, `&` and `-` those of their left side. Does not compute the pairs.
"""

from __future__ import annotations

from collections.abc import Iterator

from patternc.frozen import frozen
from patternc.ir.modifiers import Modifier
from patternc.ir.sources import TOKENS, KeySource, home_of
from patternc.ir.terms import (
    Causal,
    Complement,
    Difference,
    HeadPattern,
    Intersection,
    On,
    Term,
    Union,
    With,
)


@frozen
class Attachments:
    """One source and the modifiers, those next to the relation first."""

    source: KeySource
    modifiers: tuple[Modifier, ...]


def attachments_of_term(
    term: Term, source: KeySource = TOKENS, modifiers: tuple[Modifier, ...] = ()
) -> Iterator[Attachments]:
    match term:
        case On(inner, found):
            yield from attachments_of_term(inner, found, modifiers)
        case With(inner, modifier):
            yield from attachments_of_term(inner, source, (modifier, *modifiers))
        case Union(items):
            for item in items:
                yield from attachments_of_term(item, source, modifiers)
        case Intersection(items):
            yield from attachments_of_term(_first(items), source, modifiers)
        case Difference(left, _):
            yield from attachments_of_term(left, source, modifiers)
        case Complement(operand):
            yield from attachments_of_term(operand, source, modifiers)
        case _:
            yield Attachments(source, modifiers)


def _first(items: tuple[Term, ...]) -> Term:
    """The operand of `&` whose scores count; `causal` says only what is available."""
    return next((item for item in items if item != Causal()), items[0])


def attachments_of(pattern: HeadPattern) -> tuple[Attachments, ...]:
    """Those of one softmax: of all branches."""
    home = home_of(pattern.rows)
    found = (one for branch in pattern.branches for one in attachments_of_term(branch, home))
    return tuple(dict.fromkeys(found))


def sources_of(term: Term, home: KeySource = TOKENS) -> tuple[KeySource, ...]:
    """In the order of their first occurrence; `home` is that of a relation as it stands."""
    return tuple(dict.fromkeys(one.source for one in attachments_of_term(term, home)))


def sources_of_sets(pattern: HeadPattern) -> Iterator[KeySource]:
    """Every source that a pattern names, also where pairs are taken away."""
    home = home_of(pattern.rows)
    for branch in pattern.sets:
        yield from _named(branch, home)


def _named(term: Term, source: KeySource) -> Iterator[KeySource]:
    match term:
        case On(inner, found):
            yield from _named(inner, found)
        case Union(items) | Intersection(items):
            for item in items:
                yield from _named(item, source)
        case Difference(left, right):
            yield from _named(left, source)
            yield from _named(right, source)
        case Complement(inner) | With(inner):
            yield from _named(inner, source)
        case _:
            yield source


def is_past(term: Term) -> bool:
    """Whether the term is cut to what is available to the query, whatever its numbers."""
    match term:
        case Causal():
            return True
        case Intersection(items):
            return any(map(is_past, items))
        case Union(items):
            return all(map(is_past, items))
        case Difference(inner, _) | On(inner) | With(inner):
            return is_past(inner)
        case _:
            return False


def is_cut(term: Term) -> bool:
    """Whether `& causal` appears in a term without sources."""
    match term:
        case Intersection(items):
            return Causal() in items or any(map(is_cut, items))
        case Union(items):
            return any(map(is_cut, items))
        case Difference(left, right):
            return is_cut(left) or is_cut(right)
        case Complement(inner) | With(inner):
            return is_cut(inner)
        case _:
            return False
