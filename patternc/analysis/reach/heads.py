"""What each head adds: connected pairs that are lost without it.

From a schedule to one number a head, by asking again without the head. Non-goals: pairs of heads.
"""

from __future__ import annotations

from collections.abc import Sequence

from patternc.analysis.reach import reach
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
    for head in range(max(map(len, relations))):
        without = tuple(
            tuple(dict.fromkeys(each for at, each in enumerate(heads) if at != head))
            for heads in relations
        )
        if without not in found:
            rest = reach(without, n, layers).connected[-1:]
            known = whole and rest and whole[0] is not None and rest[0] is not None
            found[without] = whole[0] - rest[0] if known else None  # type: ignore[operator]
        lost.append(found[without])
    return tuple(lost)
