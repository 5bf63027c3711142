"""Receptive fields as bits: exact Boolean products for lengths up to some ten thousand.

Maps the ranges of every layer to the fields of every position. A field is a row of bits; the bits
of some columns go through all layers before those of the next, so memory is n times a few words. A
row's new field is the union of the fields in its ranges, looked up in tables of doubling length,
which takes n log n unions for all ranges of one step. Does not handle symbolic n.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternc import progress
from patternc.algebra.evaluate import Integers
from patternc.algebra.work_budget import compute
from patternc.analysis.reach.edges import Layer
from patternc.analysis.reach.isl_engine import Field
from patternc.analysis.reach.key_ranges import Ranges, ranges_of
from patternc.analysis.reach.row_sizes import Progressions
from patternc.analysis.reach.slot_contents import span_ranges, window_ranges
from patternc.frozen import frozen
from patternc.ir.sources import KeySource, Pool, Project, Stream, Text, Tokens, Tree
from patternc.relation.tables import HeadTables
from patternc.semantics.source_slots import windows

Words = NDArray[np.uint64]
_WORD = 64
# Words of the fields that are worked on together: they stay near the processor.
_CHUNK = 1 << 19
_FEW_REPEATS = 32
# Over the words of a table, for one of their rows.
_PASSES = 3


@frozen
class Step:
    """One layer: the ranges of each key source, slots numbered from 0.

    `streams` are those of the rows of streams; a stream without any depends on all tokens.
    """

    ranges: tuple[tuple[KeySource, Ranges], ...]
    streams: Mapping[Stream, tuple[tuple[KeySource, Ranges], ...]]


def step_of(edges: Layer, tables: Sequence[HeadTables]) -> Step:
    """The ranges of a layer. Raises `UnknownError`."""
    tokens: list[tuple[KeySource, Ranges]] = []
    streams: dict[Stream, tuple[tuple[KeySource, Ranges], ...]] = {}
    for edge in edges:
        found = [(edge.source, each) for each in ranges_of(edge, edge.asked_of(tables))]
        if isinstance(edge.rows, Stream):
            streams[edge.rows] = (*streams.get(edge.rows, ()), *found)
        else:
            tokens += found
    return Step(tuple(tokens), streams)


@dataclass(slots=True)
class Fields:
    """What is kept of the fields after one layer; arrays over the n positions.

    `first` and `last` are the ends of a field (n and -1 where it is empty), `parts` its maximal
    intervals.
    """

    size: Integers
    first: Integers
    last: Integers
    parts: Integers

    @staticmethod
    def empty(n: int) -> Fields:
        zeros, ends = np.zeros(n, np.int64), np.full(n, n, np.int64)
        return Fields(zeros, ends, np.full(n, -1, np.int64), zeros.copy())

    def facts(self) -> Field:
        rows = np.arange(len(self.size))
        held = self.size > 0
        left, right = (rows - self.first)[held], (self.last - rows)[held]
        return Field(
            Progressions.of(self.size),
            int(left.max(initial=0)),
            int(right.max(initial=0)),
            int((self.parts > 1).sum()),
        )


def fields(steps: Sequence[Step], n: int, layers: int, residual: bool) -> list[Fields]:
    """The fields after 1, 2, .., `layers` layers; the steps take turns."""
    found = [Fields.empty(n) for _ in range(layers)]
    words = -(-n // _WORD)
    width = max(1, min(words, _CHUNK // max(n, 1)))
    carried = [np.zeros(n, np.bool_) for _ in range(layers)]
    for first in progress.steps(range(0, words, width), "reach"):
        columns = range(first * _WORD, min((first + width) * _WORD, n))
        for layer, bits in enumerate(propagated(steps, n, layers, residual, columns)):
            _take(found[layer], bits, columns.start, carried[layer])
    return found


def propagated(
    steps: Sequence[Step], n: int, layers: int, residual: bool, columns: range
) -> Iterator[Words]:
    """The bits of some columns after each layer."""
    held = _start(steps, n, columns)
    trees = {one for step in steps for one, _ in step.ranges if isinstance(one, Tree)}
    covers = {tree: span_ranges(tree, n) for tree in trees}
    unchanged = 0
    may_settle = residual or len(steps) == 1
    for layer in range(layers):
        # A whole round of the schedule that changes nothing is followed by others that do not.
        if not may_settle or unchanged < len(steps):
            later = _applied(steps[layer % len(steps)], held, covers, residual)
            unchanged = unchanged + 1 if later.equals(held) else 0
            held = later
        yield held.tokens


def _identity(n: int, columns: range) -> Words:
    bits = np.zeros((n, -(-len(columns) // _WORD)), np.uint64)
    at = np.arange(len(columns))
    bits[columns.start + at, at // _WORD] = np.uint64(1) << (at % _WORD).astype(np.uint64)
    return bits


@frozen
class Held:
    """What is carried before a layer: by the tokens, and by the slots of streams and trees.

    Of a stream that always depends on all tokens one row stands for all slots.
    """

    tokens: Words
    slots: Mapping[Stream | Tree, Words]

    def equals(self, other: Held) -> bool:
        return np.array_equal(self.tokens, other.tokens) and all(
            np.array_equal(words, other.slots[source]) for source, words in self.slots.items()
        )


def _start(steps: Sequence[Step], n: int, columns: range) -> Held:
    """Tokens hold themselves, slots nothing at first."""
    tokens, counts = _identity(n, columns), dict[Stream | Tree, int]()
    listening = {stream for step in steps for stream in step.streams}
    for source in (source for step in steps for source, _ in _all_ranges(step)):
        match source:
            case Stream(_, count):
                counts[source] = count if source in listening else 1
            case Tree():
                counts[source] = len(span_ranges(source, n).row)
            case _:
                pass
    slots = {one: np.zeros((count, tokens.shape[1]), np.uint64) for one, count in counts.items()}
    return Held(tokens, slots)


def _all_ranges(step: Step) -> Iterator[tuple[KeySource, Ranges]]:
    yield from step.ranges
    for own in step.streams.values():
        yield from own


def _applied(step: Step, held: Held, covers: Mapping[Tree, Ranges], residual: bool) -> Held:
    tokens = held.tokens.copy() if residual else np.zeros_like(held.tokens)
    for source, ranges in step.ranges:
        _unite(tokens, ranges, _held_by(source, held))
    return Held(tokens, {one: _heard(one, step, held, covers) for one in held.slots})


def _heard(source: Stream | Tree, step: Step, held: Held, covers: Mapping[Tree, Ranges]) -> Words:
    """What the slots hold after a layer: they keep what they held."""
    later = held.slots[source].copy()
    match source:
        case Tree():
            _unite(later, covers[source], held.tokens)
        case Stream() if source in step.streams:
            for other, ranges in step.streams[source]:
                _unite(later, ranges, _held_by(other, held))
        case Stream():
            later |= np.bitwise_or.reduce(held.tokens, axis=0, keepdims=True, initial=0)
    return later


def _held_by(source: KeySource, held: Held) -> Words:
    """What each slot of a source carries: words [slots, words], or one row for all slots."""
    bits = held.tokens
    match source:
        case Tokens() | Text():
            return bits
        case Pool():
            slots = np.zeros((windows(source, len(bits)), bits.shape[1]), np.uint64)
            _unite(slots, window_ranges(source, len(bits)), bits)
            return slots
        case Project():
            return np.bitwise_or.reduce(bits, axis=0, keepdims=True, initial=0)
        case Stream():
            return held.slots[source]
        case Tree():
            return np.concatenate([bits, held.slots[source]])
        case _:
            raise TypeError(f"{source} carries no position of the sequence")


def _unite(result: Words, ranges: Ranges, held: Words) -> None:
    """Adds to the rows of `result` what the slots of their ranges hold."""
    if not len(ranges.row):
        return
    if len(held) == 1:
        result[ranges.row] |= held
        return
    count = -(-(ranges.stop - ranges.start) // ranges.step)
    # A greater step is that of single slots.
    step = min(ranges.step, len(held))
    length = -(-len(held) // step)
    start = ranges.start % step * length + ranges.start // step
    _unite_intervals(result, ranges.row, start, count, _by_residue(held, step, length))


def _by_residue(held: Words, step: int, length: int) -> Words:
    """Slots of equal residue stand together, each residue takes `length` places."""
    if step == 1:
        return held
    padded = np.zeros((length * step, held.shape[1]), np.uint64)
    padded[: len(held)] = held
    return np.ascontiguousarray(
        padded.reshape(length, step, -1).swapaxes(0, 1).reshape(step * length, -1)
    )


def _unite_intervals(
    result: Words, row: Integers, start: Integers, count: Integers, held: Words
) -> None:
    """An interval is covered by two tables of the largest power of two within it."""
    level = np.frexp(count.astype(np.float64))[1] - 1
    table = held
    for power in range(int(level.max()) + 1):
        if power:
            reach = 1 << (power - 1)
            table = table[: len(table) - reach] | table[reach:]
        some = np.flatnonzero(level == power)
        if len(some):
            begin = start[some]
            _gather(result, row[some], begin, begin + count[some] - (1 << power), table)


def _gather(result: Words, row: Integers, left: Integers, right: Integers, table: Words) -> None:
    """result[row] |= table[left] | table[right], where rows may repeat."""
    compute(_PASSES * len(row) * table.shape[1])
    order = np.argsort(row, kind="stable")
    row, left, right = row[order], left[order], right[order]
    starts = np.flatnonzero(np.append(True, np.diff(row) != 0))
    rank = np.arange(len(row)) - np.repeat(starts, np.diff(np.append(starts, len(row))))
    if rank.max() < _FEW_REPEATS:
        for number in range(int(rank.max()) + 1):
            some = np.flatnonzero(rank == number)
            result[row[some]] |= table[left[some]] | table[right[some]]
    else:
        _gather_many(result, row, left, right, table)


def _gather_many(
    result: Words, row: Integers, left: Integers, right: Integers, table: Words
) -> None:
    """The same for ascending rows that repeat often: united among themselves first."""
    most = max(1, _CHUNK // max(table.shape[1], 1))
    for first in range(0, len(row), most):
        some = slice(first, first + most)
        united = table[left[some]] | table[right[some]]
        starts = np.flatnonzero(np.append(True, np.diff(row[some]) != 0))
        result[row[some][starts]] |= np.bitwise_or.reduceat(united, starts, axis=0)


def _take(found: Fields, bits: Words, first_column: int, carried: NDArray[np.bool_]) -> None:
    """Adds what the bits of some columns say; `carried` is the last bit of the columns before."""
    found.size += np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    before = bits << np.uint64(1)
    before[:, 1:] |= bits[:, :-1] >> np.uint64(_WORD - 1)
    before[:, 0] |= carried
    found.parts += np.bitwise_count(bits & ~before).sum(axis=1, dtype=np.int64)
    carried[:] = bits[:, -1] >> np.uint64(_WORD - 1)
    any_bit = bits != 0
    has = any_bit.any(axis=1)
    low, high = any_bit.argmax(axis=1), bits.shape[1] - 1 - any_bit[:, ::-1].argmax(axis=1)
    rows = np.arange(len(bits))
    lowest = first_column + low * _WORD + _lowest_bit(bits[rows, low])
    highest = first_column + high * _WORD + _highest_bit(bits[rows, high])
    found.first[has] = np.minimum(found.first, lowest)[has]
    found.last[has] = np.maximum(found.last, highest)[has]


def _lowest_bit(words: Words) -> Integers:
    return np.bitwise_count((words & (~words + np.uint64(1))) - np.uint64(1)).astype(np.int64)


def _highest_bit(words: Words) -> Integers:
    filled = words.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        filled |= filled >> np.uint64(shift)
    return np.bitwise_count(filled).astype(np.int64) - 1
