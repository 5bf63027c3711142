"""The last reader of every key, and the pages of a cache that are still needed, against masks."""

import numpy as np
import pytest

from patternc import Pattern
from patternc.analysis.cost.kv_cache import is_causal
from patternc.analysis.cost.last_reader import LastReader
from patternc.ir.sources import TOKENS, word_of
from patternc.zoo import zoo
from tests.examples import smaller

INPUTS = {
    "packed_documents": {"document": lambda n: np.arange(n) // 10},
    "tree_decoding": {"ancestors": lambda n: np.full((n, 1), -1)},
    "deepseek_sparse": {"nearest": lambda n: np.arange(n)[:, None] // 2},
    "shared_prefix": {
        "document": lambda n: np.arange(n) // 10,
        "story": lambda n: np.arange(n) // 30,
        "prefix": lambda n: np.arange(n) // 10 % 3 == 0,
    },
    "document_blocks": {
        "document": lambda n: np.arange(n) // 10,
        "pos": lambda n: np.arange(n) % 10,
    },
    "minference": {
        "kind": lambda n: np.full(n, 2),
        "vertical": lambda n: np.arange(n) % 7,
        "slash": lambda n: np.array([0, 1, 9]),
        "found": lambda n: np.zeros((n, 1), int),
    },
    "minference_vertical_slash": {
        "vertical": lambda n: np.arange(n) % 7,
        "slash": lambda n: np.array([0, 1, 9]),
    },
    "routing": {"cluster": lambda n: np.zeros((n, 1), int)},
    "moba": {"top_blocks": lambda n: np.zeros((n, 1), int)},
    "sepllm": {"separators": lambda n: np.arange(n) % 9 == 4},
    "unlimiformer": {"nearest": lambda n: np.zeros((n, 1), int)},
}
SMALL = [
    "causal\nlocal(left=5)",
    "causal\ncolumns([0:3]) + local(left=6)",
    "causal\nsegment(7)",
    "causal\nlocal(left=3, dilation=4)",
    "causal\nsegment(8) + columns(period(8, 6:8))",
    "causal\nlocal(left=2) + where((i - j) % 5 == 0 and i - j < 12)",
    "causal\nheads 4\nlocal(left=2 + 3 * head) + where(j % 16 < head)",
    "causal\nblocks(4) { local(left=1) }",
    "causal\nwhere(j < 20 and i < 25) + diagonal",
]


@pytest.mark.parametrize("text", SMALL)
@pytest.mark.parametrize("page", [1, 4])
def test_the_last_reader_is_that_of_the_mask(text, page):
    pattern, n = Pattern.parse(text), 96
    mask = pattern.mask(n)
    for head, last in enumerate(pattern.last_reader(page=page)):
        assert last.exact
        for at in range(n // 2 // page):
            read = np.flatnonzero(mask[head][:, at * page : (at + 1) * page].any(1))
            found = last.at(at)
            if found is None:
                assert read[-1] >= n - 16
            else:
                assert found == (read[-1] if len(read) else -1)


@pytest.mark.parametrize("text", SMALL)
def test_live_pages_are_those_that_later_rows_of_the_mask_read(text):
    pattern, n, page = Pattern.parse(text), 96, 4
    mask = pattern.mask(n).any(0)
    for t in (0, 7, 30, 63):
        live = pattern.live_pages(t, page=page)
        later = np.flatnonzero(mask[t + 1 :, : t + 1].any(0))
        expected = set((later // page).tolist())
        assert {p for some in live.ranges() for p in some} == expected
        assert {p for p in range(n) if p in live} == expected
        assert (live.count, live.exact) == (len(expected), True)
        dropped = [p for p in range(n) if live.may_drop(p)]
        assert dropped == [p for p in range((t + 1) // page) if p not in expected]
        assert live.dropped == len(dropped)


def readers_of(pattern: Pattern) -> tuple[LastReader, ...]:
    """Nothing where a row sees a later token, or all tokens at once."""
    refused = "see later tokens|are made of all tokens"
    if is_causal(pattern.relations()) and not {"pool", "project", "tree"} & words(pattern):
        return pattern.last_reader()
    with pytest.raises(ValueError, match=refused):
        pattern.last_reader()
    return ()


def words(pattern: Pattern) -> set[str]:
    return {word_of(source).split("(")[0] for source in pattern.sources()}


@pytest.mark.parametrize("name", zoo())
def test_nothing_that_an_example_still_reads_is_dropped(name):
    pattern, n = smaller(name), 80
    heads = readers_of(pattern)
    slots = {"memory": 4, "compressed": 4, "encoder": 4}
    inputs = INPUTS.get(name, {})
    known = {word: count for word, count in slots.items() if word in words(pattern)}
    if not heads:
        return
    if pattern.fitting() is not None:
        n = pattern.fitting()[1]
    mask = pattern.mask(n, slots=known, **{word: value(n) for word, value in inputs.items()})
    ends = np.cumsum([count for _, count in pattern.columns(n, slots=known)])
    for head, last in zip(mask, heads, strict=False):
        tokens = dict(zip(pattern.sources(), np.split(head, ends, axis=1), strict=False))
        read = tokens.get(TOKENS, np.zeros((n, n), bool))
        for key in range(0, n, max(n // 40, 1)):
            rows, at = np.flatnonzero(read[:, key]), last.at(key)
            if at is not None and (at < n or not last.exact):
                seen = rows[-1] if len(rows) else -1
                assert seen == at if last.exact else seen <= at


def test_what_decides_at_the_call_makes_a_bound():
    last = Pattern.parse("causal\nlocal(left=3) & same(doc)").last_reader()[0]
    assert (last.at(10), last.exact, last.reason) == (13, False, "tables choose among the pairs")
    of_n = Pattern.parse("causal\nwhere(j >= n - 4 or j < 2)").last_reader()[0]
    assert (of_n.at(10), of_n.exact) == (None, False)


def test_closed_forms_serve_a_billion_tokens():
    live = Pattern.parse("causal\ncolumns([0:4]) + local(left=127)").live_pages(10**9)
    assert (live.count, live.dropped, live.exact) == (10, 62_499_991, True)
    assert live.ranges() == (range(62_499_992, 62_500_001), range(1))
    assert [live.may_drop(page) for page in (0, 1, 62_499_991, 62_499_992)] == [0, 1, 1, 0]
    summary = Pattern.parse("causal\nsegment(128) + columns(period(128, 96:128))")
    assert summary.live_pages(10**9).count == 10**9 // 64 + 1
    assert summary.last_reader()[0].at(10**9) == 10**9 + 127


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("causal\nlocal(left=255)", "j + 255"),
        ("causal\nsegment(100)", "j - j % 100 + 99"),
        ("causal\nstrided(128)", "read for ever"),
        (
            "causal\ncolumns([0:4]) + local(left=9)",
            "j + 9 where j >= 4; read for ever where j <= 3",
        ),
    ],
)
def test_the_closed_form_is_readable(text, formula):
    assert Pattern.parse(text).last_reader()[0].formula == formula


def test_what_cannot_drop_a_key_says_why():
    with pytest.raises(ValueError, match="write `causal` on a line of its own"):
        Pattern.parse("local(3)").last_reader()
    with pytest.raises(ValueError, match="slots of project are made of all tokens"):
        Pattern.from_zoo("linformer").live_pages(10)
    with pytest.raises(ValueError, match="page is 0"):
        Pattern.parse("causal").live_pages(10, page=0)
