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


@pytest.mark.parametrize(
    "text",
    [
        "top_blocks(3, block=5) & local(9)",
        "nearest(3) - local(2)",
        "lsh(4, chunk=4, rounds=2, match=bucket)",
        "causal\nmix(lsh(4, chunk=4, rounds=2, edge=wrap))",
        "causal\ncluster(3, 6, means=mu)",
        "mean(cluster(3, 6, means=mu, own=last))",
    ],
)
def test_what_calls_find_is_between_the_least_and_the_most_of_a_report(text):
    """Of drawn tensors, and of equal queries, which all hash to one bucket and near one mean."""
    pattern, n = Pattern.parse(text), 37
    (relation,) = pattern.relations()
    bounds = head_count(relation, HeadTables(n, {}, {}), {}, False).pairs
    for seed in range(6):
        q, k = torch.randn(2, 1, 1, n, 8, generator=torch.Generator().manual_seed(seed))
        q = q[:, :, :1].expand_as(q).contiguous() if seed % 3 == 0 else q
        given = {"mu": k[:, 0, :3]} if "mu" in text else {}
        lists = pattern.module.found_lists(q, q if seed % 2 else k, k, **given)
        (found,) = pattern.pairs(n, **{name: part[0] for name, part in lists.items()})
        assert bounds.least <= found <= bounds.most
