"""What the rows of a stream or a tree cost beside those of the tokens: pairs of one layer.

Maps the relations of these rows to exact numbers; None if it is known only at call time. Does not
handle closed forms or tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from patternc.algebra.work_budget import EffortError, effort
from patternc.analysis.cost.pair_counts import Sizes, distinct_pairs, exact_pairs
from patternc.frozen import frozen
from patternc.ir.sources import Tree, name_of
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.semantics import tree_spans
from patternc.semantics.errors import InputError
from patternc.semantics.source_slots import row_count

Counted = Callable[[Relation, HeadTables, Sizes, bool], int]


@frozen
class RowsCost:
    """`rows` queries called `name` over `keys` slots.

    `pairs[head]` with multiplicity, `distinct[head]` each pair once.
    """

    name: str
    rows: int
    keys: int
    pairs: tuple[int | None, ...]
    distinct: tuple[int | None, ...]

    @property
    def total(self) -> int | None:
        """The pairs of all heads."""
        return _sum(self.pairs)

    @property
    def density(self) -> float | None:
        """Pairs, each once, among all pairs of these rows and keys."""
        total, cells = _sum(self.distinct), len(self.pairs) * self.rows * self.keys
        return None if total is None else total / max(cells, 1)


def rows_cost(relations: Sequence[Relation], tables: Sequence[HeadTables]) -> RowsCost:
    """The cost of the heads of these rows; `tables[head]` are those of every head."""
    rows, n = relations[0].rows, tables[0].n
    sources = dict.fromkeys(source for relation in relations for source in relation.sources)
    keys = sum(tables[0].of(source, rows).m for source in sources)
    both = list(zip(relations, tables, strict=True))
    pairs, distinct = (
        tuple(_pairs(counted, relation, own) for relation, own in both)
        for counted in (exact_pairs, distinct_pairs)
    )
    return RowsCost(name_of(rows), row_count(rows, n), keys, pairs, distinct)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _pairs(counted: Counted, relation: Relation, tables: HeadTables) -> int | None:
    match relation.rows:
        case Tree(branching):
            return tree_spans.covered_pairs(tables.n, branching)
        case rows:
            try:
                with effort():
                    return counted(relation, tables.asked_by(rows), {}, False)
            except (InputError, EffortError):
                return None
