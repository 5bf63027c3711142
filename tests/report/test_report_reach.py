"""What a report says of flow, against dense Boolean products: every number of it."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest

from patternc import Pattern
from patternc.report.report_json import schema
from tests.analysis.reach.dense_reach import dense_fields, facts

VALIDATOR = jsonschema.Draft202012Validator(schema())
# Schedules that differ by layer, leave out keys and rows, draw, and never connect all.
PROGRAMS = (
    "local(2) + global([0])",
    "causal\nlayers 2\nlayer == 0 -> segment(8)\nelse -> columns(period(8, 7:8))",
    "causal\nlayers 2\nlayer == 0 -> columns(period(8, 7:8))\nelse -> segment(8)",
    "layers 2\nheads 2\nlayer == 0 and head == 0 -> local(left=1, dilation=3)\nelse -> local(1)",
    "heads 2\nhead == 0 -> columns([3]) & rows([0:9])\nelse -> segment(8, dilation=2)",
    "heads 3\nblocks(4) { local(left=1) + random(1) }",
    "layers 3\nallow empty\nlayer == 1 -> rows([5])\nelse -> local(left=-1, right=2)",
    "local(1) + full on stream(g, 2)\nrows g\ncolumns([0:9]) + diagonal on stream(g, 2)",
    "causal\ndiagonal + contextual(1) on tree(2)",
)
N, LAYERS = 37, 5


def reported(text: str) -> dict:
    document = json.loads(Pattern.parse(text).report(N, LAYERS).json())
    VALIDATOR.validate(document)
    return document


@pytest.mark.parametrize("text", PROGRAMS)
def test_hops_and_unconnected_pairs_are_counted(text: str) -> None:
    document = reported(text)
    causal, every = dense_fields(Pattern.parse(text), N, LAYERS)
    totals = [0, N, *(int(fields.sum()) for fields in every)]
    assert document["causal"] == causal
    assert document["hops"] == np.diff(totals).tolist()
    permitted = N * (N + 1) // 2 if causal else N * N
    unreached = document["unreached"]
    assert unreached["pairs"] == permitted - totals[-1]
    assert (unreached["example"] is None) == (unreached["pairs"] == 0)
    if unreached["example"]:
        query, key = unreached["example"]
        assert not every[-1][query, key]
        assert key <= query or not causal


@pytest.mark.parametrize("text", PROGRAMS)
def test_settled_schedules_connect_nothing_more(text: str) -> None:
    pattern = Pattern.parse(text)
    _, every = dense_fields(pattern, N, LAYERS + 12)
    if reported(text)["unreached"]["settled"]:
        assert np.array_equal(every[LAYERS - 1], every[-1])
    assert json.loads(pattern.report(N, 40).json())["unreached"]["settled"]


@pytest.mark.parametrize("text", PROGRAMS)
def test_fields_without_the_residual_path_are_those_of_products(text: str) -> None:
    document = reported(text)["without_residual"]
    _, every = dense_fields(Pattern.parse(text), N, LAYERS, residual=False)
    for told, fields in zip(document["reach"], every, strict=True):
        wanted = facts(fields)
        assert told == {name: getattr(wanted, name) for name in told}


@pytest.mark.parametrize("text", PROGRAMS)
def test_rows_without_keys_and_keys_unseen_are_told_layer_by_layer(text: str) -> None:
    pattern = Pattern.parse(text)
    for layer, told in enumerate(reported(text)["layers"]):
        mask = pattern.mask(N, layer=layer % (pattern.layers or 1))
        assert told["unmet"]["empty_rows"] == (~mask.any(axis=2)).sum(axis=1).tolist()
        seen = mask[:, :, :N].any(axis=(0, 1))
        if "tree" not in text:
            assert told["unmet"]["unseen_keys"] == int((~seen).sum())


@pytest.mark.parametrize("text", [text for text in PROGRAMS if "heads" in text])
def test_what_a_head_adds_is_lost_without_it(text: str) -> None:
    pattern = Pattern.parse(text)
    masks = [pattern.mask(N, layer=layer % (pattern.layers or 1)) for layer in range(LAYERS)]

    def connected(heads: list[int]) -> int:
        fields = np.eye(N, dtype=np.int64)
        for mask in masks:
            fields = ((np.eye(N, dtype=np.int64) + mask[heads].any(axis=0)) @ fields > 0) * 1
        return int(fields.sum())

    every = list(range(pattern.heads or 1))
    lost = [connected(every) - connected([one for one in every if one != head]) for head in every]
    assert reported(text)["contributions"] == lost


def test_rows_of_streams_have_their_pairs() -> None:
    text = "heads 2\nlocal(1) + full on stream(g, 3)\nrows g\ncolumns([0:9]) + full on stream(g, 3)"
    (rows,) = Pattern.parse(text).report(N).document()["layers"][0]["other_rows"]
    mask = Pattern.parse(text).mask(N, rows="g")
    assert rows == {
        "name": "g", "rows": 3, "keys": N + 3, "pairs": mask.sum(axis=(1, 2)).tolist(),
        "density": mask.mean(),
    }  # fmt: skip
    (tree,) = Pattern.parse("full on tree(3)").report(N).document()["layers"][0]["other_rows"]
    assert tree["pairs"] == [Pattern.parse("full on tree(3)").mask(N, rows="tree").sum()]


def test_the_density_of_other_rows_counts_a_pair_once() -> None:
    text = "full on stream(g, 3)\nrows g\nmix(full, columns([0:9]))"
    (rows,) = Pattern.parse(text).report(N).document()["layers"][0]["other_rows"]
    assert (rows["pairs"], rows["density"]) == ([3 * (N + 9)], 1.0)


def test_rows_of_streams_that_the_call_decides_are_not_known() -> None:
    report = Pattern.from_zoo("etc").report(512, 2)
    (rows,) = report.document()["layers"][0]["other_rows"]
    assert (set(rows["pairs"]), rows["density"]) == ({None}, None)
    assert report.document()["full_exact"] is False
    assert "at call time" in report.text()


def test_every_format_shows_the_slowest_pair_with_the_terms_of_its_path() -> None:
    report = Pattern.parse("causal\n(local(left=4)\n + columns([0]))").report(64, 20)
    found = report.document()["slowest"]
    assert (found["query"], found["key"], found["layers"]) == (62, 1, 16)
    assert [step["layer"] for step in found["path"]] == list(range(16))[::-1]
    term = {"text": "local(left=4)", "line": 2, "column": 2}
    assert all(term in step["terms"] for step in found["path"])
    for told in (report.text(), report.markdown(), report.html()):
        assert "query 62 depends on key 1 after 16 layers" in told
        assert "local(left=4)" in told


def test_a_slowest_pair_that_is_not_known_is_absent_for_a_reason() -> None:
    document = Pattern.parse("same(document)").report(64).document()
    assert document["slowest"] is None
    assert "the call decides" in document["slowest_absent"]
    document = Pattern.parse("diagonal").report(64).document()
    assert document["slowest_absent"] == "positions depend only on themselves"


def test_the_flow_of_a_billion_tokens_is_told_from_closed_forms() -> None:
    document = Pattern.from_zoo("sliding_window").report(10**9, 4).document()
    VALIDATOR.validate(document)
    assert (document["slowest"]["query"], document["slowest"]["key"]) == (3 * 4095 + 1, 0)
    assert len(document["slowest"]["path"]) == 4
    assert document["layers"][0]["unmet"] == {"empty_rows": [0], "unseen_keys": 0}
    assert document["unreached"]["example"] == [4 * 4095 + 1, 0]
