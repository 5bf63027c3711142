"""Run-time inputs of a module: what the language says of them, and what their tables count.

Converts the inputs of a program and a schedule to the entries of the module's `INPUTS`. Does not
check tensors.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Protocol, cast

from patternc.algebra.atoms import (
    Compared,
    InRow,
    IntegerTable,
    LabelTable,
    ListedTable,
    Member,
    OffsetTable,
    RandomTable,
    SameLabel,
    SetTable,
    Table,
    Within,
)
from patternc.algebra.walk import atoms_of, readings_of
from patternc.frozen import frozen
from patternc.relation.excluded_keys import avoided_by
from patternc.schedule.schedule import Schedule

POOLED = "optional: keys and values of the slots, a pair [batch, kv_heads, slots, head_dim]"


class Input(Protocol):
    """A run-time input; its role is one of the language's, its shape human-readable."""

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> str: ...

    @property
    def shape(self) -> str: ...

    @property
    def counts(self) -> str:
        """The stream whose slots it counts, none for the tokens."""
        ...

    @property
    def found(self) -> bool:
        """Is it found in the call, unless given?"""
        ...

    @property
    def decides(self) -> bool:
        """Does it say which pairs there are?"""
        ...


@frozen
class Entry:
    """An input; what predicates ask counts blocks of `block` tokens, or parts.

    It counts the slots of the stream `counts`, if any.
    """

    name: str
    role: str
    shape: str
    block: int = 1
    parts: int = 0
    counts: str = ""
    found: bool = False
    decides: bool = True

    @property
    def shape_lines(self) -> list[str]:
        """The shape in pieces that fit a line."""
        return textwrap.wrap(self.shape, 88, drop_whitespace=False)


def entries(inputs: Sequence[Input], schedule: Schedule) -> tuple[Entry, ...]:
    """The inputs in their order; one that no table names counts tokens."""
    units = {}
    for table in _tables(schedule):
        match table:
            case (
                ListedTable(name, block, parts)
                | SetTable(name, block, parts)
                | OffsetTable(name, block, parts)
                | IntegerTable(name, block, parts)
            ):
                units[name] = block, parts
            case LabelTable(name, block, parts, keys):
                units[name] = units[keys or name] = block, parts
            case _:
                pass
    return tuple(_entry(item, units.get(item.name, (1, 0))) for item in inputs)


def _entry(item: Input, unit: tuple[int, int]) -> Entry:
    return Entry(item.name, item.role, item.shape, *unit, item.counts, item.found, item.decides)


def _tables(schedule: Schedule) -> Iterator[Table]:
    passes = (item for groups in schedule.groups for group in groups for item in group.passes)
    for item in passes:
        yield from with_avoided(table for slot in item.tables for table in slot)


def with_avoided(tables: Iterable[Table]) -> Iterator[Table]:
    """The tables, and those that the draws among them pass over."""
    for table in dict.fromkeys(tables):
        yield table
        if isinstance(table, RandomTable):
            yield from with_avoided(
                chain.from_iterable(map(tables_of, atoms_of(avoided_by(table))))
            )


def tables_of(atom: object) -> tuple[Table, ...]:
    """What an atom asks, in the order it is written."""
    match atom:
        case InRow(table) | Member(table) | SameLabel(table) | Within(table):
            return (table,)
        case Compared(_, left, right):
            return tuple(cast(Table, reading.table) for reading in readings_of(left, right))
        case _:
            raise TypeError(f"{type(atom).__name__} asks no table")
