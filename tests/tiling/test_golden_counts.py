"""Published systems at their own lengths: pairs counted by the relation, never by a mask.

The numbers are sums over the definitions of the papers, worked out independently of this project.
"""

from __future__ import annotations

import pytest

from patternc.pattern import Pattern

FIXED = "causal\nsegment(128) + columns(period(128, 96:128))"
BIGBIRD = "blocks(64) { local(1) + global([0, -1]) + random(3, pool=1:16) }"
LONGNET_GEOMETRIC = """
mix(segment(128), segment(256, dilation=2), segment(512, dilation=4),
    segment(1024, dilation=8), segment(2048, dilation=16))
"""
LONGNET = """
heads 12
mix(segment(2048),
    segment(4096, dilation=2, offset=head % 2),
    segment(8192, dilation=4, offset=head % 4),
    segment(16384, dilation=6, offset=head % 6),
    segment(32768, dilation=12, offset=head % 12))
"""


@pytest.mark.parametrize(
    ("text", "n", "pairs"),
    [
        ("local(256)", 4096, 2_035_456),
        ("local(127)", 4096, 1_028_224),
        ("local(127)", 16384, 4_161_664),
        ("local(256) + global([0])", 4096, 2_043_134),
        ("local(512) + global([0])", 16384, 16_562_686),
        ("causal\nlocal(left=127)", 3072, 385_088),
        ("causal\nlocal(left=128)", 3072, 388_032),
        ("causal\nstrided(128)", 3072, 38_400),
        ("causal\nlocal(left=127) + strided(128)", 3072, 420_416),
        ("causal\nsegment(128)", 12288, 792_576),
        ("causal\ncolumns(period(128, 96:128))", 12288, 18_728_448),
        (FIXED, 12288, 19_470_336),
        ("causal", 12288, 75_503_616),
        (BIGBIRD, 4096, 2_547_712),
        (LONGNET_GEOMETRIC, 2048, 507_904),
        ("causal\nsegment(256, back=1)", 3072, 1_115_648),
        ("blocks(parts=2) { permuted([1, 0]) }", 512, 512 * 512 // 2),
    ],
)
def test_published_pair_counts(text, n, pairs):
    assert Pattern.parse(text).pairs(n)[0] == pairs


def test_longnet_published_counts_over_the_heads():
    counts = Pattern.parse(LONGNET).pairs(32768)
    assert (min(counts), max(counts)) == (139_799_212, 139_815_595)


def test_longnet_geometric_distinct_pairs_and_greatest_multiplicity():
    times = Pattern.parse(LONGNET_GEOMETRIC).multiplicity(2048)
    assert (int((times > 0).sum()), int(times.max())) == (385_024, 5)


def test_longnet_small_multiplicities():
    text = "mix(segment(64), segment(128, dilation=2), segment(256, dilation=4))"
    times = Pattern.parse(text).multiplicity(512)
    assert [int((times == count).sum()) for count in (1, 2, 3)] == [34816, 8192, 2048]


def test_bigbird_lists_622_blocks_at_its_own_block_size():
    counts = Pattern.parse(BIGBIRD).layout(4096, block=64).counts()
    assert (counts.full, counts.partial) == ((622,), (0,))
