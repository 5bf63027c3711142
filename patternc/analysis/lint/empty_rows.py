"""Rows without keys and keys no row sees, at one length.

Maps the relations of heads to the first position left out. Formulas are answered by integer sets;
only what they leave out is looked for in tables. No answer is given where it depends on run-time
inputs or takes more than the bounds of `sets_at_length` and `table_pairs`. Memories count as full.
A key that only rows after the end would see is seen: `local(left=8, right=-1)` leaves no key out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from patternc.algebra.evaluate import Integers
from patternc.analysis.sets_at_length import Formulas, Side, first_left_out, left_out
from patternc.analysis.table_pairs import MOST_LISTED, UnknownError, held
from patternc.ir.sources import KeySource
from patternc.relation.relation import Branch, Relation
from patternc.relation.tables import HeadTables
from patternc.semantics.errors import InputError
from patternc.semantics.source_slots import slots


@lru_cache(maxsize=4096)
def empty_row(relation: Relation, n: int) -> int | None:
    """The first query position, of whosever rows, that sees no key of any source."""
    sizes = {source: slots_at(source, n) for source in relation.sources}
    known = tuple(branch for branch in relation.branches if sizes[branch.source] is not None)
    tables = HeadTables(n, rows=relation.rows)
    first = _first(known, tables, "i", tables.row_count)
    return first if len(known) == len(relation.branches) else None


@lru_cache(maxsize=1024)
def unseen_key(relations: tuple[Relation, ...], n: int) -> tuple[KeySource, int] | None:
    """The first slot that no row of any of the relations sees, with its source."""
    branches = [branch for relation in relations for branch in relation.branches]
    for source in dict.fromkeys(source for relation in relations for source in relation.sources):
        count = slots_at(source, n)
        if count is not None:
            there = tuple(branch for branch in branches if branch.source == source)
            if (first := _first(there, HeadTables(n), "j", count)) is not None:
                return source, first
    return None


def slots_at(source: KeySource, n: int) -> int | None:
    """The slots of a source; None if it is known only at call time."""
    try:
        return slots(source, n, {})
    except InputError:
        return None


def _first(branches: tuple[Branch, ...], tables: HeadTables, side: Side, count: int) -> int | None:
    every = ((branch.formula, slots(branch.source, tables.n, {})) for branch in branches)
    formulas = tuple(dict.fromkeys(every))
    first = first_left_out(formulas, tables.row_count, side, count)
    if first is None or first < 0:
        return None
    if any(branch.conjuncts for branch in branches):
        return _first_beside_tables(branches, formulas, tables, side, count)
    return first


def _first_beside_tables(
    branches: tuple[Branch, ...], formulas: Formulas, tables: HeadTables, side: Side, count: int
) -> int | None:
    """The first position that neither the formulas nor the tables reach."""
    if count > MOST_LISTED:
        return None
    left = left_out(formulas, tables.row_count, side, count)
    if left is None:
        return None
    bare = np.zeros(count, np.bool_)
    bare[left] = True
    try:
        for row, key in _listed(branches, tables):
            bare[row if side == "i" else key] = False
            if not bare.any():
                return None
    except UnknownError:
        return None
    return int(np.argmax(bare))


def _listed(
    branches: tuple[Branch, ...], tables: HeadTables
) -> Iterator[tuple[Integers, Integers]]:
    for branch in branches:
        for conjunct in branch.conjuncts:
            yield from held(conjunct, tables.of(branch.source))
