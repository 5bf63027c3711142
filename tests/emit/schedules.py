"""Schedules of test patterns, put together by hand from relations and tilings."""

from __future__ import annotations

from dataclasses import replace

from patternc.language.formula import All, Any, Condition, Constant, Not
from patternc.language.terms import (
    HeadPattern,
    Listing,
    PositionRange,
    Term,
)
from patternc.layout.tiling import tiling
from patternc.relation.predicate import InRow, Member, SameLabel
from patternc.relation.relation import atoms_of, relation
from patternc.schedule.schedule import Group, Pass, Schedule, TableSlot


def number(value: int) -> Constant:
    return Constant(value)


def listing(*positions: int | tuple[int | None, int | None]) -> Listing:
    """`listing(0, (4, 8), -1)` is the list [0, 4:8, -1]."""

    def end(value: int | None) -> Constant | None:
        return None if value is None else Constant(value)

    return Listing(
        tuple(
            PositionRange(end(item), None, True)
            if isinstance(item, int)
            else PositionRange(end(item[0]), end(item[1]))
            for item in positions
        )
    )


def slotted(value: Condition, asked: list[object]) -> Condition:
    """The condition with slots in place of its tables."""
    match value:
        case InRow(table) | Member(table) | SameLabel(table):
            return replace(value, table=TableSlot(asked.index(table)))
        case All(items):
            return All(tuple(slotted(item, asked) for item in items))
        case Any(items):
            return Any(tuple(slotted(item, asked) for item in items))
        case Not(operand):
            return Not(slotted(operand, asked))
        case _:
            return value


def passes(pattern: HeadPattern, heads: int, tile: tuple[int, int]) -> tuple[Pass, ...]:
    """The passes of heads that all have the same pattern."""
    made = []
    for branch in relation(pattern).branches:
        asked = list(dict.fromkeys(atom.table for atom in atoms_of(branch.predicate)))
        made.append(
            Pass(
                predicate=slotted(branch.predicate, asked),
                scalars=((),) * heads,
                tables=tuple((table,) * heads for table in asked),
                tilings=(tiling(branch, *tile),),
                tiling_of_head=(0,) * heads,
                multiplicity=branch.multiplicity,
            )
        )
    return tuple(made)


def schedule(
    *branches: Term, heads: int | None = None, tile: tuple[int, int] = (32, 16)
) -> Schedule:
    """All heads have the pattern `mix(branches)`, of one layer."""
    count = heads or 1
    group = Group(tuple(range(count)), passes(HeadPattern(branches), count, tile))
    return Schedule(heads, None, *tile, ((group,),), (0,))
