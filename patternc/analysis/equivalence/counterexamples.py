"""Where two relations differ first, and how many pairs only one of them holds.

Maps two relations to a `Witness`, by integer sets for every n at once or pair by pair at one
length. Does not decide equality.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np

from patternc.algebra import isl_maps as maps
from patternc.algebra.evaluate import Integers, Values
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.lengths import EVERY_LENGTH, MOST, Lengths
from patternc.algebra.simplify import FALSE
from patternc.algebra.work_budget import EffortError
from patternc.analysis.equivalence.results import Witness
from patternc.analysis.reach.isl_engine import runs_of
from patternc.analysis.reach.row_sizes import row_sizes
from patternc.analysis.table_pairs import UnknownError, is_known
from patternc.analysis.table_pairs import held as listed
from patternc.ir.sources import TOKENS, KeySource
from patternc.relation.relation import Branch, Conjunct, Relation
from patternc.relation.tables import HeadTables, Tables
from patternc.semantics.errors import InputError
from patternc.semantics.source_slots import slots

# About 0.3 s.
OPERATIONS = 300_000
# Below this every length is looked at: a difference there is a smallest one.
SMALL = 9
# Longer lengths that are looked at where those from the shortest on show no difference.
SEARCHED = (12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 512, 768, 1024)

# What looking at one length costs at least, in cells.
_OVERHEAD = 1 << 13


@dataclass(slots=True)
class Work:
    """What may still be looked at in one comparison: cells of masks, and pairs that tables hold."""

    cells: int = 1 << 25
    pairs: int = 1 << 23


class UndecidedError(Exception):
    """Tables that differ, or slots that only a call counts."""


def said(branch: Branch) -> tuple[object, ...]:
    """What decides how often pairs of a branch count, as it is written."""
    return branch.softmax, branch.source, branch.predicate, branch.multiplicity


def with_all(witness: Witness, left: Relation, right: Relation) -> Witness:
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


# --- formulas ---------------------------------------------------------------------------------


def formula_witness(left: Relation, right: Relation, lengths: Lengths) -> Witness | None:
    """The first pair at the smallest n; None is a proof that there is none.

    The relations have no branch in common. Raises `UndecidedError` where tables are asked.
    """
    if _asks_tables(left) or _asks_tables(right):
        raise UndecidedError
    found = [
        witness
        for source in dict.fromkeys((*left.sources, *right.sources))
        if (witness := _on_source(left, right, source, lengths)) is not None
    ]
    return min(found, key=lambda each: each.n, default=None)


def _on_source(
    left: Relation, right: Relation, source: KeySource, lengths: Lengths
) -> Witness | None:
    keys: Literal["n", "m"] = "n" if source == TOKENS else "m"
    ours, theirs = _levels(left, source, keys), _levels(right, source, keys)
    differing = maps.united(
        ours[one].intersect(theirs[other]) for one, other in product(ours, theirs) if one != other
    )
    if lengths != EVERY_LENGTH:
        least, most = lengths.span or (1, MOST)
        differing = maps.at_lengths(differing, lengths.when, least, most)
    if differing.is_empty():
        return None
    if source != TOKENS:
        raise UndecidedError
    n, query, key = maps.first(differing)
    times = [
        next(times for times, level in levels.items() if maps.holds_at(level, n, query, key))
        for levels in (ours, theirs)
    ]
    return Witness(0, 0, n, query, key, source, *times)


def _levels(relation: Relation, source: KeySource, keys: Literal["n", "m"]) -> dict[int, maps.Map]:
    """How often pairs count: the pairs of each number."""
    levels = {0: maps.plane(keys)}
    for branch in relation.branches:
        if branch.source != source:
            continue
        own = maps.symbolic(branch.formula, keys)
        times = branch.multiplicity
        grown: dict[int, maps.Map] = {}
        for number, level in levels.items():
            for total, part in (
                (number, level.subtract(own)),
                (number + times, level.intersect(own)),
            ):
                grown[total] = grown[total].union(part) if total in grown else part
        levels = {number: level.coalesce() for number, level in grown.items()}
    return levels


def _asks_tables(relation: Relation) -> bool:
    return any(branch.conjuncts for branch in relation.branches)


def asks_inputs(relation: Relation) -> bool:
    """Whether tables known only at call time decide about pairs."""
    parts = (part for branch in relation.branches for part in branch.conjuncts)
    return not all(is_known(literal.atom) for part in parts for literal in part.literals)


# --- pair by pair -----------------------------------------------------------------------------


def searched(
    left: Relation, right: Relation, lengths: Lengths, hint: int, work: Work
) -> tuple[Witness | None, int]:
    """The first pair at the first length that has one, and the length below which none has.

    Lengths from the shortest on (those below `SMALL` were looked at) as long as there is `work`
    left; then `hint` and some longer ones.
    """
    first = lengths.following(SMALL) or SMALL
    least, most = lengths.span or (SMALL, max(SEARCHED[-1], first))
    below = least
    while below <= most and work.cells > 0:
        if below in lengths:
            work.cells -= _OVERHEAD + below * below
            if (found := anywhere(left, right, below)) is not None:
                return found, below
        below += 1
    for n in map(lengths.following, (hint, *SEARCHED, least)):
        if n is None or not below <= n <= min(most, max(SEARCHED[-1], least, first)):
            continue
        if (found := anywhere(left, right, n)) is not None:
            return found, below
    return None, below


def anywhere(left: Relation, right: Relation, n: int) -> Witness | None:
    """The first pair at one length, on the first source that has one."""
    sources = dict.fromkeys((*left.sources, *right.sources))
    found = (_at_length(left, right, source, n) for source in sources)
    return next((witness for witness in found if witness is not None), None)


def _at_length(left: Relation, right: Relation, source: KeySource, n: int) -> Witness | None:
    try:
        ours, theirs = (_dense(side, source, n) for side in (left, right))
    except InputError:
        return None
    found = np.argwhere(ours != theirs)
    if not len(found):
        return None
    query, key = (int(part) for part in found[0])
    return Witness(0, 0, n, query, key, source, int(ours[query, key]), int(theirs[query, key]))


def _dense(relation: Relation, source: KeySource, n: int) -> Integers:
    """How often pairs count, at one length."""
    m = slots(source, n, {})
    tables = HeadTables(n).of(source)
    rows, keys = np.arange(n)[:, None], np.arange(m)[None, :]
    counts = np.zeros((n, m), np.int64)
    for branch in relation.branches:
        if branch.source == source:
            held = tables.holds(branch.predicate, {"i": rows, "j": keys})
            counts += np.where(held, branch.multiplicity, 0)
    return counts


# --- counts -----------------------------------------------------------------------------------


def counted(left: Relation, right: Relation, n: int, work: Work) -> tuple[int | None, int | None]:
    """Pairs that only one holds, at n tokens; draws are listed as long as there is `work` left."""
    try:
        if _asks_tables(left) or _asks_tables(right):
            return _alone(left, right, n, work), _alone(right, left, n, work)
        with budget(OPERATIONS):
            sides = zip(*map(list, _sides(left, right, n)), strict=True)
            ours, theirs = (sum(side) for side in sides)
            return ours, theirs
    except (BudgetError, EffortError, InputError, UndecidedError, UnknownError):
        return None, None


def _alone(one: Relation, other: Relation, n: int, work: Work) -> int:
    """Pairs of one that the other does not hold. Raises `UnknownError` where they are too many."""
    tables, found = HeadTables(n), 0
    for source in one.sources:
        theirs = {branch.predicate for branch in other.branches if branch.source == source}
        own = [each for each in one.branches if each.source == source]
        more = [each for each in own if each.predicate not in theirs]
        at = tables.of(source)
        codes = [row * at.m + key for each in more for row, key in _pairs(each, at, work)]
        every = np.sort(np.concatenate([np.zeros(0, np.int64), *codes]))
        once = every[np.append(True, np.diff(every) > 0)[: len(every)]]
        row, key = np.divmod(once, max(at.m, 1))
        held = np.zeros(len(row), np.bool_)
        for predicate in theirs:
            held |= at.holds(predicate, {"i": row, "j": key})
        found += int((~held).sum())
    return found


def _pairs(branch: Branch, tables: Tables, work: Work) -> Iterator[tuple[Integers, Integers]]:
    """The pairs of a branch, chunk by chunk; some may come twice."""
    for conjunct in (Conjunct(branch.formula, ()), *branch.conjuncts):
        if conjunct.formula == FALSE:
            continue
        for row, key in listed(conjunct, tables):
            work.pairs -= len(row)
            if work.pairs < 0:
                raise UnknownError
            yield row, key


def _sides(left: Relation, right: Relation, n: int) -> Iterator[tuple[int, int]]:
    for source in dict.fromkeys((*left.sources, *right.sources)):
        m = slots(source, n, {})
        ours, theirs = (_held(side.branches, source, n, m) for side in (left, right))
        yield _count(ours.subtract(theirs), n), _count(theirs.subtract(ours), n)


def _held(branches: Sequence[Branch], source: KeySource, n: int, m: int) -> maps.Map:
    return maps.united(
        maps.held(branch.formula, n, m, branch.keys)
        for branch in branches
        if branch.source == source
    )


def _count(pairs: maps.Map, n: int) -> int:
    return row_sizes(runs_of(pairs), n).total
