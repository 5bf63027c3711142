"""Two patterns side by side: equal for every n, or a smallest witness.

From the relations of both, layer by layer and head by head, to a proof by integer sets that every
pair counts as often in both, or the least n and the first pair (i, j) that does not. Tables are
equal where they are the same draws or inputs; where they differ, some lengths are looked at pair by
pair. Non-goals: cost and reach, which other modules know; scores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import lcm
from typing import Literal

import numpy as np

from patternc.analysis.reach.rows import row_sizes
from patternc.analysis.reach.symbolic import runs_of
from patternc.language.sources import TOKENS, Source
from patternc.relation import integer_maps as maps
from patternc.relation.errors import InputError
from patternc.relation.evaluation import Integers, Values
from patternc.relation.integer_sets import BudgetError, budget
from patternc.relation.relation import Branch, Combined, Conjunct, Relation
from patternc.relation.sources import slots
from patternc.relation.tables import HeadTables

# About 0.3 s.
OPERATIONS = 300_000
# Below this every length is looked at: a difference there is a smallest one.
SMALL = 9
# These lengths are compared pair by pair where tables differ.
SEARCHED = (12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 512, 768, 1024)

# A pair of the k-th softmax counts in the k-th digit.
_DIGIT = 1 << 16
Outcome = Literal["equal", "different", "undecided"]
Heads = Sequence[Relation]


@dataclass(frozen=True, slots=True)
class Witness:
    """Where two patterns differ first: the pair counts `left` times in one and `right` in other."""

    layer: int
    head: int
    n: int
    query: int
    key: int
    source: Source
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class HeadDifference:
    """One head of one layer. `scored_alike`: the same pairs have the same modifiers and softmaxes.

    `only_left`, `only_right` count pairs of distinct query and key, at the length of the question,
    that one pattern holds and the other does not; None where that is not known.
    """

    layer: int
    head: int
    outcome: Outcome
    scored_alike: bool
    witness: Witness | None
    only_left: int | None
    only_right: int | None


def compared(
    left: Sequence[Heads], right: Sequence[Heads], n: int, lengths: tuple[int, int] | None
) -> tuple[HeadDifference, ...]:
    """Every layer and head; the shorter schedule and the fewer heads are repeated.

    `lengths` are the least and the greatest n that both mean something at; None for all.
    """
    layers = lcm(len(left), len(right))
    found: list[HeadDifference] = []
    hint = n
    for layer in range(layers):
        ours, theirs = left[layer % len(left)], right[layer % len(right)]
        for head in range(lcm(len(ours), len(theirs))):
            one, other = ours[head % len(ours)], theirs[head % len(theirs)]
            found.append(_placed(_difference(one, other, n, lengths, hint), layer, head))
            # Heads of random patterns differ at much the same lengths.
            hint = found[-1].witness.n if found[-1].witness else hint
    return tuple(found)


def _placed(found: HeadDifference, layer: int, head: int) -> HeadDifference:
    witness = found.witness and replace(found.witness, layer=layer, head=head)
    return replace(found, layer=layer, head=head, witness=witness)


@lru_cache(maxsize=4096)
def _difference(
    left: Relation, right: Relation, n: int, lengths: tuple[int, int] | None, hint: int
) -> HeadDifference:
    alike = _treatments(left) == _treatments(right)
    if _meaning(left) == _meaning(right):
        return HeadDifference(0, 0, "equal", alike, None, 0, 0)
    only_left, only_right = _counted(left, right, n)
    outcome, witness = _decided(*_without_common(left, right), lengths, hint)
    if witness is not None:
        witness = _with_all(witness, left, right)
    return HeadDifference(0, 0, outcome, alike, witness, only_left, only_right)


def _decided(
    left: Relation, right: Relation, lengths: tuple[int, int] | None, hint: int
) -> tuple[Outcome, Witness | None]:
    small = range(1, SMALL) if lengths is None else range(0)
    for n in small:
        if (witness := _anywhere(left, right, n)) is not None:
            return "different", witness
    try:
        with budget(OPERATIONS):
            witness = _formula_witness(left, right, lengths)
            return ("different" if witness else "equal"), witness
    except (BudgetError, _UndecidedError):
        witness = _searched(left, right, lengths, hint)
        return ("different" if witness else "undecided"), witness


def _without_common(left: Relation, right: Relation) -> tuple[Relation, Relation]:
    """Branches of both, which count alike, left out of both: the difference stays as it is."""
    ours, theirs = Counter(map(_said, left.branches)), Counter(map(_said, right.branches))
    common = ours & theirs
    return tuple(
        replace(side, branches=tuple(each for each in side.branches if _said(each) not in common))
        for side in (left, right)
    )  # type: ignore[return-value]


def _said(branch: Branch) -> tuple[object, ...]:
    return branch.softmax, branch.source, branch.predicate, branch.multiplicity


def _with_all(witness: Witness, left: Relation, right: Relation) -> Witness:
    """How often the pair counts with the common branches."""
    ours, theirs = (_dense_at(side, witness) for side in (left, right))
    return replace(witness, left=ours, right=theirs)


def _dense_at(relation: Relation, witness: Witness) -> int:
    tables = HeadTables(witness.n).of(witness.source)
    at: Values = {"i": np.array([witness.query]), "j": np.array([witness.key])}
    return sum(
        branch.multiplicity * int(np.broadcast_to(tables.holds(branch.predicate, at), 1)[0])
        for branch in relation.branches
        if branch.source == witness.source
    )


class _UndecidedError(Exception):
    """Tables that differ, or slots that only a call counts."""


def _meaning(relation: Relation) -> frozenset[tuple[object, ...]]:
    """What decides how often pairs count, as it is written."""
    return frozenset(
        (each.softmax, each.source, each.predicate, each.multiplicity) for each in relation.branches
    )


def _treatments(relation: Relation) -> tuple[object, ...]:
    """What scores and outputs depend on beside the pairs."""
    kinds = {(each.source, each.modifiers, each.projection) for each in relation.branches}
    return _shape(relation.combined), frozenset(kinds)


def _shape(combined: int | Combined | None) -> object:
    if not isinstance(combined, Combined):
        return combined
    return combined.kind, combined.gate, tuple(map(_shape, combined.arguments))


# --- formulas ---------------------------------------------------------------------------------


def _formula_witness(
    left: Relation, right: Relation, lengths: tuple[int, int] | None
) -> Witness | None:
    """The first pair at the least n; None is a proof that there is none."""
    if _conjuncts(left) != _conjuncts(right):
        raise _UndecidedError
    found = [
        witness
        for source in dict.fromkeys((*left.sources, *right.sources))
        if (witness := _on_source(left, right, source, lengths)) is not None
    ]
    return min(found, key=lambda each: each.n, default=None)


def _on_source(
    left: Relation, right: Relation, source: Source, lengths: tuple[int, int] | None
) -> Witness | None:
    keys: Literal["n", "m"] = "n" if source == TOKENS else "m"
    ours, theirs = _levels(left, source, keys), _levels(right, source, keys)
    differing = maps.united(
        ours[one].intersect(theirs[other]) for one, other in product(ours, theirs) if one != other
    )
    if lengths is not None:
        differing = maps.at_lengths(differing, *lengths)
    if differing.is_empty():
        return None
    if source != TOKENS:
        raise _UndecidedError
    n, query, key = maps.first(differing)
    times = [
        next(times for times, level in levels.items() if maps.holds_at(level, n, query, key))
        for levels in (ours, theirs)
    ]
    return Witness(0, 0, n, query, key, source, *times)


def _levels(relation: Relation, source: Source, keys: Literal["n", "m"]) -> dict[int, maps.Map]:
    """How often pairs count, softmaxes apart where there are several: the pairs of each number."""
    levels = {0: maps.plane(keys)}
    for branch in relation.branches:
        if branch.source != source:
            continue
        own = maps.symbolic(branch.formula, keys)
        times = branch.multiplicity * _DIGIT**branch.softmax
        grown: dict[int, maps.Map] = {}
        for number, level in levels.items():
            for total, part in (
                (number, level.subtract(own)),
                (number + times, level.intersect(own)),
            ):
                grown[total] = grown[total].union(part) if total in grown else part
        levels = {number: level.coalesce() for number, level in grown.items()}
    return levels


def _conjuncts(relation: Relation) -> frozenset[tuple[Conjunct, Source, int, int]]:
    """The parts that ask tables."""
    return frozenset(
        (conjunct, each.source, each.multiplicity, each.softmax)
        for each in relation.branches
        for conjunct in each.conjuncts
    )


# --- pair by pair -----------------------------------------------------------------------------


def _searched(
    left: Relation, right: Relation, lengths: tuple[int, int] | None, hint: int
) -> Witness | None:
    """The first pair at the first length that is looked at; `hint` is, before the others."""
    least, most = lengths or (1, SEARCHED[-1])
    for n in (hint, *SEARCHED, least):
        inside = least <= n <= min(most, max(SEARCHED[-1], least))
        if inside and (found := _anywhere(left, right, n)) is not None:
            return found
    return None


def _anywhere(left: Relation, right: Relation, n: int) -> Witness | None:
    """The first pair at one length, on the first source that has one."""
    sources = dict.fromkeys((*left.sources, *right.sources))
    found = (_at_length(left, right, source, n) for source in sources)
    return next((witness for witness in found if witness is not None), None)


def _at_length(left: Relation, right: Relation, source: Source, n: int) -> Witness | None:
    try:
        ours, theirs = (_dense(side, source, n) for side in (left, right))
    except InputError:
        return None
    found = np.argwhere(ours != theirs)
    if not len(found):
        return None
    query, key = (int(part) for part in found[0])
    return Witness(0, 0, n, query, key, source, int(ours[query, key]), int(theirs[query, key]))


def _dense(relation: Relation, source: Source, n: int) -> Integers:
    """How often pairs count, at one length."""
    m = slots(source, n, {})
    tables = HeadTables(n).of(source)
    rows, keys = np.arange(n)[:, None], np.arange(m)[None, :]
    counts = np.zeros((n, m), np.int64)
    for branch in relation.branches:
        if branch.source == source:
            held = tables.holds(branch.predicate, {"i": rows, "j": keys})
            counts += np.where(held, branch.multiplicity * _DIGIT**branch.softmax, 0)
    return counts


# --- counts -----------------------------------------------------------------------------------


def _counted(left: Relation, right: Relation, n: int) -> tuple[int | None, int | None]:
    """Pairs that only one holds, at n tokens."""
    try:
        with budget(OPERATIONS):
            sides = zip(*map(list, _sides(left, right, n)), strict=True)
            ours, theirs = (sum(side) for side in sides)
            return ours, theirs
    except (BudgetError, InputError, _UndecidedError):
        return None, None


def _sides(left: Relation, right: Relation, n: int) -> Iterator[tuple[int, int]]:
    if _conjuncts(left) or _conjuncts(right):
        raise _UndecidedError
    for source in dict.fromkeys((*left.sources, *right.sources)):
        m = slots(source, n, {})
        ours, theirs = (_held(side.branches, source, n, m) for side in (left, right))
        yield _count(ours.subtract(theirs), n), _count(theirs.subtract(ours), n)


def _held(branches: Sequence[Branch], source: Source, n: int, m: int) -> maps.Map:
    return maps.united(
        maps.held(branch.formula, n, m, branch.keys)
        for branch in branches
        if branch.source == source
    )


def _count(pairs: maps.Map, n: int) -> int:
    return row_sizes(runs_of(pairs), n).total
