"""What finding pairs costs, beside attending to them: the products of searches.

Converts the searches of one head to floating-point operations of one forward pass, a multiplication
and an addition for two; sorting and choosing the greatest are none. The backward pass finds
nothing.
"""

from __future__ import annotations

from typing import assert_never

from patternc.algebra.walk import searched_lists
from patternc.ir.searches import Cluster, Lsh, Nearest, Search, Sinkhorn, TopBlocks
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables


def search_products(relation: Relation, tables: HeadTables, head_dim: int) -> int:
    """Of all searches of a head, each once."""
    found = {
        (table.name, branch.source): table
        for branch in relation.branches
        for table in searched_lists(branch.predicate)
    }
    return sum(
        _products(table.found.search, tables.row_count, tables.of(source).m, head_dim)
        for (_, source), table in found.items()
        if table.found is not None
    )


def _products(search: Search, rows: int, keys: int, dim: int) -> int:
    match search:
        case Nearest(_, scores):
            return 0 if scores else 2 * rows * keys * dim
        case TopBlocks(_, width, scores):
            return 0 if scores else dim * (keys + 2 * rows * -(-keys // width))
        case Lsh(buckets, rounds=rounds):
            return dim * rows * rounds * buckets
        case Cluster(count):
            return 2 * dim * count * (rows + keys)
        case Sinkhorn(width):
            return dim * (rows + keys + 2 * -(-rows // width) * -(-keys // width))
        case _:
            assert_never(search)
