"""Run-time inputs for a picture: documents of equal length, the first position, empty lists.

Maps an input, and how many things it describes, to an array and to what is said of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from patternc.algebra.atoms import LabelTable, ListedTable, RandomTable, Table
from patternc.algebra.walk import atoms_of
from patternc.emit.inputs import table_of
from patternc.ir.sources import KeySource
from patternc.language.check.runtime_inputs import RunTimeInput
from patternc.relation.excluded_keys import avoided_by
from patternc.relation.relation import Relation
from patternc.report.subject import Array
from patternc.semantics.errors import InputError

_DOCUMENTS = 4


class Unit(NamedTuple):
    """What an input counts: blocks of tokens, blocks of parts, or blocks of a source's slots."""

    block: int
    parts: int
    source: KeySource | None = None


def made_up(item: RunTimeInput, count: int) -> Array:
    """The input of so many tokens or blocks."""
    match item.role:
        case "labels":
            return np.arange(count) * _DOCUMENTS // max(count, 1)
        case "set":
            return np.array([0])
        case "listed":
            return np.full((count, 1), -1)
        case role:
            raise InputError(f"cannot be drawn without the run-time input `{item.name}` ({role})")


def note(item: RunTimeInput) -> str:
    """What to say of it."""
    match item.role:
        case "labels":
            return f"{item.name} = {_DOCUMENTS} of equal length"
        case "set":
            return f"{item.name} = [0]"
        case _:
            return f"{item.name} = empty"


def units_of(relations: Iterable[Relation]) -> dict[str, Unit]:
    """What the labels and lists that relations ask count, by their names."""
    branches = (branch for relation in relations for branch in relation.branches)
    return {
        name: unit
        for branch in branches
        for atom in atoms_of(branch.predicate)
        for name, unit in _asked(table_of(atom), branch.source, (1, 0))
    }


def _asked(table: Table, source: KeySource, around: tuple[int, int]) -> Iterator[tuple[str, Unit]]:
    """By a table that stands where a position is a block, or a part, of tokens."""
    match table:
        case ListedTable(name, block, parts):
            yield name, Unit(*_within(around, block, parts))
        case LabelTable(name, block, parts, keys):
            yield name, Unit(*_within(around, block, parts))
            if keys:
                yield keys, Unit(*_within(around, block, parts), source)
        case RandomTable():
            for atom in atoms_of(avoided_by(table)):
                yield from _asked(table_of(atom), source, _within(around, table.block, table.parts))
        case _:
            pass


def _within(around: tuple[int, int], block: int, parts: int) -> tuple[int, int]:
    return (block, parts) if parts else (block * around[0], around[1])
