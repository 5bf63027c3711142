"""Decomposition: every branch cut into disjoint pieces that each have a tiling of their own.

A union of a window and a dilated term is a dense band over the positions and a dense band over
residue classes; a softmax over both is exact, since passes carry it on. The cut is made where it
spares products, counted by the cost model. Does not plan launches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from patternc.algebra.isl_context import BudgetError, KeyCount, budget
from patternc.algebra.isl_sets import excludes
from patternc.algebra.simplify import FALSE, conjunction, disjunction, negation
from patternc.frozen import frozen
from patternc.ir.formula import All, Any, Condition
from patternc.relation.relation import Branch, Relation
from patternc.schedule.cost_model import LENGTH, MOST_WEIGHED, is_weighed_soon, visited
from patternc.schedule.residue_classes import Classes, classed, classed_by

# How many of the products may be left for further launches to pay.
WORTHWHILE = 0.8
MOST_ITEMS = 16


@frozen
class Piece:
    """Pairs of `formula`: over positions, or over the members of `classes`."""

    formula: Condition
    classes: Classes | None = None

    @property
    def kind(self) -> object:
        """What pieces that share a pass have in common beside the shape of their formula."""
        return None if self.classes is None else self.classes.kind

    def of(self, branch: Branch) -> Branch:
        """The piece as a branch of its own; one that is the whole branch is that branch."""
        if self.classes is None and self.formula == branch.formula:
            return branch
        return replace(branch, predicate=self.formula, formula=self.formula)


@frozen
class Head:
    """The relation of a head, and each of its branches cut into pieces."""

    relation: Relation
    cuts: tuple[tuple[Piece, ...], ...]

    @property
    def kind(self) -> object:
        """What heads of one group have in common beside the shape of their relation."""
        return tuple(tuple(piece.kind for piece in cut) for cut in self.cuts)


@frozen
class Decomposition:
    """The heads of every layer in pieces that suit tiles of a shape; `reasons` are the shape's."""

    query_tile: int
    key_tile: int
    layers: tuple[tuple[Head, ...], ...]
    reasons: tuple[str, ...] = ()


def decompose(
    layers: Sequence[Sequence[Relation]],
    query_tile: int,
    key_tile: int,
    reasons: tuple[str, ...] = (),
) -> Decomposition:
    """The relations of every layer's heads in pieces; equal relations are cut once."""
    distinct = dict.fromkeys(relation for heads in layers for relation in heads)
    cut = {relation: _head(relation, query_tile, key_tile) for relation in distinct}
    heads = tuple(tuple(cut[relation] for relation in layer) for layer in layers)
    return Decomposition(query_tile, key_tile, heads, reasons)


def _head(relation: Relation, query_tile: int, key_tile: int) -> Head:
    return Head(
        relation, tuple(pieces(branch, query_tile, key_tile) for branch in relation.branches)
    )


def pieces(branch: Branch, query_tile: int, key_tile: int) -> tuple[Piece, ...]:
    """The pieces of a branch; only closed forms on the tokens are cut."""
    whole = (Piece(branch.formula),)
    if branch.conjuncts or branch.keys != "n":
        return whole
    return _pieces(branch.formula, query_tile, key_tile)


def issued(branch: Branch, query_tile: int, key_tile: int, n: int) -> int:
    """Tiles that the closed forms of a branch visit at n positions, cut into its pieces."""
    cut = pieces(branch, query_tile, key_tile)
    return _tiles(cut, query_tile, key_tile, n, branch.keys)


@lru_cache(maxsize=4096)
def _pieces(formula: Condition, query_tile: int, key_tile: int) -> tuple[Piece, ...]:
    whole = (Piece(formula),)
    cut = _cut(formula)
    if cut is None:
        return whole
    if all(_spares_anyway(piece.classes, query_tile) for piece in cut):
        return cut
    longest = max([LENGTH, *(piece.classes.segment for piece in cut if piece.classes)])
    n = min(longest, MOST_WEIGHED)
    n = n if is_weighed_soon(formula, query_tile, key_tile, n) else LENGTH
    before, after = (_tiles(each, query_tile, key_tile, n) for each in (whole, cut))
    spared = after < WORTHWHILE * before
    return cut if spared else whole


def _spares_anyway(classes: Classes | None, query_tile: int) -> bool:
    """Long dilated segments, whose tiles over positions are mostly empty and slow to count."""
    if classes is None or classes.stride == 1:
        return False
    return classes.segment >= classes.stride * query_tile


@lru_cache(maxsize=4096)
def _cut(formula: Condition) -> tuple[Piece, ...] | None:
    """Disjoint pieces, all with their finest classes; None where no term has any."""
    members: dict[Classes | None, list[Condition]] = {}
    for item in _disjuncts(formula):
        found = classed(item)
        members.setdefault(found.classes if found else None, []).append(item)
    if set(members) == {None} or not members:
        return None
    sets = {classes: disjunction(items) for classes, items in members.items()}
    positions = [(None, sets.pop(None))] if None in sets else []
    orders = [[*positions, *sets.items()], [*sets.items(), *positions]]
    return next((cut for order in orders if (cut := _disjoint(order)) is not None), None)


def _disjoint(order: Sequence[tuple[Classes | None, Condition]]) -> tuple[Piece, ...] | None:
    """Every set without those before it; None where one then no longer keeps to its classes."""
    found: list[Piece] = []
    before: Condition = FALSE
    for classes, formula in order:
        rest = formula if _apart(formula, before) else conjunction([formula, negation(before)])
        before = disjunction([before, formula])
        if classes is None:
            found.append(Piece(rest))
            continue
        own = classed_by(rest, classes)
        if own is None:
            return None
        found.append(Piece(own.formula, classes))
    return tuple(found)


def _apart(formula: Condition, other: Condition) -> bool:
    try:
        with budget():
            return excludes(formula, other)
    except BudgetError:
        return False


def _disjuncts(formula: Condition) -> tuple[Condition, ...]:
    """The terms of a union, an intersection with a union multiplied out; few, or the whole."""
    items = _multiplied(formula)
    return items if len(items) <= MOST_ITEMS else (formula,)


def _multiplied(formula: Condition) -> tuple[Condition, ...]:
    match formula:
        case Any(items):
            return tuple(part for item in items for part in _multiplied(item))
        case All(items):
            for place, item in enumerate(items):
                if isinstance(item, Any):
                    rest = (*items[:place], *items[place + 1 :])
                    parts = (conjunction([part, *rest]) for part in item.items)
                    return tuple(found for part in parts for found in _multiplied(part))
    return (formula,)


def _tiles(
    cut: Iterable[Piece], query_tile: int, key_tile: int, n: int, keys: KeyCount = "n"
) -> int:
    """Tiles that all pieces visit at n positions."""
    tiles = query_tile, key_tile
    return sum(visited(piece.formula, piece.classes, *tiles, n, keys) for piece in cut)
