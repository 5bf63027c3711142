"""What searches multiply, and that reports say so beside what attention does."""

from __future__ import annotations

import pytest
import torch

from patternc import Pattern
from patternc.analysis.cost.pair_counts import head_count
from patternc.relation.tables import HeadTables


@pytest.mark.parametrize(
    ("text", "products"),
    [
        ("causal\nnearest(8)", 2 * 96 * 96),
        ("causal\nnearest(8, scores=s)", 0),
        ("nearest(8) on memory(32) + causal", 2 * 96 * 32),
        ("top_blocks(2, block=10)", 96 + 2 * 96 * 10),
        ("causal\nmix(lsh(8, chunk=4, rounds=3))", 96 * 3 * 8),
        ("mean(cluster(4, 8, means=m))", 2 * 4 * 192),
        ("sinkhorn(10)", 192 + 2 * 10 * 10),
    ],
)
def test_a_report_says_what_finding_pairs_costs(text: str, products: int) -> None:
    report = Pattern.parse(text).report(96, head_dim=16)
    (layer,) = report.document()["layers"]
    assert layer.get("finding", 0) == 16 * products
    assert ("finding pairs, forward" in str(report)) == (products > 0)


@pytest.mark.parametrize(
    ("text", "least"),
    [
        # A row has itself at least; the nearest are more than the window beside them.
        ("causal\nlsh(4, chunk=4, rounds=2)", lambda n: n),
        ("causal\nnearest(8) + local(4)", lambda n: sum(min(8, i + 1) for i in range(n))),
        ("causal\nsinkhorn(8)", lambda n: n),
    ],
)
def test_any_call_finds_at_least_as_many_pairs_as_the_report_says(text, least):
    pattern, n = Pattern.parse(text), 37
    (relation,) = pattern.relations()
    bounds = head_count(relation, HeadTables(n, {}, {}), {}, False).pairs
    assert bounds.least == least(n)
    torch.manual_seed(0)
    for scale in (0.1, 10):
        q, v = (scale * torch.randn(1, 1, n, 8) for _ in range(2))
        lists = pattern.module.found_lists(q, q, v)
        (found,) = pattern.pairs(n, **{name: part[0] for name, part in lists.items()})
        assert bounds.least <= found <= bounds.most
