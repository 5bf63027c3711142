"""The cheapest union of terms that holds every pair of a mask, and the best that holds a part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from patternc.frozen import frozen
from patternc.search.from_mask.boards import Bits, Board
from patternc.search.from_mask.terms import Term

Packed = NDArray[np.uint8]
# A union costs a `+` between its terms.
_PLUS = 1
# Nodes of a search, and the bytes of masks that all of them may go over.
_NODES = 1500
_BYTES = 1 << 30
_TERMS = 6
# Candidates of a search: those of most pairs.
_KEPT = 256


@frozen
class Candidate:
    """A term that holds no barred pair at any length, and the wanted pairs it holds."""

    term: Term
    cost: int
    pairs: Packed
    count: int


def candidates(terms: Iterable[Term], boards: Sequence[Board], bound: int) -> list[Candidate]:
    """The terms that may be in a union below the bound, without those that a cheaper contains."""
    found: list[Candidate] = []
    for term in terms:
        if term.cost >= bound:
            continue
        held = [term.holds(board) for board in boards]
        if all(board.admits(pairs) for board, pairs in zip(boards, held, strict=True)):
            packed = _packed([p & b.wanted for p, b in zip(held, boards, strict=True)])
            if count := _count(packed):
                found.append(Candidate(term, term.cost, packed, count))
    found.sort(key=lambda each: -each.count)
    return _undominated(sorted(found[:_KEPT], key=lambda each: (each.cost, -each.count)))


def _undominated(found: list[Candidate]) -> list[Candidate]:
    kept: list[Candidate] = []
    for each in found:
        if not any(
            other.count >= each.count and not (each.pairs & ~other.pairs).any() for other in kept
        ):
            kept.append(each)
    return kept


def wanted(boards: Sequence[Board]) -> Packed:
    return _packed([board.wanted for board in boards])


def _packed(parts: Sequence[Bits]) -> Packed:
    return np.packbits(np.concatenate([part.ravel() for part in parts]))


def _count(pairs: Packed) -> int:
    return int(np.bitwise_count(pairs).sum())


@dataclass(slots=True)
class _Search:
    """Branches on the wanted pair that the fewest terms hold."""

    known: list[Candidate]
    bound: int
    most: int = _NODES
    best: tuple[Candidate, ...] | None = None
    nodes: int = 0
    rarity: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def run(self, missing: Packed, chosen: tuple[Candidate, ...], cost: int) -> None:
        self.nodes += 1
        if not missing.any():
            if cost < self.bound:
                self.best, self.bound = chosen, cost
            return
        if self.nodes > self.most or len(chosen) == _TERMS:
            return
        byte, bit = self._rarest(missing)
        holding = [each for each in self.known if each.pairs[byte] & bit]
        holding.sort(key=lambda each: each.cost - _count(each.pairs & missing) / len(missing))
        for each in holding:
            more = cost + each.cost + (_PLUS if chosen else 0)
            if more < self.bound:
                self.run(missing & ~each.pairs, (*chosen, each), more)

    def _rarest(self, missing: Packed) -> tuple[int, int]:
        bits = np.flatnonzero(np.unpackbits(missing))
        at = int(bits[np.argmin(self.rarity[bits])])
        return at >> 3, 128 >> (at & 7)


def cheapest(
    known: list[Candidate], asked: Packed, bound: int
) -> tuple[tuple[Candidate, ...], int] | None:
    """Terms whose union holds all that is asked, for less than the bound; their cost."""
    total = np.zeros_like(asked)
    for each in known:
        total |= each.pairs
    if (asked & ~total).any():
        return None
    search = _Search(known, bound, min(_NODES, 1 + _BYTES // (len(asked) * len(known) + 1)))
    search.rarity = np.zeros(8 * len(asked), np.int64)
    for each in known:
        search.rarity += np.unpackbits(each.pairs)
    search.run(asked, (), 0)
    return None if search.best is None else (search.best, search.bound)


def partial(known: list[Candidate], asked: Packed, least: int) -> tuple[Candidate, ...]:
    """Terms that each add `least` pairs or more for every word, greedily."""
    chosen: list[Candidate] = []
    missing = asked
    while known and len(chosen) < _TERMS:
        gains = [(_count(each.pairs & missing), each) for each in known]
        gain, best = max(gains, key=lambda each: each[0] / each[1].cost)
        if gain < least:
            break
        chosen.append(best)
        missing = missing & ~best.pairs
    return tuple(chosen)
