"""What each head adds: connected pairs that are lost without it.

From a schedule to one number a head, by asking again without the head. Non-goals: pairs of heads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from patternc.analysis.reach import reach
from patternc.language.sources import Rows
from patternc.relation.relation import Relation


def contributions(
    relations: Sequence[Sequence[Relation]], n: int, layers: int
) -> tuple[int | None, ...]:
    """For each head, the pairs that `layers` layers connect with it and not without it.

    The head is left out of every layer. 0 means that others reach all it reaches; None is unknown.
    """
    whole = reach(relations, n, layers).connected[-1:]
    found: dict[tuple[tuple[Relation, ...], ...], int | None] = {}
    lost = []
    for head in range(max(map(_heads, relations))):
        without = tuple(
            tuple(dict.fromkeys(each for at, each in _numbered(heads) if at != head))
            for heads in relations
        )
        if without not in found:
            rest = reach(without, n, layers).connected[-1:]
            known = whole and rest and whole[0] is not None and rest[0] is not None
            found[without] = whole[0] - rest[0] if known else None  # type: ignore[operator]
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
