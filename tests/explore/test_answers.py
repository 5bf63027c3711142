"""What the page is told equals what the pattern says elsewhere."""

import json

import pytest

from patternc import Pattern
from patternc.explore.answers import ANSWERS, answer
from patternc.report.svg import levels, shares

TEXT = "local(2) + global([0])"


def _window(text: str, n: int, cell: int, top: int, left: int, **asked: int) -> dict[str, object]:
    fields = {"text": text, "n": n, "cell": cell, "top": top, "left": left, **asked}
    return answer("mask", {"height": 8, "width": 8, **fields})


@pytest.mark.parametrize("text", [TEXT, "causal & strided(3)", "random(2)"])
@pytest.mark.parametrize(("cell", "top", "left"), [(1, 0, 0), (1, 30, 40), (2, 20, 3), (16, 0, 1)])
def test_a_window_is_that_part_of_the_mask(text: str, cell: int, top: int, left: int) -> None:
    found = _window(text, 64, cell, top, left)
    wanted = levels(shares(Pattern.parse(text).mask(64)[0], cell))[top : top + 8, left : left + 8]
    assert found["levels"] == ["".join(map(str, row)) for row in wanted.tolist()]
    assert (found["queries"], found["keys"]) == (64, 64)


def test_thin_lines_are_seen_at_a_billion_tokens() -> None:
    found = _window("global([0])", 10**9, 1 << 24, 0, 0)
    assert found["levels"] == ["1" * 8, *["1" + "0" * 7] * 7]


def test_far_windows_of_single_tokens_are_exact() -> None:
    found = _window(TEXT, 10**9, 1, 5 * 10**8, 5 * 10**8)
    assert found["levels"][0] == "55500000"


def test_windows_past_the_end_are_empty() -> None:
    assert _window(TEXT, 16, 1, 20, 0)["levels"] == []
    assert _window(TEXT, 16, 1, 12, 14)["levels"] == ["50", "55", "55", "55"]


def test_a_shaded_square_is_explained_by_a_pair_that_it_holds() -> None:
    at = 7 * 10**8
    found = answer("why", {"text": TEXT, "n": 10**9, "query": at, "key": at, "cell": 1 << 24})
    assert found["sees"]
    assert found["places"] == [{"start": 0, "stop": 8}]
    assert abs(found["query"] - found["key"]) <= 2


def test_places_of_a_reason_lie_in_the_text_by_lines() -> None:
    text = "causal\nlet near = local(2)\nnear + columns([0])"
    found = answer("why", {"text": text, "n": 32, "query": 20, "key": 0})
    assert [text[place["start"] : place["stop"]] for place in found["places"]] == ["columns([0])"]


def test_a_row_depends_on_more_keys_after_more_layers() -> None:
    found = answer("reach", {"text": "causal & local(2)", "n": 32, "query": 20, "count": 3})
    assert found["layers"] == [[[18, 21]], [[16, 21]], [[14, 21]]]


def test_programs_are_compared_with_a_witness() -> None:
    found = answer("diff", {"text": "local(2)", "other": "local(3)"})
    assert (found["outcome"], found["witness"]["n"]) == ("different", 4)
    assert answer("diff", {"text": "local(2)", "other": "local(2)"})["outcome"] == "equal"


def test_mistakes_come_with_their_places() -> None:
    found = answer("mask", {"text": "full + locl(3)", "n": 8, "cell": 1})
    (only,) = found["diagnostics"]
    assert (only["code"], only["start"], only["stop"]) == ("P040", 7, 11)


def test_warnings_and_lengths_that_fit_are_told() -> None:
    found = answer("check", {"text": "heads 2\nneighborhood([4, 4], radius=[1, 1])"})
    assert (found["heads"], found["lengths"], found["diagnostics"]) == (2, [16, 16], [])


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("mask", {}, "text is missing"),
        ("mask", {"text": "full", "n": 0, "cell": 1}, "n is 0; expected 1 to 2,147,483,647"),
        ("mask", {"text": "full", "n": True, "cell": 1}, "n is True; expected an integer"),
        ("mask", {"text": "full", "n": 8, "cell": 1, "height": 999}, "height is 999"),
        ("mask", {"text": "same(doc)", "n": 2**30, "cell": 2**24}, "`doc` is given at call time"),
        ("why", {"text": "full", "n": 8, "query": 8, "key": 0}, "query is 8; expected 0 to 7"),
        ("reach", {"text": "full", "n": 9999, "query": 1}, "up to 4,096 tokens"),
        ("shell", {}, "unknown request 'shell'"),
    ],
)
def test_what_cannot_be_answered_is_said(name: str, fields: dict[str, object], said: str) -> None:
    assert said in answer(name, {"height": 8, "width": 8, **fields})["error"]


def test_every_answer_is_plain_json() -> None:
    fields = {"text": TEXT, "other": "full", "n": 64, "cell": 1, "height": 4, "width": 4}
    for name in ANSWERS:
        found = answer(name, {**fields, "query": 1, "key": 0})
        assert "error" not in found
        json.dumps(found)
