"""What to look at: from a pattern to panels and facts at a telling length.

A view is one layer at one length. Where no length is asked for, it is the smallest power of two at
which the shape of the pattern shows. Run-time inputs are made up, and a note says how. Does not
draw.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

from patternc.algebra.work_budget import EffortError, effort
from patternc.ir.sources import KeySource, Stream
from patternc.language.check.runtime_inputs import RunTimeInput
from patternc.queries.arguments import arrays, of_head
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.report.cells import Cells
from patternc.report.made_up_inputs import Unit, made_up, note, units_of
from patternc.report.subject import TILE, Array, Subject
from patternc.report.svg import Panel, Shares
from patternc.semantics.errors import InputError
from patternc.semantics.source_slots import row_count

CELLS = 64
_LENGTHS = tuple(1 << k for k in range(6, 16))
_SPARSE = 0.25


@dataclass(frozen=True)
class View:
    """One layer of a pattern at length `n`; `heads` are those to draw.

    Queries are the tokens, or the `rows` of a stream or tree. Inputs that are not `given`, of one
    batch element, are made up.
    """

    subject: Subject
    n: int
    layer: int
    heads: tuple[int, ...]
    rows: str = ""
    given: Mapping[str, Array] = field(default_factory=dict, compare=False)

    @cached_property
    def inputs(self) -> dict[str, Any]:
        return {item.name: self._input(item) for item in self._asked}

    def _input(self, item: RunTimeInput) -> Array:
        if item.name in self.given:
            return self.given[item.name]
        return made_up(item, self._counted(item), item.name == self._starts)

    def _of_head(self, head: int) -> dict[str, Array]:
        return of_head(self.inputs, self.subject.inputs, head)

    @property
    def _starts(self) -> str:
        """Of several inputs of integers the first: its are positions, the others' ends."""
        integers = [item.name for item in self._asked if item.role == "integers"]
        return integers[0] if len(integers) > 1 else ""

    @property
    def every_input(self) -> dict[str, Array]:
        """The inputs of all rows that there are."""
        names = dict.fromkeys(name for item in self.subject.inputs for name in item.rows)
        found = [replace(self, rows=name).inputs for name in names]
        return {name: value for inputs in found for name, value in inputs.items()}

    @property
    def _asked(self) -> list[RunTimeInput]:
        """The inputs that decide which pairs there are."""
        asked = (item for item in self.subject.inputs if item.decides)
        return [item for item in asked if self.rows in item.rows]

    def _counted(self, item: RunTimeInput) -> int:
        """What an input is as long as: the tokens or the slots of a stream, or their blocks."""
        units = units_of(self.subject.relations(self.layer, self.rows))
        block, parts, source = units.get(item.name, Unit(1, 0))
        return -(-(parts or self._length(item, source)) // block)

    def _length(self, item: RunTimeInput, source: KeySource | None) -> int:
        if item.counts == self.rows and source is None:
            return self.queries
        columns = self.subject.columns(self.n, self.layer, rows=self.rows, slots=self.slots)
        if source is not None:
            return dict(columns).get(source, self.n)
        slots = {found.name: count for found, count in columns if isinstance(found, Stream)}
        return slots.get(item.counts, self.n)

    @property
    def slots(self) -> dict[str, int]:
        """An encoder's sequence is as long as the queries here; memories are full."""
        return {"encoder": self.n}

    @cached_property
    def spans(self) -> dict[KeySource, tuple[int, int]]:
        """First column and the one behind the last of every source."""
        found = self.subject.columns(self.n, self.layer, rows=self.rows, slots=self.slots)
        stops = accumulate(count for _, count in found)
        return {
            source: (stop - count, stop) for (source, count), stop in zip(found, stops, strict=True)
        }

    @property
    def queries(self) -> int:
        """Rows of the mask."""
        return row_count(self.subject.relations(self.layer, self.rows)[0].rows, self.n)

    @property
    def keys(self) -> int:
        """Columns of the mask: the slots of all sources."""
        return max(stop for _, stop in self.spans.values())

    @property
    def caption(self) -> str:
        """Length, layer and inputs in one line."""
        layers = self.subject.layers
        layer = [f"layer {self.layer} of {layers}"] if layers else []
        rows = [f"the {self.queries:,} rows of {self.rows}"] if self.rows else []
        notes = [
            f"{item.name} as given" if item.name in self.given else self._note(item)
            for item in self._asked
        ]
        return ", ".join((f"n = {self.n:,}", *layer, *rows, *notes))

    def _note(self, item: RunTimeInput) -> str:
        return note(item, item.name == self._starts)

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The heads that share one pattern, group by group."""
        groups: dict[tuple[Relation, bytes], list[int]] = {}
        relations = self.subject.relations(self.layer, self.rows)
        for head in self.heads:
            own = b"".join(value.tobytes() for value in self._of_head(head).values())
            groups.setdefault((relations[head], own), []).append(head)
        return tuple(map(tuple, groups.values()))

    def panels(self, most: int) -> tuple[Panel, ...]:
        """One panel for every group of heads, the first `most` groups."""
        count = self.subject.heads
        with effort():
            return tuple(
                Panel(_title(heads, count), self.cells(heads[0]), self.queries, self.keys)
                for heads in self.groups[:most]
            )

    def cells(self, head: int, every: int = 1) -> Shares:
        """The shares of one head in squares of equal size; of every so many rows of them."""
        return self.cells_of(self.subject.relations(self.layer, self.rows)[head], every, head)

    def cells_of(self, relation: Relation, every: int = 1, head: int = 0) -> Shares:
        """The same for a relation on the columns of this view, such as one term of a rule."""
        found = self.squares(relation, -(-max(self.queries, self.keys) // CELLS), head)
        height = found.shape[0]
        return found.of_rows(range(min(every // 2, height - 1), height, every))

    def squares(self, relation: Relation, cell: int, head: int = 0) -> Cells:
        """The mask of a relation with the inputs of a head, in squares of `cell` positions."""
        tables = HeadTables(self.n, self._of_head(head), self.slots, relation.rows)
        return Cells(relation, tables, self.spans, self.queries, self.keys, cell)

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Pairs, density and tiles of one head; a range where the heads differ."""
        return (*self._pairs(), ("tiles", self._tiles()))

    def _pairs(self) -> tuple[tuple[str, str], ...]:
        """Pairs and density, or why they are not counted."""
        cells = self.queries * self.keys
        try:
            distinct, pairs = self._counts()
        except EffortError as error:
            return (("pairs", f"of {cells:,}; not counted: {error}"), ("density", "not counted"))
        times = "" if pairs == distinct else f"; {_range(pairs)} with multiplicity"
        return (
            ("pairs", f"{_range(distinct)} of {cells:,}{times}"),
            ("density", _percent([count / max(cells, 1) for count in distinct])),
        )

    def _counts(self) -> tuple[list[int], list[int]]:
        """Pairs of each head, counted once and with their multiplicity."""
        n, layer, rows, slots = self.n, self.layer, self.rows, self.slots
        every_pairs = self.subject.pairs(n, layer, rows=rows, slots=slots, **self.inputs)
        once = self.subject.distinct_pairs(n, layer, rows=rows, slots=slots, **self.inputs)
        return [once[head] for head in self.heads], [every_pairs[head] for head in self.heads]

    def _tiles(self) -> str:
        """The tiles of one head, or why they are not counted."""
        layer, rows, slots = self.layer, self.rows, self.slots
        layout = self.subject.layout(self.n, TILE, layer, rows=rows, slots=slots, **self.inputs)
        every = f"{_range(self._every_tile())}, {TILE} x {TILE} each"
        try:
            every_counts = layout.counts()
        except EffortError as error:
            return f"of {every}; not counted: {error}"
        full = [every_counts.full[head] for head in self.heads]
        partial = [every_counts.partial[head] for head in self.heads]
        listed = [sum(both) for both in zip(full, partial, strict=True)]
        kinds = f"{_range(full)} full, {_range(partial)} partial"
        return f"{_range(listed)} visited ({kinds}) of {every}"

    def _every_tile(self) -> list[int]:
        """All tiles of each head, once for every pass over a source."""
        counts = dict(self.subject.columns(self.n, self.layer, rows=self.rows, slots=self.slots))
        relations = self.subject.relations(self.layer, self.rows)
        return [
            -(-self.queries // TILE)
            * sum(-(-counts[branch.source] // TILE) for branch in relations[head].branches)
            for head in self.heads
        ]


def view(
    subject: Subject,
    n: int | None,
    layer: int,
    head: int | None,
    rows: str = "",
    given: Mapping[str, Array] | None = None,
) -> View:
    """The view asked for; n None is `telling_length`, head None is every head.

    Raises `LengthError` where the pattern has no meaning at n, `ValueError` for unknown rows, and
    `InputError` for given inputs that do not fit.
    """
    heads = tuple(range(subject.heads or 1)) if head is None else (head,)
    at = n or telling_length(subject, layer, heads[0])
    seen = View(subject, at, layer, heads, rows, _deciding(subject, given or {}))
    _verify_length(seen)
    return seen


def _deciding(subject: Subject, given: Mapping[str, Array]) -> Mapping[str, Array]:
    """The inputs as arrays. Raises `InputError` for those that change no picture."""
    found = arrays(given, subject.inputs)
    for item in subject.inputs:
        if item.name in found and not item.decides:
            raise InputError(f"`{item.name}` ({item.role}) changes no picture; leave it out")
    return found


def telling_length(subject: Subject, layer: int, head: int) -> int:
    """The smallest length at which a head is sparse, or as dense as it stays."""
    if (lengths := subject.fitting(layer)) is not None:
        return lengths[1]
    enough = max(_SPARSE, 1.1 * _density(subject, _LENGTHS[-1], layer, head))
    return _LENGTHS[
        bisect_left(_LENGTHS[:-1], True, key=lambda n: _density(subject, n, layer, head) <= enough)
    ]


def _verify_length(seen: View) -> None:
    plain = replace(seen, rows="")
    seen.subject.layout(seen.n, TILE, seen.layer, rows="", slots=seen.slots, **plain.inputs)


def _density(subject: Subject, n: int, layer: int, head: int) -> float:
    """About the density: one row of cells in eight is looked at."""
    return float(View(subject, n, layer, (head,)).cells(head, every=8).mean())


def _title(heads: Sequence[int], count: int | None) -> str:
    if count is None or len(heads) == count > 1:
        return "every head"
    names = ", ".join(_consecutive(heads))
    return f"head {names}" if len(heads) == 1 else f"heads {names}"


def _consecutive(numbers: Sequence[int]) -> Iterator[str]:
    """Ascending numbers, runs of them written as `2-5`."""
    starts = [number for number in numbers if number - 1 not in numbers]
    stops = [number for number in numbers if number + 1 not in numbers]
    for first, last in zip(starts, stops, strict=True):
        yield f"{first}" if first == last else f"{first}-{last}"


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _percent(densities: Sequence[float]) -> str:
    low, high = f"{min(densities):.2%}", f"{max(densities):.2%}"
    return low if low == high else f"{low} to {high}"
