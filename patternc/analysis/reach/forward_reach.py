"""Who depends on one position, layer by layer: as booleans over positions and slots.

Maps the edges of a schedule and a key to the positions that its value can influence, and to whom
each heard it from first. Slots of a pool or a projection stand for tokens of the same layer; those
of streams and trees are places of their own. Only handles lengths for which a list exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from patternc.algebra.evaluate import Booleans, Integers
from patternc.algebra.work_budget import compute
from patternc.analysis.reach.edges import Layer
from patternc.analysis.reach.key_ranges import Ranges, ranges_of
from patternc.analysis.reach.slot_contents import span_ranges, window_ranges
from patternc.analysis.table_pairs import UnknownError
from patternc.frozen import frozen
from patternc.ir.sources import TOKENS, KeySource, Pool, Project, Rows, Stream, Text, Tokens, Tree
from patternc.relation.tables import HeadTables
from patternc.semantics.source_slots import row_count

# Over members and over ranges, for one answer.
_PASSES = 4
# Of all layers, with what the tables of trees take: half a gigabyte.
MOST_RANGES = 18 << 20


@frozen
class Node:
    """A position of the tokens, or a slot of a stream or tree (its spans above the tokens)."""

    source: Rows
    index: int


Places = Mapping[Rows, Booleans]
"""The tokens, and the slots of every stream and tree."""


class ForwardReach:
    """Which places depend on the token `key` after 0, 1, .. layers."""

    def __init__(
        self, steps: Sequence[Layer], tables: Sequence[Sequence[HeadTables]], n: int, key: int
    ) -> None:
        self._layers = KeyRangesByLayer(steps, tables, n)
        start = self._layers.nowhere()
        start[TOKENS][key] = True
        self._after: list[Places] = [start]

    def advance(self, layer: int) -> bool:
        """Goes through one layer; whether any place was added."""
        before = self._after[layer]
        later = {source: held.copy() for source, held in before.items()}
        for rows, source, ranges in self._layers.of(layer):
            later[rows][ranges.row[any_in(ranges, self._held(source, layer))]] = True
        self._after.append(later)
        return any((later[source] != held).any() for source, held in before.items())

    def knows(self, at: Node, layers: int) -> bool:
        """Whether a place depends on the key after that many layers."""
        return bool(self._after[layers][at.source][at.index])

    def source_of(self, at: Node, layer: int) -> Node:
        """The first place from which it depends on the key in that layer."""
        for rows, source, ranges in self._layers.of(layer):
            if rows != at.source:
                continue
            held = self._held(source, layer)
            own = at_row(ranges, at.index)
            for found in np.flatnonzero(any_in(own, held)):
                slots = np.arange(own.start[found], own.stop[found], own.step)
                return self._place(source, int(slots[held[slots]][0]), layer)
        raise AssertionError("the place depends on the key in this layer")

    def _place(self, source: KeySource, slot: int, layer: int) -> Node:
        """Where what a slot holds stands."""
        tokens = self._after[layer][TOKENS]
        match source:
            case Tokens() | Text():
                return Node(TOKENS, slot)
            case Tree():
                inside = slot < len(tokens)
                return Node(TOKENS, slot) if inside else Node(source, slot - len(tokens))
            case Pool() as pool:
                window = window_ranges(pool, len(tokens))
                inside_it = np.arange(window.start[slot], window.stop[slot])
                return Node(TOKENS, int(inside_it[tokens[inside_it]][0]))
            case Stream():
                return Node(source, slot)
            case _:
                return Node(TOKENS, int(tokens.argmax()))

    def _held(self, source: KeySource, layer: int) -> Booleans:
        """Which slots of a source hold something of the key before the layer."""
        return held_by(source, self._after[layer])


def can_depend_on(ranged: KeyRangesByLayer, query: int, layers: int) -> Booleans:
    """The tokens that a query depends on in so many layers."""
    wanted = ranged.nowhere()
    wanted[TOKENS][query] = True
    for layer in reversed(range(layers)):
        earlier = {source: held.copy() for source, held in wanted.items()}
        for rows, source, ranges in ranged.of(layer):
            own = wanted[rows][ranges.row]
            chosen = Ranges(ranges.step, ranges.row[own], ranges.start[own], ranges.stop[own])
            ranged.want(earlier, source, chosen)
        wanted = earlier
    return wanted[TOKENS]


class KeyRangesByLayer:
    """The keys of every row of a schedule's layers, each layer listed once."""

    def __init__(
        self, steps: Sequence[Layer], tables: Sequence[Sequence[HeadTables]], n: int
    ) -> None:
        self._steps, self._tables, self._n = steps, tables, n
        self._found: dict[int, list[tuple[Rows, KeySource, Ranges]]] = {}
        self._same_as = _listed_alike(steps)
        self._others = list(dict.fromkeys(_places_of(steps)))
        self._kept = sum(2 * row_count(source, n) for source in self._others)

    def nowhere(self) -> dict[Rows, Booleans]:
        """No place."""
        found: dict[Rows, Booleans] = {TOKENS: np.zeros(self._n, np.bool_)}
        for source in self._others:
            found[source] = np.zeros(row_count(source, self._n), np.bool_)
        return found

    def of(self, layer: int) -> list[tuple[Rows, KeySource, Ranges]]:
        """Whose rows, the source of their keys, and the ranges.

        Raises `UnknownError` where tables do not say, and where there are too many ranges.
        """
        at = self._same_as[layer % len(self._steps)]
        if at not in self._found:
            self._found[at] = list(self._counted(chain(self._listed(at), self._implied(at))))
        return self._found[at]

    def _counted(
        self, listed: Iterable[tuple[Rows, KeySource, Ranges]]
    ) -> Iterator[tuple[Rows, KeySource, Ranges]]:
        for each in listed:
            self._kept += len(each[2].row)
            if self._kept > MOST_RANGES:
                raise UnknownError
            yield each

    def want(self, places: dict[Rows, Booleans], source: KeySource, ranges: Ranges) -> None:
        """Adds the places that the slots in some ranges are made of."""
        tokens = places[TOKENS]
        match source:
            case Tokens() | Text():
                tokens |= covered(ranges, self._n)
            case Tree():
                slots = covered(ranges, self._n + len(places[source]))
                tokens |= slots[: self._n]
                places[source] |= slots[self._n :]
            case Stream(_, count):
                places[source] |= covered(ranges, count)
            case Pool() as pool:
                windows = window_ranges(pool, self._n)
                inside = covered(ranges, len(windows.row))
                chosen = Ranges(1, windows.row[inside], windows.start[inside], windows.stop[inside])
                tokens |= covered(chosen, self._n)
            case _:
                tokens |= bool(len(ranges.row))

    def _listed(self, at: int) -> Iterator[tuple[Rows, KeySource, Ranges]]:
        for edge in self._steps[at]:
            for ranges in ranges_of(edge, edge.asked_of(self._tables[at])):
                yield edge.rows, edge.source, ranges

    def _implied(self, at: int) -> Iterator[tuple[Rows, KeySource, Ranges]]:
        """Spans depend on their tokens, streams without edges of their own of all."""
        own = {edge.rows for edge in self._steps[at]}
        for source in self._others:
            if isinstance(source, Tree):
                yield source, TOKENS, span_ranges(source, self._n)
            elif source not in own:
                slots = np.arange(row_count(source, self._n))
                yield source, TOKENS, Ranges(1, slots, slots * 0, slots * 0 + self._n)


def _listed_alike(steps: Sequence[Layer]) -> list[int]:
    """For each layer the first with the same keys: the call gives each layer its own tables."""
    first: dict[Layer, int] = {}
    return [
        first.setdefault(step, at) if all(edge.is_known for edge in step) else at
        for at, step in enumerate(steps)
    ]


def _places_of(steps: Sequence[Layer]) -> Iterator[Stream | Tree]:
    for step in steps:
        for edge in step:
            for source in (edge.source, edge.rows):
                if isinstance(source, Stream | Tree):
                    yield source


def held_by(source: KeySource, places: Places) -> Booleans:
    """Which slots of a source hold something of what the places hold."""
    tokens = places[TOKENS]
    match source:
        case Tokens() | Text():
            return tokens
        case Pool() as pool:
            return any_in(window_ranges(pool, len(tokens)), tokens)
        case Tree():
            return np.concatenate([tokens, places[source]])
        case Stream():
            return places[source]
        case Project(count):
            return np.full(count, tokens.any())
        case _:
            raise TypeError(f"{source} carries no position of the sequence")


def at_row(ranges: Ranges, row: int) -> Ranges:
    """The ranges of one row."""
    at = np.flatnonzero(ranges.row == row)
    return Ranges(ranges.step, ranges.row[at], ranges.start[at], ranges.stop[at])


def any_in(ranges: Ranges, members: Booleans) -> Booleans:
    """Which ranges hold a member."""
    step, length = _residues(ranges, len(members))
    compute(_PASSES * (len(members) + len(ranges.row)))
    padded = np.zeros(length * step, np.int64)
    padded[: len(members)] = members
    before = np.append(0, np.cumsum(padded.reshape(length, step).T))
    start, stop = _by_residue(ranges, step, length)
    return np.asarray(before[stop] > before[start])


def covered(ranges: Ranges, count: int) -> Booleans:
    """Which of so many slots lie in a range."""
    step, length = _residues(ranges, count)
    compute(_PASSES * (count + len(ranges.row)))
    start, stop = _by_residue(ranges, step, length)
    turns = np.zeros(length * step + 1, np.int64)
    np.add.at(turns, start, 1)
    np.add.at(turns, stop, -1)
    inside = np.cumsum(turns[:-1]) > 0
    return np.asarray(inside.reshape(step, length).T.reshape(-1)[:count])


def _residues(ranges: Ranges, count: int) -> tuple[int, int]:
    """Classes of slots with one residue, and the places that each takes."""
    # A greater step is that of single slots.
    step = max(1, min(ranges.step, count))
    return step, -(-count // step)


def _by_residue(ranges: Ranges, step: int, length: int) -> tuple[Integers, Integers]:
    """The ends of the ranges where slots of one residue stand together."""
    start = ranges.start % step * length + ranges.start // step
    return start, start - (-(ranges.stop - ranges.start) // ranges.step)
