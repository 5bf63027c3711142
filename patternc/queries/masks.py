"""Masks, counts and layouts of a program, without compiling it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain, cycle, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternc.algebra.work_budget import allowance, effort
from patternc.frontend import Frontend
from patternc.ir.sources import KeySource
from patternc.queries.arguments import (
    batch_of,
    layer_number,
    of_head,
    one_element,
    slot_counts,
    tile_sizes,
    tokens,
    whole,
)
from patternc.queries.call import Inputs, Slots, checked, heads_with, tables_of
from patternc.queries.sizes import by_element, fixed
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.semantics import mask as dense
from patternc.semantics.dense_strips import stacked
from patternc.semantics.source_slots import row_count
from patternc.tiling.layout_at_length import Layout

Counted = Callable[[Relation, HeadTables, Mapping[str, int], bool], int]


def mask(
    frontend: Frontend,
    n: int,
    queries: int | None,
    layer: int,
    rows: str,
    slots: Slots,
    inputs: Inputs,
) -> NDArray[np.bool_]:
    found = _dense(frontend, n, queries, layer, rows, slots, inputs, np.bool_)
    return found.astype(np.bool_, copy=False)


def multiplicity(
    frontend: Frontend,
    n: int,
    queries: int | None,
    layer: int,
    rows: str,
    slots: Slots,
    inputs: Inputs,
) -> NDArray[np.int64]:
    found = _dense(frontend, n, queries, layer, rows, slots, inputs, np.int64)
    return found.astype(np.int64, copy=False)


def _dense(
    frontend: Frontend,
    n: int,
    queries: int | None,
    layer: int,
    rows: str,
    slots: Slots,
    inputs: Inputs,
    dtype: type[np.generic],
) -> NDArray[np.generic]:
    """How often pairs count, or whether they do, as an array of the shape of `mask`."""
    every = [
        _of_element(own, n, queries, layer, rows, slots, inputs, dtype)
        for own, inputs in by_element(frontend, inputs)
    ]
    return np.stack(every) if len(every) > 1 else every[0]


def _of_element(
    frontend: Frontend,
    n: int,
    queries: int | None,
    layer: int,
    rows: str,
    slots: Slots,
    inputs: Inputs,
    dtype: type[np.generic],
) -> NDArray[np.generic]:
    """The same with numbers for sizes."""
    n, layer, given = checked(frontend, n, layer, inputs, rows)
    queries = None if queries is None else whole("queries", queries)
    if queries is not None and rows:
        raise ValueError(f"queries={queries} cannot be combined with rows={rows!r}")
    sizes, heads, known = slot_counts(slots), heads_with(frontend, given), frontend.program.inputs
    among = columns(frontend, n, layer, rows, slots)
    sources = [source for source, _ in among]
    height = row_count(frontend.rows_called(rows), n) if queries is None else queries
    batch = batch_of(given, known)
    own = [of_head(given, known, head, element) for element in range(batch) for head in heads]

    def strip(index: int, part: slice) -> NDArray[np.int64]:
        pattern = frontend.resolve(layer, heads[index % len(heads)], rows)
        return dense.multiplicity(pattern, n, queries, own[index], sizes, sources, part)

    shape = (len(own), height, sum(count for _, count in among))
    found = stacked(strip, shape, dtype)
    return found if batch == 1 else found.reshape(batch, len(heads), *shape[1:])


def columns(
    frontend: Frontend, n: int, layer: int, rows: str, slots: Slots
) -> tuple[tuple[KeySource, int], ...]:
    n, layer = tokens(n), layer_number(layer, frontend.program.layers)
    sizes = slot_counts(slots)
    every = (dense.columns(pattern, n, sizes) for pattern in frontend.patterns(layer, rows))
    slots_of = dict(chain.from_iterable(every))
    order = dict.fromkeys([*frontend.sources(rows), *slots_of])
    return tuple((source, slots_of[source]) for source in order if source in slots_of)


def pairs(
    frontend: Frontend, n: int, layer: int, rows: str, slots: Slots, inputs: Inputs
) -> list[Any]:
    from patternc.analysis.cost.pair_counts import exact_pairs

    return _counts(exact_pairs, frontend, n, layer, rows, slots, inputs)


def distinct_pairs(
    frontend: Frontend, n: int, layer: int, rows: str, slots: Slots, inputs: Inputs
) -> list[Any]:
    from patternc.analysis.cost.pair_counts import distinct_pairs

    return _counts(distinct_pairs, frontend, n, layer, rows, slots, inputs)


def _counts(
    counted: Counted,
    frontend: Frontend,
    n: int,
    layer: int,
    rows: str,
    slots: Slots,
    inputs: Inputs,
) -> list[Any]:
    every = [
        _counts_of_element(counted, own, n, layer, rows, slots, inputs)
        for own, inputs in by_element(frontend, inputs)
    ]
    return every if len(every) > 1 else every[0]


def _counts_of_element(
    counted: Counted,
    frontend: Frontend,
    n: int,
    layer: int,
    rows: str,
    slots: Slots,
    inputs: Inputs,
) -> list[Any]:
    """The same with numbers for sizes."""
    n, layer, given = checked(frontend, n, layer, inputs, rows)
    grid, batch = frontend.fitting(layer) is not None, batch_of(given, frontend.program.inputs)
    count = partial(_count, counted, sizes=slot_counts(slots), grid=grid)
    with allowance():
        every = [
            list(map(count, cycle(frontend.relations(layer, rows)), tables))
            for tables in (tables_of(frontend, n, given, slots, rows, at) for at in range(batch))
        ]
    return every[0] if batch == 1 else every


def _count(
    counted: Counted, relation: Relation, own: HeadTables, sizes: dict[str, int], grid: bool
) -> int:
    with effort():
        return counted(relation, own, sizes, grid)


def layout(
    frontend: Frontend,
    n: int,
    block: int | tuple[int, int],
    layer: int,
    rows: str,
    slots: Slots,
    inputs: Inputs,
) -> Layout:
    frontend, inputs = fixed(frontend, inputs, "a layout")
    n, layer, given = checked(frontend, n, layer, inputs, rows)
    one_element(given, frontend.program.inputs, "a layout")
    query_tile, key_tile = tile_sizes(block)
    tables = tables_of(frontend, n, given, slots, rows)
    relations = list(islice(cycle(frontend.relations(layer, rows)), len(tables)))
    return Layout(relations, n, query_tile, key_tile, tables)
