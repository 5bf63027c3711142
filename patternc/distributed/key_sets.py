"""Sets of positions as few pieces: intervals, and intervals of residue classes.

Unions, differences and counts are exact, in time and memory that follow from the number of pieces
and their periods, never from the number of positions. Does not know what positions are used for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from math import lcm

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
# Residues of a piece at most.
MOST_PERIOD = 1 << 16


class IrregularError(Exception):
    """The pieces have periods without a small common multiple."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Positions start <= p < stop with p % period among the `residues`, which ascend."""

    start: int
    stop: int
    period: int = 1
    residues: tuple[int, ...] = (0,)

    def below(self, bounds: Integers) -> Integers:
        """How many of its positions are less than each bound."""
        ends = np.clip(np.append(bounds, self.start), self.start, self.stop)[:, None]
        residues = np.asarray(self.residues, np.int64)
        counted = ((ends - residues + self.period - 1) // self.period).sum(1)
        return np.asarray(counted[:-1] - counted[-1])

    @property
    def count(self) -> int:
        return int(self.below(np.asarray([self.stop]))[0])

    def positions(self) -> Integers:
        every = np.arange(self.start, self.stop)
        return every if self.period == 1 else every[np.isin(every % self.period, self.residues)]

    def held(self, period: int) -> Booleans:
        """Which residues by a multiple of its period it has."""
        found = np.zeros(period, np.bool_)
        first = np.arange(0, period, self.period)[:, None]
        found[first + np.asarray(self.residues)] = True
        return found


@dataclass(frozen=True, slots=True)
class KeySet:
    """Pieces in ascending order, none of which meets another."""

    pieces: tuple[Piece, ...] = ()

    @property
    def count(self) -> int:
        return sum(piece.count for piece in self.pieces)

    def below(self, bounds: Integers) -> Integers:
        """How many positions are less than each bound."""
        zero = np.zeros(len(bounds), np.int64)
        return sum((piece.below(bounds) for piece in self.pieces), zero)

    def positions(self) -> Integers:
        """Every position, ascending."""
        found = [piece.positions() for piece in self.pieces]
        return np.concatenate([np.zeros(0, np.int64), *found])

    def __or__(self, other: KeySet) -> KeySet:
        return _combined(self, other, np.logical_or)

    def __and__(self, other: KeySet) -> KeySet:
        return _combined(self, other, np.logical_and)

    def __sub__(self, other: KeySet) -> KeySet:
        if not self.pieces or not other.pieces:
            return self
        return _combined(self, other, lambda left, right: left & ~right)

    @property
    def is_interval(self) -> bool:
        return len(self.pieces) <= 1 and all(piece.period == 1 for piece in self.pieces)


NOTHING = KeySet()


def interval(start: int, stop: int) -> KeySet:
    return KeySet((Piece(start, stop),)) if start < stop else NOTHING


def progression(start: int, stop: int, step: int) -> KeySet:
    """start, start + step, .. below stop."""
    if start >= stop:
        return NOTHING
    if step == 1 or stop - start <= step:
        return interval(start, stop if step == 1 else start + 1)
    return KeySet((Piece(start, stop, step, (start % step,)),))


def united(sets: Iterable[KeySet]) -> KeySet:
    """Their union: intervals first, which are quickly joined. May raise `IrregularError`."""
    sets = [each for each in sets if each.pieces]
    if len(sets) < 2:
        return sets[0] if sets else NOTHING
    pieces = [piece for each in sets for piece in each.pieces]
    plain = _merged(piece for piece in pieces if piece.period == 1)
    classes: dict[tuple[int, int, int], set[int]] = {}
    for piece in pieces:
        if piece.period > 1:
            key = piece.start, piece.stop, piece.period
            classes.setdefault(key, set()).update(piece.residues)
    rest = (KeySet((Piece(*key, tuple(sorted(found))),)) for key, found in classes.items())
    return reduce(KeySet.__or__, rest, plain)


def _merged(pieces: Iterable[Piece]) -> KeySet:
    found: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if found and piece.start <= found[-1].stop:
            found[-1] = Piece(found[-1].start, max(found[-1].stop, piece.stop))
        else:
            found.append(piece)
    return KeySet(tuple(found))


def of_positions(positions: Integers) -> KeySet:
    """Ascending positions as one progression, or as intervals."""
    if not len(positions):
        return NOTHING
    first, last = int(positions[0]), int(positions[-1])
    step = int(positions[1]) - first if len(positions) > 1 else 1
    if step > 1 and (np.diff(positions) == step).all():
        return progression(first, last + 1, step)
    cuts = np.flatnonzero(np.diff(positions) > 1) + 1
    starts, stops = positions[np.append(0, cuts)], positions[np.append(cuts - 1, -1)] + 1
    return KeySet(tuple(map(Piece, starts.tolist(), stops.tolist())))


Operation = Callable[[Booleans, Booleans], Booleans]


def _combined(left: KeySet, right: KeySet, operation: Operation) -> KeySet:
    found: list[Piece] = []
    for start, stop, one, other in _aligned(left.pieces, right.pieces):
        made = _piece(start, stop, one, other, operation)
        if made is None:
            continue
        if found and _continues(found[-1], made):
            made = Piece(found.pop().start, made.stop, made.period, made.residues)
        found.append(made)
    return KeySet(tuple(found))


def _aligned(
    left: tuple[Piece, ...], right: tuple[Piece, ...]
) -> Iterator[tuple[int, int, Piece | None, Piece | None]]:
    """Intervals without a start or stop inside, each with the pieces that cover it."""
    cuts = sorted({end for piece in (*left, *right) for end in (piece.start, piece.stop)})
    at = [0, 0]
    for start, stop in pairwise(cuts):
        covering: list[Piece | None] = []
        for side, pieces in enumerate((left, right)):
            while at[side] < len(pieces) and pieces[at[side]].stop <= start:
                at[side] += 1
            here = pieces[at[side]] if at[side] < len(pieces) else None
            covering.append(here if here and here.start <= start else None)
        if covering[0] or covering[1]:
            yield start, stop, covering[0], covering[1]


def _piece(
    start: int, stop: int, one: Piece | None, other: Piece | None, operation: Operation
) -> Piece | None:
    period = lcm(one.period if one else 1, other.period if other else 1)
    if min(period, stop - start) > MOST_PERIOD:
        raise IrregularError
    if period > MOST_PERIOD:
        return _listed(start, stop, one, other, operation)
    sides = (each.held(period) if each else np.zeros(period, np.bool_) for each in (one, other))
    return _of_residues(start, stop, operation(*sides))


def _listed(
    start: int, stop: int, one: Piece | None, other: Piece | None, operation: Operation
) -> Piece | None:
    """Of a short interval, in which every position has a residue of its own."""
    width = stop - start
    sides = (np.zeros(width, np.bool_), np.zeros(width, np.bool_))
    for side, piece in zip(sides, (one, other), strict=True):
        if piece:
            side[Piece(start, stop, piece.period, piece.residues).positions() - start] = True
    return _of_residues(start, stop, np.roll(operation(*sides), start % width))


def _of_residues(start: int, stop: int, held: Booleans) -> Piece | None:
    if held.all():
        return Piece(start, stop)
    residues = np.flatnonzero(held)
    period = len(held)
    made = Piece(start, stop, period, tuple(residues.tolist())) if len(residues) else None
    return made if made and (stop - start >= period or made.count) else None


def _continues(before: Piece, piece: Piece) -> bool:
    same = (before.period, before.residues) == (piece.period, piece.residues)
    return same and before.stop == piece.start
