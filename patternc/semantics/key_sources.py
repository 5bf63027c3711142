"""The key sources of a pattern, in the order in which its terms name them."""

from __future__ import annotations

from collections.abc import Iterator

from patternc.ir.sources import KeySource, home_of
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


def sources_of(pattern: HeadPattern) -> tuple[KeySource, ...]:
    home = home_of(pattern.rows)
    named = (source for term in pattern.sets for source in named_by(term, home))
    return tuple(dict.fromkeys(named)) or (home,)


def named_by(term: Term, stands_on: KeySource) -> Iterator[KeySource]:
    """The sources whose pairs the term may hold; the right of `-` only takes away."""
    match term:
        case On(inner, source):
            yield from named_by(inner, source)
        case With(inner) | Complement(inner) | Difference(inner):
            yield from named_by(inner, stands_on)
        case Union(terms):
            for part in terms:
                yield from named_by(part, stands_on)
        case Intersection(terms):
            rest = [part for part in terms if part != Causal()]
            yield from named_by(rest[0], stands_on) if rest else [stands_on]
        case _:
            yield stands_on
