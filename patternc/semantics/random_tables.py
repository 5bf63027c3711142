"""Keyed random keys: the same table on every platform and in any order of evaluation.

Maps a `Random` and a length to integers [rows, count]. Every quantity is a 64-bit integer; only
products that wrap, exclusive or, masks and shifts of non-negative values occur, so that numpy and
torch agree bit for bit. Normative definition, with `M = 0xffffffff` and `G = 0x9e3779b9`:

    mix(x):    x ^= x >> 16;  x = x * 0x85ebca6b & M;  x ^= x >> 13;  x = x * 0xc2b2ae35 & M;
               x ^= x >> 16                                                     (0 <= x <= M)
    key:       k = G;  for part in (seed & M, seed >> 32 & M, layer, head, row):
                   k = mix((k ^ (part & M)) + G & M)
    round key: k[r] = mix(k + (r + 1) * G & M)                                  (r = 0, 1, 2, 3)

    bits = max(8, smallest b with 2**b >= size);  low = bits // 2;  high = bits - low
    network(x): left = x >> low;  right = x & (2**low - 1)
                for r in 0, 1, 2, 3:
                    width = high if r is even else low      # of `left`
                    left, right = right, left ^ (mix(right ^ k[r]) & (2**width - 1))
                return left << low | right
    permute(x): x = network(x), again until x < size

The row's members in order are pool[permute(0)], pool[permute(1)], .., pool[permute(m - 1)]: `pool`
is the listing cut at n, ascending, without repeats, and m its size. The row takes the first `count`
of them that are not avoided (and not after the row, if `past_only`); a row at a negative position
takes none. Rows, keys and n count blocks where the `Random` appears in `blocks`.

Source: Luby and Rackoff 1988 (four rounds), Black and Rogaway 2002 (cycle walking), the finalizer
of MurmurHash3. Not suitable for cryptography.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from patternc.algebra.evaluate import Booleans, Integers, Keys, intervals
from patternc.ir.terms import Random

MASK = 0xFFFFFFFF
GOLDEN = 0x9E3779B9
ROUNDS = 4
# Four rounds on fewer bits prefer some pairs visibly: by 3 to 30 % at 4 and 6 bits.
LEAST_BITS = 8
# Candidates looked at together; they and their scratch stay in the cache.
CHUNK = 1 << 15

Avoided = Callable[[Integers, Integers], Booleans]


def permute(
    index: ArrayLike, size: int, seed: int, layer: ArrayLike, head: ArrayLike, row: ArrayLike
) -> Integers:
    """The images of 0 <= `index` < `size` under the keyed permutation; all broadcast together."""
    shape = np.broadcast_shapes(*(np.shape(part) for part in (index, layer, head, row)))
    key = row_key(seed, *(np.atleast_1d(np.asarray(part, np.int64)) for part in (layer, head, row)))
    values = np.atleast_1d(np.asarray(index, np.int64))
    return walk(values, size, [round_key(key, r) for r in range(ROUNDS)]).reshape(shape)


def mix(value: Integers) -> Integers:
    """The 32-bit finalizer of MurmurHash3, on integers 0 <= value <= MASK."""
    value = value ^ (value >> 16)
    value = value * 0x85EBCA6B & MASK
    value ^= value >> 13
    value = value * 0xC2B2AE35 & MASK
    value ^= value >> 16
    return value


def row_key(seed: int, layer: Integers, head: Integers, row: Integers) -> Integers:
    key = np.full(1, GOLDEN, np.int64)
    for part in (seed & MASK, (seed >> 32) & MASK, layer, head, row):
        key = mix((key ^ (part & MASK)) + GOLDEN & MASK)
    return key


def round_key(key: Integers, number: int) -> Integers:
    return mix(key + (number + 1) * GOLDEN & MASK)


def walk(values: Integers, size: int, round_keys: list[Integers]) -> Integers:
    """Cycle walking: apply the network until the value is below `size`, which keeps a bijection."""
    bits = max(LEAST_BITS, (size - 1).bit_length())
    result = network(values, bits, round_keys)
    flat = result.reshape(-1)
    outside = np.flatnonzero(flat >= size)
    keys = [np.broadcast_to(key, result.shape).reshape(-1)[outside] for key in round_keys]
    while outside.size:
        flat[outside] = network(flat[outside], bits, keys)
        still = flat[outside] >= size
        outside, keys = outside[still], [key[still] for key in keys]
    return flat.reshape(result.shape)


def network(values: Integers, bits: int, round_keys: list[Integers]) -> Integers:
    """The Feistel network on `bits` bits; halves of unequal width swap widths every round."""
    low = bits // 2
    high = bits - low
    left, right = values >> low, values & ((1 << low) - 1)
    for number, key in enumerate(round_keys):
        width = low if number % 2 else high
        left, right = right, left ^ (mix(right ^ key) & ((1 << width) - 1))
    return left << low | right


def draw(
    random: Random, n: int, rows: Integers, avoided: Avoided, keys: Keys | None = None
) -> Integers:
    """The draws of each row in draw order, -1 where empty: integers [len(rows), count].

    `avoided(rows [R, 1], keys [R, T])` says which keys a row passes over. With `keys`, those of
    another source, all keys are slots: 0 is the first of `keys`.
    """
    table = np.full((len(rows), random.count), -1, np.int64)
    first = keys.first if keys else 0
    spans = intervals(random.pool, n, keys)
    pool = Pool(tuple((start - first, stop - first) for start, stop in spans))
    if pool.size == 0 or random.count == 0:
        return table
    step = max(1, CHUNK // (2 * random.count))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        fill(random, pool, rows[part], avoided, table[part])
    return table


class Pool:
    """The members of disjoint ascending intervals, by rank."""

    def __init__(self, spans: tuple[tuple[int, int], ...]) -> None:
        bounds = np.array(spans, np.int64).reshape(-1, 2)
        lengths = bounds[:, 1] - bounds[:, 0]
        self.size = int(lengths.sum())
        self.first_rank = np.cumsum(lengths) - lengths
        self.offset = bounds[:, 0] - self.first_rank

    def member(self, rank: Integers) -> Integers:
        if len(self.offset) == 1:
            return np.asarray(rank + self.offset[0])
        span = np.searchsorted(self.first_rank, rank, side="right") - 1
        return np.asarray(rank + self.offset[span])


def fill(random: Random, pool: Pool, rows: Integers, avoided: Avoided, table: Integers) -> None:
    """Fill `table` in place, looking at ever more candidates indefinitely fewer unfilled rows."""
    taken = np.zeros(len(rows), np.int64)
    unfilled = np.flatnonzero(rows >= 0)
    keys = [round_key(key_of(random, rows), r)[:, None] for r in range(ROUNDS)]
    for ranks in candidate_ranks(random.count, pool.size):
        step = max(1, CHUNK // len(ranks))
        for some in (unfilled[at : at + step] for at in range(0, len(unfilled), step)):
            members = pool.member(walk(ranks[None, :], pool.size, [key[some] for key in keys]))
            allowed = acceptable(random, rows[some, None], members, avoided)
            take(table, taken, some, members, allowed)
        unfilled = unfilled[taken[unfilled] < random.count]
        if not unfilled.size:
            return


def key_of(random: Random, rows: Integers) -> Integers:
    layer, head = np.full(1, random.layer, np.int64), np.full(1, random.head, np.int64)
    return row_key(random.seed, layer, head, rows)


def candidate_ranks(count: int, size: int) -> Iterator[Integers]:
    """0..size-1 in pieces of doubling length, so that stubborn rows cost few steps."""
    start, length = 0, count
    while start < size:
        stop = min(size, start + length)
        yield np.arange(start, stop, dtype=np.int64)
        start, length = stop, min(2 * length, CHUNK)


def acceptable(random: Random, rows: Integers, members: Integers, avoided: Avoided) -> Booleans:
    allowed = ~avoided(rows, members)
    return allowed & (members <= rows) if random.past_only else allowed


def take(
    table: Integers, taken: Integers, rows: Integers, members: Integers, allowed: Booleans
) -> None:
    """Append the allowed members of each row, in order, while there is package."""
    place = taken[rows, None] + np.cumsum(allowed, axis=1) - 1
    chosen = allowed & (place < table.shape[1])
    at, candidate = np.nonzero(chosen)
    table[rows[at], place[at, candidate]] = members[at, candidate]
    taken[rows] += chosen.sum(axis=1)
