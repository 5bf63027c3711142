"""What searches multiply, and that reports say so beside what attention does."""

from __future__ import annotations

import pytest

from patternc import Pattern


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
