"""Edges: how one layer carries information between positions, its heads united.

Maps the relations of a layer to distinct `Edge`s, each a formula with table literals on one key
source, and to what the slots of that source stand for. A slot of `pool` stands for the tokens of
its window and a slot of `project` for all tokens, both as they are in the same layer. The slots of
a `stream` are nodes of the graph: they hold after l layers what the keys of their own rows held
after l - 1; without rules for these rows, what all tokens held. Slots of `memory`, `compressed`,
`persistent` and `encoder` are not positions of this sequence and carry nothing of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from patternc.algebra.isl_context import KeyCount
from patternc.algebra.simplify import FALSE, TRUE
from patternc.analysis.table_pairs import is_known
from patternc.frozen import frozen
from patternc.ir.formula import Condition
from patternc.ir.sources import (
    TEXT,
    TOKENS,
    KeySource,
    Pool,
    Project,
    Rows,
    Stream,
    Text,
    Tokens,
    Tree,
)
from patternc.relation.cases import Literal
from patternc.relation.relation import Branch, Relation
from patternc.relation.tables import HeadTables, Tables


@frozen
class Edge:
    """Pairs of positions and slots: those of `formula` that satisfy every literal.

    `head` tells tables apart that the call gives for each head; 0 where it gives none. `rows` are
    the positions, or the slots of a stream.
    """

    formula: Condition
    literals: tuple[Literal, ...]
    source: KeySource
    head: int = 0
    rows: Rows = TOKENS

    @property
    def keys(self) -> KeyCount:
        return "n" if self.source == Tokens() else "m"

    @property
    def is_known(self) -> bool:
        """Whether no literal asks for what only the call gives."""
        return all(is_known(literal.atom) for literal in self.literals)

    def asked_of(self, tables: Sequence[HeadTables]) -> Tables:
        """What answers for the edge, of the tables of the heads."""
        return tables[self.head].of(self.source, self.rows)


Layer = tuple[Edge, ...]


def edges_of(heads: Sequence[Relation]) -> Layer:
    """The edges of one layer, each once.

    The heads of the tokens' rows, and behind them those of the rows of streams. A stream whose
    slots attend to all tokens has no edges of its own, nor has one whose rows are not among them.
    """
    seen: Counter[Rows] = Counter()
    found: dict[Edge, None] = {}
    for relation in heads:
        if not isinstance(relation.rows, Tree):
            found.update(dict.fromkeys(_of_head(relation, seen[relation.rows])))
        seen[relation.rows] += 1
    hearing_all = {edge.rows for edge in found if _is_everything(edge)}
    deaf = [rows for rows in seen if isinstance(rows, Stream) and not _any_of(rows, found)]
    found.update(dict.fromkeys(Edge(FALSE, (), TEXT, 0, rows) for rows in deaf))
    return tuple(edge for edge in found if edge.rows not in hearing_all)


def _any_of(rows: Rows, edges: Iterable[Edge]) -> bool:
    return any(edge.rows == rows for edge in edges)


def _is_everything(edge: Edge) -> bool:
    return edge.source == TEXT and edge.formula == TRUE and not edge.literals


def shortest_period(steps: Sequence[Layer]) -> Sequence[Layer]:
    """The first layers of a schedule that is them, over and over."""
    count = len(steps)
    lengths = (length for length in range(1, count + 1) if count % length == 0)
    return next(
        steps[:length]
        for length in lengths
        if all(steps[at] == steps[at - length] for at in range(length, count))
    )


def listening(steps: Iterable[Layer]) -> frozenset[Rows]:
    """The streams with edges of their own: their slots do not depend on all tokens."""
    return frozenset(edge.rows for step in steps for edge in step) - {TOKENS}


def _of_head(relation: Relation, head: int) -> Iterator[Edge]:
    for branch in relation.branches:
        if isinstance(branch.source, Tokens | Pool | Project | Stream | Tree | Text):
            yield from _of_branch(branch, head, relation.rows)


def _of_branch(branch: Branch, head: int, rows: Rows) -> Iterator[Edge]:
    if branch.formula != FALSE:
        yield Edge(branch.formula, (), branch.source, 0, rows)
    for conjunct in branch.conjuncts:
        edge = Edge(conjunct.formula, conjunct.literals, branch.source, 0, rows)
        yield edge if edge.is_known else replace(edge, head=head)
