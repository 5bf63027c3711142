"""Edges: how one layer carries information between positions, its heads united.

From the relations of a layer to distinct `Edge`s, each a formula with table literals on one key
source, and to what the slots of that source stand for. A slot of `pool` stands for the tokens of
its window and a slot of `project` for all tokens, both as they are in the same layer. A `stream`
is a node of the graph: its slots attend to all tokens, and hold after l layers what those held
after l - 1. Slots of `memory`, `compressed`, `persistent` and `encoder` are no positions of this
sequence and carry nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from patternc.language.formula import Condition
from patternc.language.sources import (
    Pool,
    Project,
    Source,
    Stream,
    Tokens,
    Tree,
)
from patternc.relation.fold import FALSE
from patternc.relation.integer_sets import KeyCount
from patternc.relation.predicate import (
    ConstantSet,
    InRow,
    Member,
    PermutationTable,
    RandomTable,
    Within,
)
from patternc.relation.relation import Branch, Literal, Relation


@dataclass(frozen=True, slots=True)
class Edge:
    """Pairs of positions and slots: those of `formula` that satisfy every literal.

    `head` tells tables apart that the call gives for each head; 0 where it gives none.
    """

    formula: Condition
    literals: tuple[Literal, ...]
    source: Source
    head: int = 0

    @property
    def keys(self) -> KeyCount:
        return "n" if self.source == Tokens() else "m"

    @property
    def is_known(self) -> bool:
        """Whether no literal asks for what only the call gives."""
        return all(_is_known(literal.atom) for literal in self.literals)


Layer = tuple[Edge, ...]


def edges_of(heads: Sequence[Relation]) -> Layer:
    """The edges of one layer, each once."""
    every = (edge for head, relation in enumerate(heads) for edge in _of_head(relation, head))
    return tuple(dict.fromkeys(every))


def _of_head(relation: Relation, head: int) -> Iterable[Edge]:
    for branch in relation.branches:
        if isinstance(branch.source, Tokens | Pool | Project | Stream | Tree):
            yield from _of_branch(branch, head)


def _of_branch(branch: Branch, head: int) -> Iterable[Edge]:
    if branch.formula != FALSE:
        yield Edge(branch.formula, (), branch.source)
    for conjunct in branch.conjuncts:
        edge = Edge(conjunct.formula, conjunct.literals, branch.source)
        yield edge if edge.is_known else Edge(edge.formula, edge.literals, edge.source, head)


def _is_known(atom: object) -> bool:
    match atom:
        case InRow(RandomTable() | PermutationTable()) | Member(ConstantSet()) | Within():
            return True
        case _:
            return False
