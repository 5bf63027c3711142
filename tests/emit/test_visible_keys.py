"""Which rows kernels load: all that may see a key, by text that asks few numbers."""

from __future__ import annotations

import re

import pytest

from patternc import Pattern


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("local(256) + global([0])", "i >= -256"),
        ("global([0]) + local(left=2, right=5)", "i >= -5"),
        ("global([0]) + local(3)", "i >= -3"),
        ("causal\noffsets([1, 2]) + diagonal", "(i >= 0) & (i <= m + 1)"),
    ],
)
def test_rows_are_asked_for_one_range_where_theirs_meet(text: str, asked: str) -> None:
    """Rows before position 0 see the first keys too, where queries outnumber keys."""
    source = Pattern.parse(text).compile(backends=("triton",))
    assert re.findall(r"def _sees_\d+_kernel.*\n    return (.*)", source) == [asked]


@pytest.mark.parametrize("text", ["local(4) + global([0])", "local(right=2) + global([0, 3])"])
def test_no_row_that_sees_a_key_is_left_out(text: str) -> None:
    """For every number of keys; more rows may be asked for, but for a window alone."""
    pattern = Pattern.parse(text)
    source = pattern.compile(backends=("triton",))
    body = re.search(r"def _sees_0_kernel\(i, \w+, \w+\):\n((?:    .*\n)+)", source)
    assert body is not None
    for m in (1, 2, 4, 9):
        seen = pattern.mask(m, queries=m + 12)[0].any(axis=1)
        for row, sees in enumerate(seen):
            names = {"i": row - 12, "m": m, "_m": m}
            exec(re.sub(r"^    ", "", body[1], flags=re.M).replace("return ", "found = "), names)
            assert names["found"] or not sees, (m, row)
