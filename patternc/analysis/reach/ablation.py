"""What each head adds: connected pairs that are lost without it.

Maps a schedule to one number per head, by evaluating it without the head. Does not remove several
heads at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from patternc.analysis.reach import connected
from patternc.analysis.reach.edges import Layer, edges_of
from patternc.ir.sources import TOKENS, Rows
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables


def contributions(
    relations: Sequence[Sequence[Relation]],
    n: int,
    layers: int,
    tables: Sequence[Sequence[HeadTables]] | None,
    whole: int | None,
) -> tuple[int | None, ...]:
    """For each head, the pairs that `layers` layers connect with it and not without it.

    The head is left out of every layer, its rows of streams too. `tables[layer][head]` answer for
    run-time inputs; `whole` is what all heads connect. 0 means that others reach all it reaches;
    None is unknown.
    """
    every = list(map(edges_of, relations))
    if all(edge.is_known for edges in every for edge in edges):
        tables = None
    found: dict[object, int | None] = {}
    lost: list[int | None] = []
    enough = _enough(relations, n, layers, tables, whole) if tables is not None else set()
    for head in range(max(map(_heads, relations))):
        if enough - {head}:
            lost.append(0)
            continue
        without = tuple(
            tuple(each for at, each in _numbered(heads) if at != head) for heads in relations
        )
        if tables is None:
            without = tuple(tuple(dict.fromkeys(heads)) for heads in without)
        # Heads with inputs of their own differ where their relations do not.
        name = without if tables is None else head
        if name not in found:
            given = None if tables is None else [_without(own, head) for own in tables]
            same = tables is None and all(map(_are_same, map(edges_of, without), every))
            rest = whole if same or whole is None else connected(without, n, layers, given)
            found[name] = None if whole is None or rest is None else whole - rest
        lost.append(found[name])
    return tuple(lost)


def _enough(
    relations: Sequence[Sequence[Relation]],
    n: int,
    layers: int,
    tables: Sequence[Sequence[HeadTables]],
    whole: int | None,
) -> set[int]:
    """Of the first two heads those that connect by themselves what all heads connect.

    Then nothing is lost without another one, which saves asking without each.
    """
    alike = len({len(heads) for heads in relations}) == 1 and whole is not None
    plain = all(relation.rows == TOKENS for heads in relations for relation in heads)
    if not (alike and plain and len(relations[0]) > 2):
        return set()
    return {
        head
        for head in (0, 1)
        if whole
        == connected(
            tuple((heads[head],) for heads in relations),
            n,
            layers,
            [own[head : head + 1] for own in tables],
        )
    }


def _are_same(some: Layer, every: Layer) -> bool:
    return set(some) == set(every)


def _without(tables: Sequence[HeadTables], head: int) -> Sequence[HeadTables]:
    """The tables of the other heads; of any, where there are no others."""
    return [own for at, own in enumerate(tables) if at != head] or tables


def _heads(relations: Sequence[Relation]) -> int:
    return 1 + max(head for head, _ in _numbered(relations))


def _numbered(relations: Sequence[Relation]) -> Iterator[tuple[int, Relation]]:
    """Relations with the numbers of their heads: those of other rows begin anew."""
    seen: Counter[Rows] = Counter()
    for relation in relations:
        yield seen[relation.rows], relation
        seen[relation.rows] += 1
