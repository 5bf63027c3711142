"""Which passes are split, by the tiles that their programs visit, and what is said of it."""

import numpy as np
import pytest

from patternc import Pattern
from patternc.cli.stage_text import stage_text
from patternc.frontend import Frontend
from patternc.pipeline import Compilation
from patternc.schedule.work_split import EXAMPLE_LENGTH, MIN_TILES, limits

LONG_LINES = {
    "local(256) + global([0])": (True, True),
    "causal\ncolumns([0:4]) + local(left=1019)": (False, True),
    "rows([0]) + local(9)": (True, False),
    "blocks(64) { local(1) + global([0, -1]) + random(3, pool=1:16) }": (True, True),
    "local(9) + global(question)": (True, True),
    "local(9) + full on stream(g, 256)\n\nrows g\nsame(document)": (False, True),
    "local(9)\n\nrows g\nfull + full on stream(g, 256)": (True, True),
}
NONE = [
    "full",
    "causal",
    "local(256)",
    "local(4096)",
    "local(256, dilation=8)",
    "segment(2048) + segment(4096, dilation=2)",
    "causal\nsegment(128) + columns(period(128, 96:128))",
    "global([0:131072])",
    "same(document)",
    "causal\nlocal(left=511) on memory(512) + local(left=511)",
]


def splits(text: str) -> tuple[bool, bool]:
    """Are rows split in any pass, and columns?"""
    passes = [
        item
        for groups in Pattern.parse(text).schedule().groups
        for g in groups
        for item in g.passes
    ]
    return any(item.split_rows for item in passes), any(item.split_columns for item in passes)


@pytest.mark.parametrize("text", LONG_LINES)
def test_few_long_lines_are_split(text: str) -> None:
    assert splits(text) == LONG_LINES[text]


@pytest.mark.parametrize("text", NONE)
def test_lines_that_hold_up_no_others_are_not_split(text: str) -> None:
    assert splits(text) == (False, False)


def test_the_longest_line_is_what_a_dense_count_finds() -> None:
    (group,) = Pattern.parse("local(256) + global([0])").schedule().groups[0]
    (item,) = group.passes
    tiles = EXAMPLE_LENGTH // 64
    split = item.split_rows
    assert split is not None
    assert (split.longest, split.median) == (tiles, 11)
    assert split.pieces * split.limits.piece >= tiles > (split.pieces - 1) * split.limits.piece


def test_pieces_are_short_and_not_too_many() -> None:
    """At any length a head has no more pieces than would fill a workspace of half its rows."""
    for n in 1 << np.arange(10, 21):
        lines = int(n) // 128
        visits = np.full(lines, 12)
        visits[: max(1, lines // 100)] = n // 64
        found = limits(int(visits.sum()), 12, lines)
        pieces = int(-(-visits[visits > found.piece] // found.piece).sum())
        assert pieces <= lines // 2 + lines // 100 + n // 64 // MIN_TILES + 1


def test_the_schedule_says_what_is_split_and_why() -> None:
    text = _schedule("local(256) + global([0])")
    assert "the longest query tile visits 2,048, the median 11: 47 pieces of 44" in text
    assert "the longest key tile visits 2,048, the median 10: 52 pieces of 40" in text
    assert "split lines" not in _schedule("local(256)")
    rest = "gradients of score tables are not split"
    for modifier, held in (("alibi", False), ("t5(32, 128)", True)):
        text = f"heads 2\n(local(256) + global([0])) with {modifier}"
        assert (rest in _schedule(text)) == held
    dilated = _schedule("local(256, dilation=8)")
    assert "not split: lines of equal length in every class" in dilated


def _schedule(text: str) -> str:
    return stage_text(Compilation(Frontend(text)), "schedule")
