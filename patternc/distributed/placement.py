"""Placements: which rank holds which of the n rows of a sequence.

Each is a partition of 0..n-1 into pieces with an owner. A shard's rows are in the order that torch
gives them: `contiguous` as `torch.chunk` and DTensor's `Shard`, `head_tail` as torch's own load
balancer, two chunks of 2 * ranks. Does not know what rows are used for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import lcm
from typing import Literal, get_args

import numpy as np

from patternc.distributed.key_sets import Integers, KeySet, Piece, progression, united

Kind = Literal["contiguous", "striped", "head_tail", "documents"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Placement:
    """`bounds` are the ends of the pieces, `owners` who holds each; both empty where `striped`.

    `size` is the number of rows of every piece but the last ones; 0 where they differ.
    """

    kind: Kind
    n: int
    ranks: int
    size: int = 0
    bounds: tuple[int, ...] = ()
    owners: tuple[int, ...] = ()

    def runs(self, rank: int) -> tuple[range, ...]:
        """The rows of a rank, in the order in which its shard holds them."""
        if self.kind == "striped":
            return (range(rank, self.n, self.ranks),)
        pieces = (at for at, owner in enumerate(self.owners) if owner == rank)
        return tuple(range(self.bounds[at], self.bounds[at + 1]) for at in pieces)

    @cached_property
    def rows(self) -> tuple[KeySet, ...]:
        """The rows of every rank as sets."""
        return tuple(
            united(progression(run.start, run.stop, run.step) for run in self.runs(rank))
            for rank in range(self.ranks)
        )

    def positions(self, rank: int) -> Integers:
        """The rows of a rank one by one, in the order of its shard."""
        found = [np.arange(run.start, run.stop, run.step) for run in self.runs(rank)]
        return np.concatenate([np.zeros(0, np.int64), *found])

    def owner_of(self, rows: Integers) -> Integers:
        if self.kind == "striped":
            return rows % self.ranks
        place = np.searchsorted(np.asarray(self.bounds), rows, "right") - 1
        return np.asarray(self.owners, np.int64)[place]

    def counts(self, keys: KeySet) -> Integers:
        """How many of some positions each rank holds."""
        found = np.zeros(self.ranks, np.int64)
        if self.kind == "striped":
            for piece in keys.pieces:
                found += _by_residue(piece, self.ranks)
        else:
            np.add.at(found, np.asarray(self.owners), np.diff(keys.below(np.asarray(self.bounds))))
        return found


def _by_residue(piece: Piece, ranks: int) -> Integers:
    """The positions of a piece by their remainder."""
    period = lcm(piece.period, ranks)
    residues = np.flatnonzero(piece.held(period))
    ends = np.asarray([piece.start, piece.stop])[:, None]
    counted = (ends - residues + period - 1) // period
    each = counted[1] - counted[0]
    return np.bincount(residues % ranks, each, ranks).astype(np.int64)


def placement(
    kind: str, n: int, ranks: int, document_lengths: Sequence[int] | None = None
) -> Placement:
    """A placement by its name; `document_lengths` are those of the documents, in order.

    Raises `ValueError` for an unknown name, and for lengths that do not sum up to n.
    """
    match kind:
        case "contiguous":
            size = -(-n // ranks)
            return Placement(kind, n, ranks, size, _bounds(n, size, ranks), tuple(range(ranks)))
        case "head_tail":
            size = -(-n // (2 * ranks))
            there, back = range(ranks), reversed(range(ranks))
            bounds = _bounds(n, size, 2 * ranks)
            return Placement(kind, n, ranks, size, bounds, (*there, *back))
        case "striped":
            return Placement(kind, n, ranks)
        case "documents":
            bounds = _whole_documents(n, ranks, document_lengths)
            return Placement(kind, n, ranks, 0, bounds, tuple(range(ranks)))
        case _:
            raise ValueError(f"placement is {kind!r}; expected one of {', '.join(KINDS)}")


def _bounds(n: int, size: int, pieces: int) -> tuple[int, ...]:
    return tuple(min(at * size, n) for at in range(pieces + 1))


def _whole_documents(n: int, ranks: int, lengths: Sequence[int] | None) -> tuple[int, ...]:
    """Cuts between documents, each the nearest to where equal shards would be cut."""
    if lengths is None:
        raise ValueError("placement='documents' needs document_lengths=, in order")
    ends = np.cumsum([0, *lengths])
    if ends[-1] != n or min(lengths, default=0) < 0:
        raise ValueError(f"document_lengths= has {ends[-1]} tokens in all; expected n = {n}")
    ideal = np.arange(ranks + 1) * n / ranks
    after = np.searchsorted(ends, ideal).clip(1, len(ends) - 1)
    nearer = np.where(ideal - ends[after - 1] <= ends[after] - ideal, after - 1, after)
    return (0, *ends[nearer[1:-1]].tolist(), n)
