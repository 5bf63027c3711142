"""The keys of others that each rank's queries attend to, as few pieces, whatever n is.

    relation of a head, tables, placement -> a set of tokens for every rank

Pairs inside of a shard are left out first. Formulas are projected by integer sets: the rows of a
shard become one number, and isl lists the keys of every shard in closed form. What tables choose is
listed where it is short; labels are compared shard by shard. Anything else is a superset, which
says so. Slots of pools and projections stand for the tokens that they are made of; other sources
are the same on all ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from patternc.algebra.atoms import InRow, RandomTable, SameLabel
from patternc.algebra.evaluate import Booleans, Values, holds, intervals
from patternc.algebra.filtered_intervals import is_countable, period_of_filter
from patternc.algebra.intervals import Interval, Sizes, filter_of, spans, values_of_row
from patternc.algebra.isl_context import BudgetError, KeyCount, budget
from patternc.algebra.isl_maps import Map, interval_runs, parts, runs_of, written
from patternc.algebra.isl_maps import held as pairs_held
from patternc.algebra.simplify import FALSE, TRUE
from patternc.analysis.table_pairs import UnknownError, is_known
from patternc.analysis.table_pairs import held as listed_pairs
from patternc.distributed.key_sets import (
    NOTHING,
    Integers,
    IrregularError,
    KeySet,
    Piece,
    interval,
    of_positions,
    progression,
    united,
)
from patternc.distributed.placement import Placement
from patternc.ir.formula import Condition, Variable
from patternc.ir.sources import KeySource, Pool, Project, Tokens, Tree
from patternc.relation.cases import Literal
from patternc.relation.relation import Branch, Conjunct, Relation
from patternc.relation.tables import HeadTables, Tables
from patternc.semantics.errors import InputError

Sets = tuple[KeySet, ...]
# Pairs that are looked at one by one where nothing else tells the keys.
MOST_CELLS = 1 << 26
_STRIP = 1 << 22
# Of a run whose filter has no period.
MOST_LISTED = 1 << 20
_OPERATIONS = 1_000_000
_MADE_OF_TOKENS = Pool | Project | Tree


@dataclass(frozen=True, slots=True)
class Needs:
    """The tokens outside of its shard that each rank needs; with a `reason`, perhaps some more."""

    keys: Sets
    reason: str = ""

    @property
    def exact(self) -> bool:
        return not self.reason


def needs(relation: Relation, tables: HeadTables, placed: Placement) -> Needs:
    """What the queries of one head ask of others."""
    found: list[Needs] = []
    for branch in relation.branches:
        found += (
            _of_tokens(each, branch.source, placed) for each in _parts(branch, tables, placed)
        )
    return _joined(found, placed)


def _parts(branch: Branch, tables: HeadTables, placed: Placement) -> Iterator[Needs]:
    """The slots of a branch's source that each rank's rows ask for."""
    if not isinstance(branch.source, Tokens | _MADE_OF_TOKENS):
        return
    own = tables.of(branch.source)
    if branch.formula != FALSE:
        yield _of_formula(branch.formula, branch.keys, own, placed)
    for conjunct in branch.conjuncts:
        yield _of_conjunct(conjunct, branch.keys, own, placed)


def _joined(found: list[Needs], placed: Placement) -> Needs:
    reasons = dict.fromkeys(each.reason for each in found if each.reason)
    try:
        keys = tuple(
            united(each.keys[rank] for each in found) - own for rank, own in enumerate(placed.rows)
        )
    except IrregularError:
        keys = tuple(
            _hull(each.keys[rank] for each in found) - own for rank, own in enumerate(placed.rows)
        )
        reasons["the steps of its terms have no small common multiple"] = None
    return Needs(keys, ", ".join(reasons))


def _hull(sets: Iterable[KeySet]) -> KeySet:
    return united(
        interval(each.pieces[0].start, each.pieces[-1].stop) for each in sets if each.pieces
    )


# --- formulas ---------------------------------------------------------------------------------


def _of_formula(formula: Condition, keys: KeyCount, tables: Tables, placed: Placement) -> Needs:
    found = [_of_shape(formula, keys, tables.sizes, shape) for shape in _shapes(placed)]
    if None not in found:
        return Needs(_by_owner([one for each in found for one in each or ()], placed))
    whole = _everything(tables.m, placed)
    if tables.n * tables.m <= MOST_CELLS:
        return Needs(_looked_at(Conjunct(formula, ()), tables, placed))
    striped = placed.kind == "striped"
    return Needs(whole, "rows are striped" if striped else "its integer sets are too large")


Shape = tuple[tuple[str, str], int]
"""isl's texts of [i] -> [a], from rows to the number of a shard's piece, and of the [a] -> [j]
outside of it; and how many there are. Without texts integer sets take too long.
"""


def _shapes(placed: Placement) -> Iterator[Shape]:
    if placed.kind == "striped":
        yield ("", ""), placed.ranks
    elif placed.size or not placed.n:
        size = max(placed.size, 1)
        yield _piece(f"{size}a", f"{size}a + {size}"), len(placed.owners)
    else:
        for at in range(len(placed.owners)):
            start, stop = (str(placed.bounds[end]) for end in (at, at + 1))
            yield _piece(start, stop, "a = 0 and "), 1


def _piece(start: str, stop: str, first: str = "") -> tuple[str, str]:
    """Rows of a piece, and of these pairs the ones whose key is outside."""
    return f"{first}{start} <= i < {stop}", f"{first}(j < {start} or j >= {stop})"


@lru_cache(maxsize=256)
def _of_shape(formula: Condition, keys: KeyCount, sizes: Sizes, shape: Shape) -> Sets | None:
    """The keys of every piece of rows; None where no closed form is found."""
    runs = _projected(formula, keys, sizes, shape)
    try:
        return None if runs is None else tuple(_sets(runs, shape[1], sizes))
    except IrregularError:
        return None


def _projected(
    formula: Condition, keys: KeyCount, sizes: Sizes, shape: Shape
) -> tuple[Interval, ...] | None:
    """The keys of every piece of rows as runs over its number; None beyond the budget."""
    rows, outside = shape[0]
    if not rows:
        return None
    try:
        with budget(_OPERATIONS):
            pairs = pairs_held(formula, sizes.n, sizes.m, keys)
            shards = pairs.apply_domain(written(f"[i] -> [a] : {rows}"))
            # Slots of another source are nobody's shard.
            if keys == "n":
                shards = shards & written(f"[a] -> [j] : {outside}")
            shards = shards.coalesce()
            return tuple(run for part in parts(shards) for run in _runs(part))
    except BudgetError:
        return None


def _runs(part: Map) -> tuple[Interval, ...]:
    """Without a filter where the keys of a piece have no gaps."""
    found = runs_of(part)
    plain = all(filter_of(run) == TRUE for run in found)
    return found if plain else interval_runs(part) or found


def _sets(runs: tuple[Interval, ...], count: int, sizes: Sizes) -> list[KeySet]:
    every: list[list[KeySet]] = [[] for _ in range(count)]
    for run in runs:
        starts, stops = spans(run, np.arange(count), sizes)
        for at in np.flatnonzero(starts < stops).tolist():
            every[at].append(_of_run(run, at, int(starts[at]), int(stops[at]), sizes))
    return [united(each) for each in every]


def _of_run(run: Interval, row: int, start: int, stop: int, sizes: Sizes) -> KeySet:
    chosen = filter_of(run)
    if chosen == TRUE:
        return progression(start, stop, run.step)
    if not is_countable(run):
        if stop - start > MOST_LISTED:
            raise IrregularError
        return of_positions(values_of_row(run, row, sizes))
    period = run.step * period_of_filter(run)
    first = np.arange(start, min(stop, start + period), run.step)
    kept = holds(chosen, {"i": row, "j": first, **sizes.values})
    held = first[np.broadcast_to(kept, first.shape)].tolist()
    return united(progression(at, stop, period) for at in held)


def _by_owner(pieces: list[KeySet], placed: Placement) -> Sets:
    """Of the pieces of rows, those of each rank together."""
    owners = placed.owners or tuple(range(placed.ranks))
    held: list[list[KeySet]] = [[] for _ in range(placed.ranks)]
    for piece, owner in zip(pieces, owners, strict=True):
        held[owner].append(piece)
    return tuple(map(united, held))


def _everything(slots: int, placed: Placement) -> Sets:
    return tuple(interval(0, slots) if rows.pieces else NOTHING for rows in placed.rows)


# --- tables -----------------------------------------------------------------------------------


def _of_conjunct(conjunct: Conjunct, keys: KeyCount, tables: Tables, placed: Placement) -> Needs:
    try:
        if all(is_known(literal.atom) for literal in conjunct.literals):
            return Needs(_of_list(conjunct, tables, placed))
        if tables.n * tables.m <= MOST_CELLS:
            return Needs(_looked_at(conjunct, tables, placed))
    except (UnknownError, InputError):
        pass
    within = _of_formula(conjunct.formula, keys, tables, placed)
    told = within.reason
    for literal in conjunct.literals:
        bound, reason = _bound(literal, tables, placed)
        told = told or reason
        if bound is not None:
            cut = tuple(one & other for one, other in zip(within.keys, bound, strict=True))
            within = Needs(cut)
    return Needs(within.keys, told)


def _bound(literal: Literal, tables: Tables, placed: Placement) -> tuple[Sets | None, str]:
    """The keys that one literal leaves, and why there may be fewer; None where it leaves all."""
    match literal:
        case Literal(SameLabel(table, Variable("i"), Variable("j")), True) if tables.is_given(
            table.name
        ):
            return _same_labels(tables.labels(table), placed), ""
        case Literal(InRow(RandomTable(random, block)), True):
            pool = intervals(random.pool, -(-tables.m // block))
            among = united(
                interval(first * block, min(last * block, tables.m)) for first, last in pool
            )
            return (among,) * placed.ranks, "it may draw any key of its pool"
        case _:
            return None, "tables or inputs choose among the keys"


def _same_labels(labels: Integers, placed: Placement) -> Sets:
    """The positions whose label is one of the rank's."""
    every = (labels[placed.positions(rank)] for rank in range(placed.ranks))
    known = (np.unique(own[own >= 0]) for own in every)
    return tuple(of_positions(np.flatnonzero(np.isin(labels, own))) for own in known)


def _of_list(conjunct: Conjunct, tables: Tables, placed: Placement) -> Sets:
    """The pairs that tables list, one by one."""
    found: list[set[int]] = [set() for _ in range(placed.ranks)]
    for rows, keys in listed_pairs(conjunct, tables):
        owners = placed.owner_of(rows)
        for rank in np.unique(owners).tolist():
            found[rank].update(np.unique(keys[owners == rank]).tolist())
    return tuple(of_positions(np.asarray(sorted(each), np.int64)) for each in found)


def _holds(conjunct: Conjunct, tables: Tables, rows: Integers, keys: Integers) -> Booleans:
    values: Values = {"i": rows, "j": keys}
    found = tables.holds(conjunct.formula, values)
    for literal in conjunct.literals:
        found = found & (tables.holds(literal.atom, values) == literal.positive)
    return np.broadcast_to(found, (rows.shape[0], keys.shape[1]))


def _looked_at(conjunct: Conjunct, tables: Tables, placed: Placement) -> Sets:
    """By all pairs, some rows of a rank at a time."""
    keys, height = np.arange(tables.m)[None, :], max(1, _STRIP // max(tables.m, 1))
    found = []
    for rank in range(placed.ranks):
        rows, seen = placed.positions(rank)[:, None], np.zeros(tables.m, np.bool_)
        for first in range(0, len(rows), height):
            seen |= _holds(conjunct, tables, rows[first : first + height], keys).any(0)
        found.append(of_positions(np.flatnonzero(seen)))
    return tuple(found)


# --- slots that are made of tokens ------------------------------------------------------------


def _of_tokens(found: Needs, source: KeySource, placed: Placement) -> Needs:
    match source:
        case Pool(size, _, stride, tail):
            ends = size, stride, placed.n, tail == "merge"
            return Needs(tuple(_windows(slots, *ends) for slots in found.keys), found.reason)
        case Project() | Tree():
            every = interval(0, placed.n)
            return Needs(tuple(every if slots.pieces else NOTHING for slots in found.keys))
        case _:
            return found


def _windows(slots: KeySet, size: int, stride: int, n: int, merged: bool) -> KeySet:
    """The tokens of some slots; the last whole window may have the leftovers too."""
    last = max(n - size, 0) // stride if merged else -1

    def of(piece: Piece) -> KeySet:
        end = (piece.stop - 1) * stride + size
        return interval(piece.start * stride, n if piece.stop - 1 >= last >= 0 else min(end, n))

    return united(of(piece) for piece in slots.pieces)
