"""Grouping: heads whose predicates differ in numbers only share one predicate with scalars.

Maps the relations of several heads to one pass per branch. Numbers that all heads share stay in the
text; the others become `Scalar`s, and the tables become `TableSlot`s. Does not handle tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from typing import TypeVar, cast

from patternc.algebra.atoms import (
    ConstantSet,
    IntegerTable,
    LabelTable,
    ListedTable,
    OffsetTable,
    PermutationTable,
    RandomTable,
    SetTable,
    SpanTable,
    Table,
)
from patternc.frozen import frozen
from patternc.ir.formula import Condition, Constant, Scalar
from patternc.ir.parts import children, map_children
from patternc.relation.relation import Branch, Relation
from patternc.schedule.schedule import TableSlot

TABLES = (
    RandomTable,
    ListedTable,
    PermutationTable,
    SetTable,
    ConstantSet,
    OffsetTable,
    LabelTable,
    IntegerTable,
    SpanTable,
)
Node = TypeVar("Node")


@frozen
class Shared:
    """One predicate for several heads: row h of `scalars` and `tables[slot][h]` are head h's."""

    predicate: Condition
    scalars: tuple[tuple[int, ...], ...]
    tables: tuple[tuple[Table, ...], ...]


def group_heads(relations: Sequence[Relation], kinds: Sequence[object]) -> list[list[int]]:
    """Heads by their kind and the shape of their relation, in order of first appearance."""
    groups: dict[object, list[int]] = {}
    for head, (relation, kind) in enumerate(zip(relations, kinds, strict=True)):
        groups.setdefault((relation_shape(relation), kind), []).append(head)
    return list(groups.values())


def share(predicates: Sequence[Condition]) -> Shared:
    """One predicate for predicates of equal shape."""
    merger = _Merger(len(predicates))
    merged = merger.merge(list(predicates))
    scalars = (
        tuple(zip(*merger.scalars, strict=True)) if merger.scalars else ((),) * len(predicates)
    )
    return Shared(cast(Condition, merged), scalars, tuple(merger.tables))


def with_slots(node: Node, slots: dict[Table, int]) -> Node:
    """The tree with every table replaced by its slot."""
    if not slots:
        return node
    return _mapped(node, lambda leaf: TableSlot(slots[leaf]) if isinstance(leaf, TABLES) else leaf)


def without_scalars(node: Node, row: tuple[int, ...]) -> Node:
    """The tree with the numbers of one head."""
    if not row:
        return node
    return _mapped(
        node, lambda leaf: Constant(row[leaf.slot]) if isinstance(leaf, Scalar) else leaf
    )


class _Merger:
    """Walks trees of equal shape side by side and collects what differs."""

    def __init__(self, heads: int) -> None:
        self.heads = heads
        self.scalars: list[tuple[int, ...]] = []
        self.tables: list[tuple[Table, ...]] = []

    def merge(self, nodes: list[object]) -> object:
        first = nodes[0]
        if isinstance(first, TABLES):
            return TableSlot(_slot(self.tables, tuple(cast(list[Table], nodes))))
        if isinstance(first, Constant):
            return self._number([cast(Constant, node).value for node in nodes])
        columns = zip(*map(children, nodes), strict=True)
        return map_children(first, lambda _: self.merge(list(next(columns))))

    def _number(self, values: list[int]) -> Constant | Scalar:
        if len(set(values)) == 1:
            return Constant(values[0])
        return Scalar(_slot(self.scalars, tuple(values)))


Column = TypeVar("Column")


def _slot(columns: list[Column], column: Column) -> int:
    if column not in columns:
        columns.append(column)
    return columns.index(column)


def relation_shape(relation: Relation) -> object:
    """What the relations of heads that share kernels have in common."""
    return relation.combined, tuple(_branch_shape(branch) for branch in relation.branches)


def _branch_shape(branch: Branch) -> object:
    treatment = (
        branch.source,
        branch.modifiers,
        branch.projection,
        branch.softmax,
        branch.projected,
    )
    return shape(branch.predicate), branch.multiplicity, treatment


def shape(node: object) -> object:
    """What trees that may share a kernel have in common: all but numbers and table contents."""
    if isinstance(node, TABLES):
        return _table_shape(node)
    if isinstance(node, Constant):
        return Constant
    if isinstance(node, tuple):
        return tuple(map(shape, node))
    parts = children(node)
    return (type(node), *map(shape, parts)) if parts or is_dataclass(node) else node


def _table_shape(table: Table) -> object:
    match table:
        case RandomTable(random, block, parts):
            return RandomTable, random.count, block, parts
        case PermutationTable(_, block, parts):
            return PermutationTable, block, parts
        case ConstantSet(_, block):
            return ConstantSet, block
        case SpanTable(kind, branching):
            return SpanTable, kind, branching
    return table


def _mapped(node: Node, change: Callable[[object], object]) -> Node:
    changed = change(node)
    if changed is not node:
        return cast(Node, changed)
    return map_children(node, lambda part: _mapped(part, change))
