"""Constant positions in tables, counted for every n.

Sets of many scattered positions are tables to the compiler. For counting they are finitely many
rows and columns that differ from the rest: from a branch whose atoms are all such sets to the tally
of its pairs. Away from the set the atoms are false, which leaves a formula; on it every pair is
looked at by itself. Does not handle sets that count from the end, or slots of other sources.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from patternc.algebra import eventually_periodic, simplify
from patternc.algebra.atoms import ConstantSet, Member
from patternc.algebra.evaluate import Booleans, Integers, Values, holds
from patternc.algebra.eventually_periodic import Recurring
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.queries import variables_of
from patternc.algebra.walk import Leaf, atoms_of, map_leaves
from patternc.analysis.cost.pair_sets import Plane
from patternc.analysis.cost.quasi_polynomial import (
    Sparse,
    Tally,
    UncountedError,
    accumulated,
    shortest,
    tally,
)
from patternc.ir.formula import (
    Atom,
    Compare,
    Condition,
    Constant,
    FloorDivide,
    Truth,
    Variable,
)
from patternc.ir.terms import Listing
from patternc.relation.coordinates import IndexSpace, in_index_space
from patternc.relation.positions import merge
from patternc.relation.relation import Branch

MOST_PAIRS = 1 << 24
MOST_MEMBERS = 1 << 12
ROW, LENGTH = Variable("i"), Variable("n")
Side = Literal["i", "j"]
Members = frozenset[int]


@lru_cache(maxsize=256)
def scattered(branch: Branch) -> Tally | None:
    """The tally of a branch on the tokens whose atoms are constant sets; None of any other."""
    atoms = list(atoms_of(branch.predicate))
    if branch.keys != "n" or "n" in variables_of(branch.predicate):
        return None
    members = {position for atom in atoms for position in _members(atom) or ()}
    last = max(members, default=0)
    known = all(_members(atom) is not None for atom in atoms)
    if not known or len(members) > MOST_MEMBERS or len(members) * last > MOST_PAIRS:
        return None
    try:
        with budget():
            return shortest(_tally(branch.predicate, sorted(members)))
    except (BudgetError, UncountedError):
        return None


def _members(atom: Atom) -> Members | None:
    """The tokens of a constant set; None of what is none, or counts from the end."""
    match atom:
        case Member(ConstantSet(listing, block), Variable()) if block == 1:
            return _tokens(listing, 1)
        case Member(ConstantSet(listing, block), FloorDivide(Variable(), Constant(size))) if (
            block == size
        ):
            return _tokens(listing, block)
    return None


def _tokens(listing: Listing, block: int) -> Members | None:
    """Only ranges with both ends counted from the start are the same at every n."""
    spans = [(item.start, item.stop) for item in merge(listing.ranges)]
    found: set[int] = set()
    for start, stop in spans:
        match start, stop:
            case Constant(first), Constant(behind) if 0 <= first <= behind <= MOST_MEMBERS * block:
                found.update(range(first * block, behind * block))
            case _:
                return None
    return frozenset(found)


def _tally(predicate: Condition, members: list[int]) -> Tally:
    """Rows of members are looked at pair by pair, in other rows the keys that are members."""
    away = _away(predicate)
    usual = tally(Plane(away))
    if isinstance(usual, Sparse):
        raise UncountedError
    others = [
        (position, *_changed(predicate, away, side, position))
        for position in members
        for side in ("i", "j")
    ]
    shapes = [eventually_periodic.condition(part) for _, *both in others for part in both]
    known = Recurring(usual.period, max(usual.start, max(members, default=-1) + 1))

    def new(rows: Integers) -> Integers:
        total = np.diff(usual.extended(len(rows) + 1))
        for position, now, before in others:
            later = rows[position:]
            more, fewer = (
                np.broadcast_to(holds(part, {"i": later}), later.shape) for part in (now, before)
            )
            total[position:] += more.astype(np.int64) - fewer
        for position in members:
            if position < len(rows):
                total[position] = _at(predicate, position)
        return total

    return accumulated(eventually_periodic.together([known, *shapes]), new)


def _changed(
    predicate: Condition, away: Condition, side: Side, position: int
) -> tuple[Condition, Condition]:
    """A pair of a member, standing at `side`, with a later position i: as it is, and as usual."""
    scope = (
        IndexSpace(Constant(position), ROW, LENGTH, LENGTH)
        if side == "i"
        else IndexSpace(ROW, Constant(position), LENGTH, LENGTH)
    )
    return _put(predicate, scope, side, position), _put(away, scope, side, position)


def _away(condition: Condition) -> Condition:
    """The condition where neither position is a member."""
    return map_leaves(condition, lambda leaf: simplify.FALSE if isinstance(leaf, Atom) else leaf)


def _put(condition: Condition, scope: IndexSpace, side: Side, position: int) -> Condition:
    """The condition with the member put in; the other position is none."""

    def put(leaf: Leaf) -> Condition:
        match leaf:
            case Member(_, at):
                return Truth(side in variables_of(at) and position in (_members(leaf) or ()))
            case Compare(operator, left, right):
                left, right = in_index_space(left, scope), in_index_space(right, scope)
                return simplify.compare(left, operator, right)
            case Truth():
                return leaf
            case _:
                raise TypeError(f"{type(leaf).__name__} is no table of members")

    return map_leaves(condition, put)


def _at(predicate: Condition, position: int) -> int:
    """The pairs of a member with itself and with the positions before it."""

    def ask(atom: Atom, values: Values) -> Booleans:
        assert isinstance(atom, Member)
        side: Side = "i" if "i" in variables_of(atom.position) else "j"
        return np.isin(values[side], list(_members(atom) or ()))

    before = np.arange(position)
    row = holds(predicate, {"i": np.array([position]), "j": np.arange(position + 1)}, ask)
    column = holds(predicate, {"i": before, "j": np.array([position])}, ask)
    both = np.broadcast_to(row, position + 1), np.broadcast_to(column, before.shape)
    return sum(int(part.sum()) for part in both)
