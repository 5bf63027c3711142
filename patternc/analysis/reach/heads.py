"""What each head adds: connected pairs that are lost without it.

From a schedule to one number a head, by asking again without the head. Non-goals: pairs of heads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from patternc.analysis.reach import connected
from patternc.language.sources import Rows
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables


def contributions(
    relations: Sequence[Sequence[Relation]],
    n: int,
    layers: int,
    tables: Sequence[Sequence[HeadTables]] | None = None,
) -> tuple[int | None, ...]:
    """For each head, the pairs that `layers` layers connect with it and not without it.

    The head is left out of every layer. 0 means that others reach all it reaches; None is unknown.
    """
    whole = connected(relations, n, layers, tables)
    found: dict[tuple[tuple[Relation, ...], ...], int | None] = {}
    lost = []
    for head in range(max(map(_heads, relations))):
        without = tuple(
            tuple(dict.fromkeys(each for at, each in _numbered(heads) if at != head))
            for heads in relations
        )
        if without not in found:
            rest = None if whole is None else connected(without, n, layers, tables)
            found[without] = None if whole is None or rest is None else whole - rest
        lost.append(found[without])
    return tuple(lost)


def _heads(relations: Sequence[Relation]) -> int:
    return 1 + max(head for head, _ in _numbered(relations))


def _numbered(relations: Sequence[Relation]) -> Iterator[tuple[int, Relation]]:
    """Relations with the numbers of their heads: those of other rows begin anew."""
    seen: Counter[Rows] = Counter()
    for relation in relations:
        yield seen[relation.rows], relation
        seen[relation.rows] += 1
