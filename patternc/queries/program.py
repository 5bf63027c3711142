"""What can be asked of a program without compiling it: masks, counts and layouts.

Converts a program's text to answers as numpy arrays and tiles. Kernels are added by `Pattern`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain, cycle, islice
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from patternc.algebra.work_budget import effort
from patternc.ir.sources import TOKENS, KeySource, Rows, Stream
from patternc.ir.terms import HeadPattern
from patternc.language import Elaborated, Program, RunTimeInput, elaborate, parse
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.queries.arguments import (
    Arrays,
    Input,
    arrays,
    batch_of,
    heads_listed,
    layer_number,
    of_head,
    one_element,
    refuse_spans,
    slot_counts,
    tile_sizes,
    tokens,
    whole,
)
from patternc.queries.internal_errors import attached
from patternc.relation.asked import inputs_asked
from patternc.relation.relation import Relation, relation
from patternc.relation.tables import HeadTables
from patternc.semantics.dense_strips import stacked
from patternc.semantics.errors import TooManyCasesError
from patternc.semantics.lengths import fitting, verify
from patternc.semantics.mask import columns, multiplicity, sources_of
from patternc.semantics.source_slots import row_count
from patternc.tiling.layout_at_length import Layout


class ProgramQueries:
    """A program and what it says at a layer, a head and a length."""

    def __init__(
        self, text: str, *, name: str = "<pattern>", parameters: Mapping[str, Any] | None = None
    ) -> None:
        if not isinstance(text, str):
            kind = type(text).__name__
            raise TypeError(f"expected the text of a program, got {kind}; `load` reads a file")
        self.text = text
        self.name = name
        self._given = dict(parameters or {})
        self._tree = parse(text, name)
        with attached(text):
            self._program: Elaborated = elaborate(self._tree, self._given)
        self._relations: dict[tuple[int, str], tuple[Relation, ...]] = {}
        self._sources: dict[str, tuple[KeySource, ...]] = {}
        self._verify_cases()

    def __reduce__(self) -> tuple[partial[Self], tuple[str]]:
        """Pickled as its text: what was found out about it is recomputed."""
        return partial(type(self), name=self.name, parameters=self._given), (self.text,)

    def __copy__(self) -> Self:
        """Itself, as a program never changes: copies of a model share it."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    @property
    def heads(self) -> int | None:
        """Query heads the program names; None fits any number."""
        return self._program.heads

    @property
    def layers(self) -> int | None:
        """Layers the program names; None fits any number."""
        return self._program.layers

    @property
    def inputs(self) -> tuple[RunTimeInput, ...]:
        """Run-time inputs with name, role and shape."""
        return self._program.inputs

    @property
    def rows(self) -> tuple[str, ...]:
        """Whose rows may be asked for beside the tokens': streams by name, and `tree`."""
        return tuple(self._program.rows)

    @property
    def tree(self) -> Program:
        """The program as it was written."""
        return self._tree

    @property
    def elaborated(self) -> Program:
        """The program with parameters in force and the `avoid=` of random keys written out."""
        return self._program.program

    @property
    def elaborated_program(self) -> Elaborated:
        """The rules with their meaning, for what points at them."""
        return self._program

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return self._program.warnings

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Every `param` with the value in force."""
        return self._program.parameters

    def mask(
        self,
        n: int,
        queries: int | None = None,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> NDArray[np.bool_]:
        """Which keys each query row attends to: booleans [heads, queries, n].

        n is the number of tokens; the queries (n of them by default) are the last rows. Where a
        run-time input has several batch elements, as labels [batch, n] have, so has the result, in
        front: [batch, heads, queries, n]; a batch of one is left out. With `rows`
        they are the slots of that stream, or of `tree` the spans above the tokens, and all of them.
        A program without `heads` has one head here. With key sources the columns are those of
        `columns`; `slots` says how many slots `memory`, `compressed` and `encoder` have at the
        call.
        """
        found = self._dense(n, queries, layer, rows, slots, inputs, np.bool_)
        return found.astype(np.bool_, copy=False)

    def multiplicity(
        self,
        n: int,
        queries: int | None = None,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> NDArray[np.int64]:
        """mu(i, j), how often a pair counts: integers of the shape of `mask`."""
        found = self._dense(n, queries, layer, rows, slots, inputs, np.int64)
        return found.astype(np.int64, copy=False)

    def _dense(
        self,
        n: int,
        queries: int | None,
        layer: int,
        rows: str,
        slots: Mapping[str, int] | None,
        inputs: Mapping[str, Input],
        dtype: type[np.generic],
    ) -> NDArray[np.generic]:
        """How often pairs count, or whether they do, as an array of the shape of `mask`."""
        n, layer, given = self._asked(n, layer, inputs, rows)
        queries = None if queries is None else whole("queries", queries)
        if queries is not None and rows:
            raise ValueError(f"queries={queries} cannot be combined with rows={rows!r}")
        sizes, heads = slot_counts(slots), self._heads_with(given)
        columns = self.columns(n, layer, rows=rows, slots=slots)
        sources = [source for source, _ in columns]
        height = row_count(self._rows_called(rows), n) if queries is None else queries
        batch = batch_of(given, self.inputs)
        own = [
            of_head(given, self.inputs, head, element) for element in range(batch) for head in heads
        ]

        def strip(index: int, part: slice) -> NDArray[np.int64]:
            pattern = self._resolved(layer, heads[index % len(heads)], rows)
            return multiplicity(pattern, n, queries, own[index], sizes, sources, part)

        shape = (len(own), height, sum(count for _, count in columns))
        found = stacked(strip, shape, dtype)
        return found if batch == 1 else found.reshape(batch, len(heads), *shape[1:])

    def columns(
        self, n: int, layer: int = 0, *, rows: str = "", slots: Mapping[str, int] | None = None
    ) -> tuple[tuple[KeySource, int], ...]:
        """The key sources of a layer and their slots, in the order of a mask's columns.

        That is the order in which the text names them, whatever the layer.
        """
        n, layer = tokens(n), layer_number(layer, self.layers)
        heads, sizes = range(self.heads or 1), slot_counts(slots)
        every = (columns(self._resolved(layer, head, rows), n, sizes) for head in heads)
        slots_of = dict(chain.from_iterable(every))
        order = dict.fromkeys([*self.sources(rows), *slots_of])
        return tuple((source, slots_of[source]) for source in order if source in slots_of)

    def sources(self, rows: str = "") -> tuple[KeySource, ...]:
        """The key sources of all layers and heads, in the order in which the text names them."""
        if rows not in self._sources:
            self._rows_called(rows)
            places = self._program.places_of_rules(rows)
            every = (sources_of(self._resolved(*place, rows)) for place in places)
            self._sources[rows] = tuple(dict.fromkeys(chain.from_iterable(every)))
        return self._sources[rows]

    def pairs(
        self,
        n: int,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> list[Any]:
        """Pairs with multiplicity of each head at n tokens and n queries, counted exactly.

        Of other `rows` all of them are the queries, as in `mask`. By closed forms where n is large;
        raises `ValueError` where there are none and too many pairs would be counted one by one.
        Where a run-time input has several batch elements, a list of such lists, one for each.
        """
        from patternc.analysis.cost.pair_counts import exact_pairs

        return self._counts(exact_pairs, tokens(n), layer, rows, slots, inputs)

    def distinct_pairs(
        self,
        n: int,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> list[Any]:
        """The pairs of each head's mask, each counted once; otherwise as `pairs`."""
        from patternc.analysis.cost.pair_counts import distinct_pairs

        return self._counts(distinct_pairs, tokens(n), layer, rows, slots, inputs)

    def _counts(
        self,
        counted: Callable[[Relation, HeadTables, Mapping[str, int], bool], int],
        n: int,
        layer: int,
        rows: str,
        slots: Mapping[str, int] | None,
        inputs: Mapping[str, Input],
    ) -> list[Any]:
        n, layer, given = self._asked(n, layer, inputs, rows)
        sizes = slot_counts(slots)
        grid = any(fitting(self._resolved(layer, head)) for head in range(self.heads or 1))

        def count(relation: Relation, own: HeadTables) -> int:
            with effort():
                return counted(relation, own, sizes, grid)

        def counts(element: int) -> list[int]:
            tables = self._tables(n, given, slots, rows, element)
            return list(map(count, cycle(self.relations(layer, rows)), tables))

        batch = batch_of(given, self.inputs)
        return counts(0) if batch == 1 else [counts(number) for number in range(batch)]

    def layout(
        self,
        n: int,
        block: int | tuple[int, int] = 128,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> Layout:
        """The tiles each head visits; `block` is a size, or (query tile, key tile)."""
        n, layer, given = self._asked(n, layer, inputs, rows)
        one_element(given, self.inputs, "a layout")
        query_tile, key_tile = tile_sizes(block)
        tables = self._tables(n, given, slots, rows)
        relations = list(islice(cycle(self.relations(layer, rows)), len(tables)))
        return Layout(relations, n, query_tile, key_tile, tables)

    def fitting(self, layer: int = 0) -> tuple[int, int] | None:
        """The smallest and largest n that the grids of a layer fit; None where every n does."""
        spans = {fitting(self._resolved(layer, head)) for head in range(self.heads or 1)}
        known = [span for span in spans if span is not None]
        return (max(low for low, _ in known), min(high for _, high in known)) if known else None

    def relations(self, layer: int = 0, rows: str = "") -> tuple[Relation, ...]:
        """The relation of every head."""
        layer = layer_number(layer, self.layers)
        at = 0 if self.layers is None else layer
        if (at, rows) not in self._relations:
            heads = range(self.heads or 1)
            self._relations[at, rows] = tuple(self._relation(at, head, rows) for head in heads)
        return self._relations[at, rows]

    def all_relations(self, layer: int, heads: int) -> tuple[Relation, ...]:
        """The relations of so many heads, and behind them those of the rows of streams."""
        streams = [name for name, rows in self._program.rows.items() if isinstance(rows, Stream)]
        every = (islice(cycle(self.relations(layer, rows)), heads) for rows in ("", *streams))
        return tuple(chain.from_iterable(every))

    def head_tables(
        self,
        n: int,
        layer: int = 0,
        *,
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> list[HeadTables]:
        """What answers the atoms of a relation at n, one for every head."""
        n, _, given = self._asked(n, layer, inputs)
        one_element(given, self.inputs, "this question")
        return self._tables(n, given, slots)

    def _asked(
        self, n: object, layer: object, inputs: Mapping[str, Input], rows: str | None = None
    ) -> tuple[int, int, Arrays]:
        """The length, the layer and the run-time inputs of a question.

        About some `rows` of the layer these are the inputs that decide their pairs.
        """
        n, layer = tokens(n), layer_number(layer, self.layers)
        for head in range(self.heads or 1):
            verify(self._resolved(layer, head), n)
        refuse_spans(inputs, self.inputs)
        given = arrays(inputs, self.inputs)
        if not given or rows is None:
            return n, layer, given
        every = (self._resolved(layer, head, rows) for head in range(self.heads or 1))
        asked = frozenset().union(*map(inputs_asked, every))
        return n, layer, {name: value for name, value in given.items() if name in asked}

    def _heads_with(self, given: Arrays) -> range:
        """The heads; a program without `heads` has as many as its lists do."""
        return range(self.heads or heads_listed(given, self.inputs))

    def _tables(
        self,
        n: int,
        given: Arrays,
        slots: Mapping[str, int] | None,
        rows: str = "",
        element: int = 0,
    ) -> list[HeadTables]:
        """What each head's relation asks, of one batch element."""
        sizes, asking = slot_counts(slots), self._rows_called(rows)
        heads = self._heads_with(given)
        every = (of_head(given, self.inputs, head, element) for head in heads)
        return [HeadTables(n, own, sizes, asking) for own in every]

    def _rows_called(self, rows: str) -> Rows:
        if rows and rows not in self._program.rows:
            listed = ", ".join(self.rows) or "only the tokens"
            raise ValueError(f"unknown rows {rows!r}; this pattern has: {listed}")
        return self._program.rows[rows] if rows else TOKENS

    def _verify_cases(self) -> None:
        """Refuses rules whose relations have too many cases; raises `PatternError`."""
        for rows in ("", *self.rows):
            for layer, head in self._program.places_of_rules(rows):
                self._relation(layer, head, rows)

    def _relation(self, layer: int, head: int, rows: str) -> Relation:
        try:
            return relation(self._resolved(layer, head, rows))
        except TooManyCasesError as error:
            place = self._program.written(layer, head, rows)[0].span
            raise TooManyCasesError(self._tree.source, place) from error

    def _resolved(self, layer: int, head: int, rows: str = "") -> HeadPattern:
        self._rows_called(rows)
        at = (layer if self.layers else 0, head if self.heads else 0)
        return self._program.resolve(*at, rows)
