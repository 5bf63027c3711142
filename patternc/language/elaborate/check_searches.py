"""One table for each name of a search, in a head and in what its draws avoid.

A search in `avoid=` is the list that the same search finds where it stands in the pattern.
"""

from __future__ import annotations

from collections.abc import Iterator

from patternc.ir.parts import children
from patternc.ir.searches import Search
from patternc.ir.sources import KeySource, home_of
from patternc.ir.terms import Found, HeadPattern, IndexList, On, Random
from patternc.language.check.environment import Environment
from patternc.language.elaborate import attachment_errors as errors
from patternc.language.elaborate.candidates import searches_of
from patternc.language.syntax.ast import Node
from patternc.language.syntax.diagnostics import Diagnostic

_Searched = tuple[str, Search, KeySource]


def check_searches(node: Node, pattern: HeadPattern, place: Environment) -> Iterator[Diagnostic]:
    """A head has one table for each name."""
    known: dict[str, IndexList] = {}
    for found in (each for branch in pattern.sets for each in searches_of(branch)):
        if known.setdefault(found.name, found) != found:
            yield errors.two_searches(found.name, node.span, place.where())


def check_avoided(node: Node, pattern: HeadPattern) -> Iterator[Diagnostic]:
    """What draws avoid is found where it stands beside them."""
    for branch in pattern.sets:
        standing = set(_searches(branch, home_of(pattern.rows), avoided=False))
        for each in dict.fromkeys(_searches(branch, home_of(pattern.rows), avoided=True)):
            if each not in standing:
                yield errors.found_nowhere(each[0], node.span)


def _searches(term: object, source: KeySource, avoided: bool) -> Iterator[_Searched]:
    """The searches that stand in a term, or those that its draws avoid, with their sources."""
    match term:
        case On(inner, there):
            yield from _searches(inner, there, avoided)
        case Random(avoid=inner):
            yield from _searches(inner, source, False) if avoided else ()
        case IndexList(name, Found(search)):
            yield from () if avoided else ((name, search, source),)
        case _:
            for part in children(term):
                yield from _searches(part, source, avoided)
