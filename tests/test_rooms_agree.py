"""Random patterns mean the same in the evaluator, the generated reference and the CPU path.

A third of the examples of `make sweep`, which are the first of them.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patternc.relation.relation import relation
from patternc.semantics.mask import multiplicity
from tests.compiled import module_of_schedule
from tests.schedules import schedule_of
from tests.source_terms import call_sizes, source_patterns
from tests.terms import patterns

TILES = ((16, 16), (32, 16), (16, 32))


def module_of(heads, tile):
    schedule = schedule_of([[relation(pattern) for pattern in heads]], len(heads), None, *tile)
    return module_of_schedule(schedule, "random")


CALLS = (
    st.lists(patterns, min_size=1, max_size=2),
    st.integers(1, 80),
    st.integers(1, 80),
    st.sampled_from(TILES),
)
SOURCE_CALLS = (st.data(), source_patterns(), st.integers(1, 40), st.integers(1, 60))


@given(*CALLS)
@settings(max_examples=20)
def test_a_generated_module_means_its_pattern(heads, n, queries, tile):
    assert_means_its_pattern(heads, n, queries, tile)


@pytest.mark.sweep
@given(*CALLS)
@settings(max_examples=60)
def test_many_generated_modules_mean_their_patterns(heads, n, queries, tile):
    assert_means_its_pattern(heads, n, queries, tile)


def assert_means_its_pattern(heads, n, queries, tile):
    queries = min(queries, 2 * n)
    module = module_of(heads, tile)
    counts = np.stack([multiplicity(pattern, n, queries) for pattern in heads])
    assert np.array_equal(module.multiplicity(n, queries=queries).numpy(), counts)

    generator = torch.Generator().manual_seed(n)
    q = torch.randn(2, len(heads), queries, 8, generator=generator, dtype=torch.float64)
    k, v = torch.randn(2, 2, len(heads), n, 8, generator=generator, dtype=torch.float64)
    out, lse = module.attention(q, k, v, return_lse=True)
    weights = torch.from_numpy(counts) * (q @ k.mT / 8**0.5).exp()
    total = weights.sum(-1, keepdim=True)
    torch.testing.assert_close(out, weights @ v / total.masked_fill(total == 0, 1))
    torch.testing.assert_close(lse, total.squeeze(-1).log())


@given(*SOURCE_CALLS)
@settings(max_examples=14, suppress_health_check=list(HealthCheck))
def test_a_generated_module_means_its_pattern_on_every_source(data, pattern, n, queries):
    assert_means_its_pattern_on_every_source(data, pattern, n, queries)


@pytest.mark.sweep
@given(*SOURCE_CALLS)
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_many_generated_modules_mean_their_patterns_on_every_source(data, pattern, n, queries):
    assert_means_its_pattern_on_every_source(data, pattern, n, queries)


def assert_means_its_pattern_on_every_source(data, pattern, n, queries):
    module, sizes = module_of([pattern], (16, 16)), data.draw(call_sizes(pattern))
    queries = min(queries, 2 * n)
    found = module.multiplicity(n, queries=queries, slots=sizes)[0].numpy()
    wanted = multiplicity(pattern, n, queries, sizes=sizes)
    assert np.array_equal(found, wanted)
