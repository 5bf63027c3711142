"""Which run-time inputs decide the pairs of a head.

Converts the pattern of a head to the names of its lists, sets, labels and integers. Does not read
their contents.
"""

from __future__ import annotations

from collections.abc import Iterator

from patternc.ir.formula import Constant, Reading
from patternc.ir.parts import children
from patternc.ir.sources import Rows, home_of, labels_of
from patternc.ir.terms import HeadPattern, IndexList, Listing, Offsets, On, RunTimeSet, SameDocument
from patternc.semantics.source_slots import QUERY


def inputs_asked(pattern: HeadPattern) -> frozenset[str]:
    """The names of all of them."""
    return frozenset(
        _named(tuple(pattern.sets), pattern.rows, labels_of("", home_of(pattern.rows)))
    )


def _named(node: object, rows: Rows, suffix: str) -> Iterator[str]:
    """Names under `node`, on a source whose labels end with `suffix`."""
    match node:
        case IndexList(name) | RunTimeSet(name) | Offsets(name):
            yield name
        case SameDocument(name):
            yield from (labels_of(name, rows), name + suffix)
        case Reading(str() as name, Constant()):
            yield name
        case Reading(str() as name, position):
            yield labels_of(name, rows) if position == QUERY else name + suffix
        case On(inner, source):
            yield from _named(inner, rows, labels_of("", source))
        case Listing():
            return
        case _:
            for part in children(node):
                yield from _named(part, rows, suffix)
