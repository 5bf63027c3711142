"""The meaning of a term as a dense mask, straight from the table of relations: the specification.

From a `Term` (or the branches of a head), a length and the run-time inputs to booleans (counts)
[queries, n] in numpy. Every other room must agree with it. Written to be compared with the manual
line by line, so it shares nothing with the integer sets; cost is queries x n. Non-goals: speed.

Run-time inputs are those of one head, in the units of the scope they stand in (blocks inside
`blocks`): lists integers [rows, k], sets booleans [n] or integer positions, labels integers [n].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import assert_never

import numpy as np

from patternc.language.terms import (
    Blocks,
    Causal,
    Columns,
    Complement,
    Diagonal,
    Difference,
    DilatedSegment,
    Empty,
    Full,
    Global,
    HeadPattern,
    Intersection,
    Listed,
    Listing,
    Local,
    Neighborhood,
    Parts,
    Period,
    Permuted,
    Positions,
    Random,
    Rows,
    RunTimeSet,
    Same,
    Segment,
    Strided,
    Term,
    Union,
    Where,
)
from patternc.relation.errors import InputError
from patternc.relation.evaluation import Booleans, Integers, evaluate, holds, intervals
from patternc.relation.neighborhoods import neighborhood
from patternc.relation.random_tables import draw

Inputs = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Scope:
    """Query positions `rows`, ascending, on `n` keys; both count blocks inside a lift."""

    rows: Integers
    n: int
    inputs: Inputs

    @property
    def i(self) -> Integers:
        return self.rows[:, None]

    @property
    def j(self) -> Integers:
        return np.arange(self.n, dtype=np.int64)[None, :]


def mask(term: Term, n: int, queries: int | None = None, inputs: Inputs | None = None) -> Booleans:
    """The pairs of `term`: booleans [queries, n]. Query row r stands at r + n - queries."""
    count = n if queries is None else queries
    rows = np.arange(count, dtype=np.int64) + n - count
    return pairs(term, Scope(rows, n, inputs or {}))


def multiplicity(
    pattern: HeadPattern, n: int, queries: int | None = None, inputs: Inputs | None = None
) -> Integers:
    """How often each pair counts in the softmax: integers [queries, n]."""
    counts = np.zeros((n if queries is None else queries, n), np.int64)
    for branch in pattern.branches:
        counts += mask(branch, n, queries, inputs)
    return counts


def pairs(term: Term, scope: Scope) -> Booleans:
    """Booleans [rows, n] in the units of the scope."""
    match term:
        case Blocks(size, body):
            return lifted(body, scope, scope.rows // size, scope.j[0] // size, -(-scope.n // size))
        case Parts(parts, body):
            length = max(scope.n, 1)
            rows, keys = parts * scope.rows // length, parts * scope.j[0] // length
            return lifted(body, scope, rows, keys, parts)
        case Union(terms):
            return reduce(np.logical_or, (pairs(part, scope) for part in terms), nothing(scope))
        case Intersection(terms):
            return reduce(np.logical_and, (pairs(part, scope) for part in terms), ~nothing(scope))
        case Difference(left, right):
            return pairs(left, scope) & ~pairs(right, scope)
        case Complement(operand):
            return ~pairs(operand, scope)
        case _:
            return np.broadcast_to(relation(term, scope), (len(scope.rows), scope.n))


def nothing(scope: Scope) -> Booleans:
    return np.zeros((len(scope.rows), scope.n), np.bool_)


def lifted(body: Term, scope: Scope, rows: Integers, keys: Integers, n: int) -> Booleans:
    """`body` on the coarser positions, spread over the rows and keys that they stand for."""
    coarse, place = np.unique(rows, return_inverse=True)
    return pairs(body, Scope(coarse, n, scope.inputs))[place][:, keys]


Relation = (
    Full | Empty | Diagonal | Causal | Local | Strided | Segment | DilatedSegment | Columns
    | Rows | Global | Permuted | Random | Listed | Neighborhood | Same | Where
)  # fmt: skip


def relation(term: Relation, scope: Scope) -> Booleans:
    """One relation; the result broadcasts to [rows, n]."""
    match term:
        case Columns(positions):
            return contains(positions, scope.j, scope)
        case Rows() | Global() | Permuted() | Random() | Listed() | Neighborhood() | Same():
            return (scope.i >= 0) & of_query_positions(term, scope)
        case _:
            return formula(term, scope.i, scope.j, scope.n)


Formula = (
    Full | Empty | Diagonal | Causal | Local | Strided | Segment | DilatedSegment | Where
)  # fmt: skip


def formula(term: Formula, i: Integers, j: Integers, n: int) -> Booleans:
    """The relations that are evaluated as they stand, at negative i too."""
    match term:
        case Full():
            return np.asarray(True)
        case Empty():
            return np.asarray(False)
        case Diagonal():
            return np.asarray(j == i)
        case Causal():
            return np.asarray(j <= i)
        case Local():
            return local(term, j - i, n)
        case Strided(stride):
            return np.asarray((i - j) % stride == 0)
        case Segment(width, back, ahead):
            step = j // width - i // width
            return np.asarray((-back <= step) & (step <= ahead))
        case DilatedSegment():
            return dilated_segment(term, i, j)
        case Where(condition):
            return holds(condition, {"i": i, "j": j, "n": n})
        case _:
            assert_never(term)


def local(term: Local, distance: Integers, n: int) -> Booleans:
    left, right = evaluate(term.left, {"n": n}), evaluate(term.right, {"n": n})
    within = (-left * term.dilation <= distance) & (distance <= right * term.dilation)
    return np.asarray(within & (distance % term.dilation == 0))


def dilated_segment(term: DilatedSegment, i: Integers, j: Integers) -> Booleans:
    residue = term.offset % term.dilation
    row_in = i % term.width % term.dilation == residue
    key_in = j % term.width % term.dilation == residue
    return np.asarray((i // term.width == j // term.width) & row_in & key_in)


OfQueryPositions = Rows | Global | Permuted | Random | Listed | Neighborhood | Same


def of_query_positions(term: OfQueryPositions, scope: Scope) -> Booleans:
    """The relations that hold nothing at i < 0; what stands here for such rows is lost."""
    match term:
        case Rows(positions):
            return contains(positions, scope.i, scope)
        case Global(positions):
            return contains(positions, scope.i, scope) | contains(positions, scope.j, scope)
        case Permuted(table):
            return in_table(np.array(table, np.int64)[:, None], scope)
        case Random():
            return drawn(term, scope)
        case Listed(name):
            return in_table(listed_input(name, scope), scope)
        case Neighborhood():
            return neighborhood(term, scope.i, scope.j, scope.n)
        case Same(name):
            return same(label_input(name, scope), scope)
        case _:
            assert_never(term)


def contains(positions: Positions, position: Integers, scope: Scope) -> Booleans:
    """Whether `position` is in the set; positions outside 0..n-1 are in none but a period."""
    match positions:
        case Listing():
            spans = intervals(positions, scope.n)
            inside = ((start <= position) & (position < stop) for start, stop in spans)
            return reduce(np.logical_or, inside, np.zeros(position.shape, np.bool_))
        case Period(length, start, stop):
            return (start <= position % length) & (position % length < stop)
        case RunTimeSet(name):
            members = set_input(name, scope)
            return np.isin(position, np.flatnonzero(members))
        case _:
            assert_never(positions)


def in_table(table: Integers, scope: Scope) -> Booleans:
    """j is an entry of row i of `table` [rows, k]; rows beyond the table are empty."""
    result = nothing(scope)
    known = np.flatnonzero((scope.rows >= 0) & (scope.rows < len(table)))
    keys = table[scope.rows[known]]
    at, entry = np.nonzero((keys >= 0) & (keys < scope.n))
    result[known[at], keys[at, entry]] = True
    return result


def drawn(term: Random, scope: Scope) -> Booleans:
    """The draws of the scope's rows, from the dense mask of what they avoid."""
    avoid = pairs(term.avoid, scope)

    def avoided(rows: Integers, keys: Integers) -> Booleans:
        return np.asarray(avoid[np.searchsorted(scope.rows, rows), keys])

    table = draw(term, scope.n, scope.rows, avoided)
    result = nothing(scope)
    at, entry = np.nonzero(table >= 0)
    result[at, table[at, entry]] = True
    return result


def same(labels: Integers, scope: Scope) -> Booleans:
    own = labels[np.clip(scope.i, 0, None)] if scope.n else np.zeros(scope.i.shape, np.int64)
    return np.asarray((own == labels[None, :]) & (own >= 0))


def given(name: str, scope: Scope) -> np.ndarray:
    if name not in scope.inputs:
        raise InputError(f"the run-time input `{name}` is missing")
    return np.asarray(scope.inputs[name])


def listed_input(name: str, scope: Scope) -> Integers:
    table = given(name, scope)
    if table.ndim != 2 or not np.issubdtype(table.dtype, np.integer):
        raise InputError(f"`{name}` must be integers [rows, k], got {described(table)}")
    return table.astype(np.int64)


def label_input(name: str, scope: Scope) -> Integers:
    labels = given(name, scope)
    if labels.shape != (scope.n,) or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"`{name}` must be integers [{scope.n}], got {described(labels)}")
    return labels.astype(np.int64)


def set_input(name: str, scope: Scope) -> Booleans:
    """Booleans [n]; of integer positions, negatives count from n and the rest is cut."""
    members = given(name, scope)
    if members.dtype == np.bool_ and members.shape == (scope.n,):
        return members
    if members.ndim != 1 or not np.issubdtype(members.dtype, np.integer):
        wanted = f"booleans [{scope.n}] or integer positions [k]"
        raise InputError(f"`{name}` must be {wanted}, got {described(members)}")
    positions = members.astype(np.int64)
    positions = np.where(positions < 0, positions + scope.n, positions)
    return np.isin(scope.j[0], positions)


def described(value: np.ndarray) -> str:
    return f"{value.dtype} {list(value.shape)}"
