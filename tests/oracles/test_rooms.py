"""Relations, layouts and the generated CPU path agree with the published masks as well.

`make test` takes one mask of each kind for layouts and the CPU path, `make sweep` all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch

from patternc.ir.sources import KeySource, Stream, word_of
from patternc.pattern import Pattern
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.tiling.layout_at_length import Layout
from tests.oracles.cases import OracleCase, oracle_cases

TILE = 8
LEARNED = ("persistent",)  # sources without a batch


def kinds(cases: Iterable[OracleCase]) -> pytest.MarkDecorator:
    """All cases; `make test` takes the first of those that differ in numbers alone."""
    seen: set[tuple[str, int, bool]] = set()
    parameters: list[Any] = []
    for case in cases:
        kind = (re.sub(r"\d+", "", case.text), case.layer, case.n % TILE == 0)
        marks = [pytest.mark.sweep] if kind in seen else []
        seen.add(kind)
        parameters.append(pytest.param(case, marks=marks, id=case.name))
    return pytest.mark.parametrize("case", parameters)


def pattern_of(case: OracleCase) -> Pattern:
    return Pattern.parse(case.text)


def tables_of(case: OracleCase, head: int) -> HeadTables:
    return HeadTables(case.n, case.inputs_of_head(head), case.sizes)


def columns_of(relation: Relation, tables: HeadTables) -> dict[KeySource, slice]:
    """Where the slots of each source stand in a mask."""
    ends = np.cumsum([tables.of(source).m for source in relation.sources]).tolist()
    starts = [0, *ends[:-1]]
    return {
        source: slice(start, end)
        for source, start, end in zip(relation.sources, starts, ends, strict=True)
    }


@pytest.mark.parametrize("case", oracle_cases(), ids=lambda case: case.name)
def test_relations_hold_the_published_pairs(case):
    relations = pattern_of(case).relations(case.layer)
    i = (np.arange(case.queries) + case.n - case.queries)[:, None]
    for head in range(case.heads):
        relation, tables = relations[head % len(relations)], tables_of(case, head)
        held = np.zeros(case.mask.shape[1:], bool)
        for branch in relation.branches:
            at = {"i": i, "j": np.arange(tables.of(branch.source).m)[None, :]}
            found = tables.of(branch.source).holds(branch.predicate, at)
            held[:, columns_of(relation, tables)[branch.source]] |= found
        assert np.array_equal(held, case.mask[head])


@kinds(case for case in oracle_cases() if case.queries == case.n)
def test_layouts_list_every_published_pair_and_full_tiles_only_such(case):
    relations = pattern_of(case).relations(case.layer)
    for head in range(case.heads):
        relation, tables = relations[head % len(relations)], tables_of(case, head)
        layout = Layout([relation], case.n, TILE, TILE, [tables])
        for source, columns in columns_of(relation, tables).items():
            of = [at for at, branch in enumerate(relation.branches) if branch.source == source]
            for a in range(-(-case.n // TILE)):
                rows = case.mask[head, a * TILE : (a + 1) * TILE, columns]
                visited = [visit for visit in layout.row(0, a) if visit.branch in of]
                touched = {b for b in range(-(-rows.shape[1] // TILE)) if _tile(rows, b).any()}
                assert touched <= {visit.index for visit in visited}
                full = [visit.index for visit in visited if visit.kind == "full"]
                assert all(_tile(rows, b).all() for b in full)


def _tile(rows: np.ndarray, b: int) -> np.ndarray:
    return rows[:, b * TILE : (b + 1) * TILE]


def keys_by_source(case: OracleCase, pattern: Pattern, key: torch.Tensor) -> dict:
    """The columns of `key`, values that tell them apart, as arguments of `attention`."""
    value = torch.eye(key.shape[2], dtype=key.dtype).expand(1, case.heads, -1, -1)
    arguments, first = {"k": None, "v": None}, 0
    for source, count in pattern.columns(case.n, case.layer, slots=case.sizes):
        name = source.name if isinstance(source, Stream) else word_of(source)
        pair = tuple(part[:, :, first : first + count] for part in (key, value))
        if name == "tokens":
            arguments["k"], arguments["v"] = pair
        else:
            arguments[f"{name}_kv"] = tuple(part[0] for part in pair) if name in LEARNED else pair
        first += count
    if arguments["k"] is None:
        shape = (1, case.heads, case.n)
        arguments["k"] = key.new_zeros(*shape, key.shape[3])
        arguments["v"] = key.new_zeros(*shape, value.shape[3])
    return arguments


@kinds(case for case in oracle_cases() if "sum(" not in case.text)
def test_the_generated_cpu_path_weighs_keys_as_published(case):
    """Values that are one-hot make the output row the row of weights."""
    pattern, generator = pattern_of(case), torch.Generator().manual_seed(0)
    options = {"slots": case.sizes, **case.inputs}
    counts = pattern.multiplicity(case.n, case.queries, case.layer, **options)
    shapes = [(1, case.heads, rows, 4) for rows in (case.queries, counts.shape[2])]
    query, key = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    inputs = {name: torch.from_numpy(given) for name, given in case.inputs.items()}
    brought = keys_by_source(case, pattern, key)
    weights = pattern.attention(query, **brought, layer=case.layer, **inputs)[0]
    assert np.array_equal(weights.numpy() > 0, case.mask)
    expected = torch.from_numpy(counts) * (query @ key.mT / 2).exp()[0]
    total = expected.sum(-1, keepdim=True)
    torch.testing.assert_close(weights, expected / total.masked_fill(total == 0, 1))
