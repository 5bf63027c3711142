"""Run-time inputs for a picture: documents of equal length, the first position, empty lists.

Maps an input, and how many things it describes, to an array and to what is said of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from patternc.algebra.atoms import IntegerTable, LabelTable, ListedTable, RandomTable, Table
from patternc.algebra.walk import atoms_of
from patternc.emit.inputs import tables_of
from patternc.ir.sources import TOKENS, KeySource
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


def made_up(item: RunTimeInput, count: int, starts: bool) -> Array:
    """The input of so many tokens or blocks; integers are positions with `starts`, else ends."""
    match item.role:
        case "labels":
            return np.arange(count) * _DOCUMENTS // max(count, 1)
        case "integers" if starts:
            return np.arange(count)
        case "integers":
            size = max(1, -(-count // _DOCUMENTS))
            return (np.arange(count) // size + 1) * size
        case "set" | "offsets":
            return np.array([0])
        case "size":
            return np.array(count // 4)
        case "listed":
            return np.full((count, 1), -1)
        case role:
            raise InputError(f"cannot be drawn without the run-time input `{item.name}` ({role})")


def note(item: RunTimeInput, starts: bool) -> str:
    """What to say of it."""
    match item.role:
        case "labels":
            return f"{item.name} = {_DOCUMENTS} of equal length"
        case "integers" if starts:
            return f"{item.name} = 0 .. n - 1"
        case "integers":
            return f"{item.name} = ends of {_DOCUMENTS} parts"
        case "set" | "offsets":
            return f"{item.name} = [0]"
        case "size":
            return f"{item.name} = n // 4"
        case _:
            unknown = "found in the call, drawn without" if item.found else "empty"
            return f"{item.name} = {unknown}"


def units_of(relations: Iterable[Relation]) -> dict[str, Unit]:
    """What the labels and lists that relations ask count, by their names."""
    branches = (branch for relation in relations for branch in relation.branches)
    return {
        name: unit
        for branch in branches
        for atom in atoms_of(branch.predicate)
        for table in tables_of(atom)
        for name, unit in _asked(table, branch.source, (1, 0))
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
        case IntegerTable(name, block, parts, of_keys=of_keys):
            slots = source if of_keys and source != TOKENS else None
            yield name, Unit(*_within(around, block, parts), slots)
        case RandomTable():
            inside = _within(around, table.block, table.parts)
            for atom in atoms_of(avoided_by(table)):
                for avoided in tables_of(atom):
                    yield from _asked(avoided, source, inside)
        case _:
            pass


def _within(around: tuple[int, int], block: int, parts: int) -> tuple[int, int]:
    return (block, parts) if parts else (block * around[0], around[1])
