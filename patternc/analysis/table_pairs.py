"""The pairs that tables choose at a given length, one by one and within bounds.

Maps a conjunct (a formula and its table atoms) to arrays of rows and keys. Draws and constants are
listed entry by entry, scattered sets looked up densely. What is known only at call time, or is too
large, raises `UnknownError`. Does not handle tiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal as Choice

import numpy as np

from patternc.algebra.atoms import (
    ConstantSet,
    InRow,
    Member,
    PermutationTable,
    RandomTable,
    RowTable,
    Within,
)
from patternc.algebra.evaluate import Integers, evaluate
from patternc.algebra.simplify import conjunction
from patternc.algebra.walk import atoms_of
from patternc.ir.formula import Expression, Not
from patternc.relation.cases import Literal
from patternc.relation.excluded_keys import avoided_by
from patternc.relation.relation import Conjunct
from patternc.relation.tables import Tables

MOST_LISTED = 1 << 22
MOST_CELLS = 1 << 24
_CHUNK = 1 << 20


class UnknownError(Exception):
    """The pairs depend on inputs of the call, or are too many to list."""


def held(conjunct: Conjunct, tables: Tables) -> Iterator[tuple[Integers, Integers]]:
    """Rows and keys of the conjunct's pairs, rows ascending from chunk to chunk."""
    if not all(is_known(literal.atom) for literal in conjunct.literals):
        raise UnknownError
    listing, others = _first_list(conjunct.literals)
    conditions = (one.atom if one.positive else Not(one.atom) for one in others)
    condition = conjunction([conjunct.formula, *conditions])
    for row, key in [_entries(listing, tables)] if listing else _everything(tables):
        shape = np.broadcast_shapes(row.shape, key.shape)
        kept = np.broadcast_to(tables.holds(condition, {"i": row, "j": key}), shape)
        yield np.broadcast_to(row, shape)[kept], np.broadcast_to(key, shape)[kept]


def is_known(atom: object) -> bool:
    """Whether the table of an atom is known before the call; draws may avoid what is not."""
    match atom:
        case InRow(RandomTable() as table):
            return all(map(is_known, atoms_of(avoided_by(table))))
        case InRow(PermutationTable()) | Member(ConstantSet()) | Within():
            return True
        case _:
            return False


def _first_list(literals: tuple[Literal, ...]) -> tuple[InRow | None, tuple[Literal, ...]]:
    """A table whose entries hold every pair, and the literals that it does not settle."""
    for index, literal in enumerate(literals):
        if literal.positive and isinstance(literal.atom, InRow):
            return literal.atom, literals[:index] + literals[index + 1 :]
    return None, literals


def _everything(tables: Tables) -> Iterator[tuple[Integers, Integers]]:
    """All rows and keys, a chunk of rows at a time."""
    n, m = tables.sizes
    if n * m > MOST_CELLS:
        raise UnknownError
    height = max(1, _CHUNK // max(m, 1))
    for first in range(0, n, height):
        yield np.arange(first, min(first + height, n))[:, None], np.arange(m)[None, :]


def _entries(atom: InRow, tables: Tables) -> tuple[Integers, Integers]:
    """The tokens that the entries of a table stand for."""
    n, m = tables.sizes
    if n * _keys_of_row(atom.table, m) > MOST_LISTED:
        raise UnknownError
    row_of = _along(atom.row, "i", tables)
    key_of = _along(atom.key, "j", tables)
    listed = tables.rows(atom.table)
    inside = np.flatnonzero((row_of >= 0) & (row_of < len(listed)))
    place, slot = np.nonzero(listed[row_of[inside]] >= 0)
    entry = listed[row_of[inside]][place, slot]
    order = np.argsort(key_of, kind="stable")
    start, stop = (np.searchsorted(key_of[order], entry, side) for side in ("left", "right"))
    width = stop - start
    within = np.arange(width.sum()) - np.repeat(np.cumsum(width) - width, width)
    return np.repeat(inside[place], width), order[np.repeat(start, width) + within]


def _along(expression: Expression, name: Choice["i", "j"], tables: Tables) -> Integers:
    """The expression at every row, or at every key."""
    positions = np.arange(tables.n if name == "i" else tables.m)
    values = evaluate(expression, {name: positions, **tables.sizes.values})
    return np.broadcast_to(np.asarray(values, np.int64), positions.shape)


def _keys_of_row(table: RowTable, m: int) -> int:
    """At most how many keys the entries of one row stand for."""
    count = table.random.count if isinstance(table, RandomTable) else 1
    return count * (-(-m // table.parts) if table.parts else table.block)
