"""Relations, layouts and the generated CPU path agree with the published masks as well."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from patternc.pattern import Pattern
from patternc.relation.tables import HeadTables
from tests.oracles.cases import OracleCase, oracle_cases

CASES = pytest.mark.parametrize("case", oracle_cases(), ids=lambda case: case.name)
TILE = 8


def pattern_of(case: OracleCase) -> Pattern:
    return Pattern.parse(case.text)


@CASES
def test_relations_hold_the_published_pairs(case):
    pattern = pattern_of(case)
    relations = pattern.relations(case.layer)
    i = (np.arange(case.queries) + case.n - case.queries)[:, None]
    at = {"i": i, "j": np.arange(case.n)[None, :]}
    for head in range(case.heads):
        tables = HeadTables(case.n, case.inputs_of_head(head))
        held = [
            np.broadcast_to(
                tables.of(branch.source).holds(branch.predicate, at), case.mask.shape[1:]
            )
            for branch in relations[head % len(relations)].branches
        ]
        assert np.array_equal(np.any(held, axis=0), case.mask[head])


@pytest.mark.parametrize(
    "case",
    [case for case in oracle_cases() if case.queries == case.n],
    ids=lambda case: case.name,
)
def test_layouts_list_every_published_pair_and_full_tiles_only_such(case):
    pattern = pattern_of(case)
    layout = pattern.layout(case.n, block=TILE, layer=case.layer, **case.inputs)
    for head in range(layout.heads):
        for a in range(-(-case.n // TILE)):
            rows = case.mask[head, a * TILE : (a + 1) * TILE]
            visited = layout.row(head, a)
            touched = {b for b in range(-(-case.n // TILE)) if _tile(rows, b).any()}
            assert touched <= set(visited.index.tolist())
            assert all(_tile(rows, visit.index).all() for visit in visited if visit.kind == "full")


def _tile(rows: np.ndarray, b: int) -> np.ndarray:
    return rows[:, b * TILE : (b + 1) * TILE]


@CASES
def test_the_generated_cpu_path_weighs_keys_as_published(case):
    """Values that are one-hot make the output row the row of weights."""
    pattern, generator = pattern_of(case), torch.Generator().manual_seed(0)
    query = torch.randn(1, case.heads, case.queries, 4, generator=generator, dtype=torch.float64)
    key = torch.randn(1, case.heads, case.n, 4, generator=generator, dtype=torch.float64)
    value = torch.eye(case.n, dtype=torch.float64).expand(1, case.heads, -1, -1)
    inputs = {name: torch.from_numpy(given) for name, given in case.inputs.items()}
    weights = pattern.attention(query, key, value, layer=case.layer, **inputs)[0]
    assert np.array_equal(weights.numpy() > 0, case.mask)
    counts = pattern.multiplicity(case.n, case.queries, case.layer, **case.inputs)
    expected = torch.from_numpy(counts) * (query @ key.mT / 2).exp()[0]
    total = expected.sum(-1, keepdim=True)
    torch.testing.assert_close(weights, expected / total.masked_fill(total == 0, 1))
