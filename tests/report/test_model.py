"""The report: its JSON contract, its text, and what it says of published programs."""

import json
import re

import jsonschema
import numpy as np
import pytest

from examples import table
from patternc import Pattern
from patternc.analysis.complexity.layers import Workload
from patternc.analysis.papers import papers
from patternc.analysis.roofline import devices, measurements
from patternc.report.model_json import schema
from patternc.zoo import zoo
from tests.analysis.forms import holds_at, value

VALIDATOR = jsonschema.Draft202012Validator(schema())
LENGTHS = {example.path.stem: example.length for example in table.examples()}
# Receptive fields of these take seconds; their counts are tested beside.
QUICK = ("causal", "gemma", "led_cross", "longformer", "packed_documents", "transformer_xl")


def test_the_schema_is_one_itself():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", QUICK)
def test_a_report_is_what_the_schema_says(name):
    document = Pattern.from_zoo(name).report(LENGTHS[name]).document()
    VALIDATOR.validate(json.loads(json.dumps(document)))


@pytest.mark.sweep
@pytest.mark.parametrize("name", zoo())
def test_every_report_is_what_the_schema_says(name):
    VALIDATOR.validate(Pattern.from_zoo(name).report(LENGTHS[name]).document())


def test_the_contract_of_the_json():
    document = Pattern.from_zoo("longformer").report(4096, 3).document()
    assert document["format"] == "patternc.report/1"
    assert (document["n"], len(document["layers"]), document["full_at"]) == (4096, 3, 2)
    layer = document["layers"][0]
    assert layer["pairs"] == layer["pairs_with_multiplicity"] == [2_043_134] * 12
    assert layer["density"] == pytest.approx(0.12178, abs=1e-5)
    assert layer["closed_form"] == ["515*n - 66306 for n >= 257"] * 12
    assert layer["reach"] == {
        "size_min": 258,
        "size_median": 514,
        "size_max": 4096,
        "left_max": 4095,
        "right_max": 4095,
        "holes": 3838,
        "exact": True,
    }
    assert document["warnings"] == []


def test_layers_repeat_the_schedule():
    document = (
        Pattern.parse("layers 2\nlayer == 0 -> diagonal\nelse -> full").report(10, 5).document()
    )
    assert [layer["pairs"] for layer in document["layers"]] == [[10], [100], [10], [100], [10]]


def test_warnings_are_those_of_check():
    document = Pattern.parse("causal\nglobal([0]) + local(4)").report(64).document()
    assert "P205" in [warning["code"] for warning in document["warnings"]]


def test_what_the_call_decides_is_a_bound_that_its_inputs_make_exact():
    pattern = Pattern.from_zoo("packed_documents")
    unknown = pattern.report(512).document()
    assert unknown["layers"][0]["pairs_exact"] == [False]
    assert "`document` is given at the call" in unknown["notes"][0]
    document = np.arange(512) // 100
    known = pattern.report(512, document=document).document()
    assert known["layers"][0]["pairs"] == [int(pattern.mask(512, document=document).sum())]
    assert known["layers"][0]["pairs_exact"] == [True]
    assert known["notes"] == []
    assert known["layers"][0]["pairs"] <= unknown["layers"][0]["pairs"]


def test_products_are_those_of_the_pairs_and_of_the_tiles():
    layer = Pattern.parse("causal\nsegment(128)").report(1024, head_dim=32).document()["layers"][0]
    pairs = 8 * 128 * 129 // 2
    assert layer["products"]["useful"] == {"forward": 4 * 32 * pairs, "backward": 10 * 32 * pairs}
    query, key = layer["tiles"]["query"], layer["tiles"]["key"]
    issued = sum(layer["tiles"]["visited"]) * query * key
    assert layer["products"]["issued"]["forward"] == 4 * 32 * issued
    assert issued >= pairs


@pytest.mark.parametrize("n", [130, 4096])
@pytest.mark.parametrize(
    "text", ["local(100)", "causal\nlocal(left=9) + global([0])", "full on pool(16, sum)"]
)
def test_visited_tiles_are_those_of_the_layout(text, n):
    pattern = Pattern.parse(text)
    tiles = pattern.report(n).document()["layers"][0]["tiles"]
    counts = pattern.layout(n, (tiles["query"], tiles["key"])).counts()
    assert tiles["visited"] == [counts.full[0] + counts.partial[0]]


@pytest.mark.parametrize("n", [100, 1024, 3000])
@pytest.mark.parametrize(
    ("text", "segment", "first", "stride"),
    [
        ("causal\nsegment(1024, dilation=4, offset=1)", 1024, [1], 4),
        ("local(100, dilation=3)", 4096, [0, 1, 2], 3),
    ],
)
def test_dilated_patterns_are_charged_the_tiles_of_their_classes(text, segment, first, stride, n):
    pattern = Pattern.parse(text)
    mask, tiles = pattern.mask(n)[0], pattern.report(n).document()["layers"][0]["tiles"]
    starts = [start + residue for start in range(0, n, segment) for residue in first]
    stops = [min(start - start % segment + segment, n) for start in starts]
    classes = [np.arange(*ends, stride) for ends in zip(starts, stops, strict=True)]
    held = [np.argwhere(mask[np.ix_(members, members)]) for members in classes]
    shape = (tiles["query"], tiles["key"])
    assert tiles["visited"] == [sum(len(np.unique(each // shape, axis=0)) for each in held)]


@pytest.mark.parametrize("text", ["causal\nlocal(left=100)", "local(100) + global([0])"])
def test_visited_tiles_go_on_where_there_are_too_many_rows(text, monkeypatch):
    from patternc.analysis.complexity import tiles

    pattern = Pattern.parse(text)
    direct = pattern.report(50_001).document()["layers"][0]["tiles"]["visited"]
    tiles.formula_tiles.cache_clear()
    monkeypatch.setattr(tiles, "MOST_ROWS", 100)
    assert pattern.report(50_001).document()["layers"][0]["tiles"]["visited"] == direct


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("causal\nlocal(left=127)", 127),
        ("causal\ncolumns([0:4]) + local(left=127)", 131),
        ("causal", 4096),
        ("causal\nstrided(128)", 4096),
        ("causal\nsegment(100)", 96),
        ("causal\nsegment(128) + columns(period(128, 96:128))", 1024),
        ("local(3)", None),
    ],
)
def test_a_decoder_keeps_the_keys_that_later_rows_see(text, kept):
    memory = Pattern.parse(text).report(4096).document()["layers"][0]["memory"]
    assert memory["decode_keys"] == (None if kept is None else [kept])


def test_key_heads_share_their_cache():
    pattern = Pattern.parse("causal\nheads 8\nlocal(left=127)")
    shared = pattern.report(1024, kv_heads=2).document()["layers"][0]["memory"]
    assert shared["decode_keys"] == [127, 127]
    assert shared["prefill_cache"] == 2 * 2 * 1024 * 64 * 2
    with pytest.raises(ValueError, match="8 heads are no multiple of 3 key heads"):
        pattern.report(1024, kv_heads=3)


# Papers.


def test_every_formula_is_that_of_a_published_program():
    assert set(papers()) <= set(zoo())


@pytest.mark.parametrize(
    ("name", "n", "verdict"),
    [
        ("full", 512, "exact"),
        ("linformer", 1024, "exact"),
        ("longformer", 4096, "upper bound"),
        ("sparse_transformer_fixed", 12288, "lower than counted"),
        ("packed_documents", 512, None),
    ],
)
def test_the_papers_formula_has_a_verdict(name, n, verdict):
    found = Pattern.from_zoo(name).report(n).document()["paper"]
    assert (found and found["verdict"]) == verdict


def test_a_changed_program_has_no_paper():
    text = Pattern.from_zoo("longformer").text.replace("local(256)", "local(255)")
    assert Pattern(text, name="longformer.pat").report(512, 1).document()["paper"] is None


# Rooflines.


def test_every_device_has_a_time_and_faster_ones_less():
    document = Pattern.parse("full").report(8192).document()
    times = {row["device"]: row["forward"]["seconds"] for row in document["roofline"]}
    assert list(times) == ["A100", "H100", "H200", "B200", "MI300X", "CPU"]
    assert times["CPU"] > times["A100"] > times["H100"] > times["B200"] > 0


def test_a_short_window_is_limited_by_bytes_and_full_attention_by_products():
    narrow = Pattern.parse("diagonal").report(8192, dtype="float16").facts.rooflines[0]
    wide = Pattern.parse("full").report(8192, dtype="float16").facts.rooflines[0]
    assert narrow.forward.seconds < wide.forward.seconds
    assert wide.forward.limit == "products"


def test_measurements_stand_beside(tmp_path):
    row = {"example": "full", "n": 512, "head_dim": 64, "dtype": "bfloat16", "forward_ms": 0.5}
    (tmp_path / "one.json").write_text(json.dumps({"device": "H200", "rows": [row]}))
    (tmp_path / "other.json").write_text(json.dumps({"machine": "x86_64", "rows": [row]}))
    found = measurements(tmp_path, "full", Workload(512))
    assert set(found) == {"H200"} <= {device.name for device in devices()}
    assert (found["H200"].forward, found["H200"].backward) == (0.0005, None)
    assert measurements(tmp_path, "full", Workload(513)) == {}


# For people.


def test_the_text_has_the_numbers_of_the_document():
    told = Pattern.from_zoo("longformer").report(4096).text()
    for part in ("2,043,134", "12.1780%", "515*n - 66306 for n >= 257", "full at  2", "H200"):
        assert part in told


def test_equal_layers_stand_together():
    told = Pattern.from_zoo("gemma").report(1024).text()
    assert re.search(r"^  0-4, 6-10, 12-16, 18-22, 24-25 ", told, re.MULTILINE)


def test_markdown_is_made_of_tables():
    told = Pattern.from_zoo("longformer").report(4096).markdown()
    assert told.startswith("# longformer.pat: n = 4,096, 12 layers\n")
    for line in told.splitlines():
        assert not line or line.startswith(("#", "| "))


# Lengths no mask has.


def test_a_report_at_a_billion_tokens():
    document = Pattern.from_zoo("streaming_llm").report(10**9, 2).document()
    (pairs,) = document["layers"][0]["pairs"]
    (form,) = document["layers"][0]["closed_form"]
    assert pairs == 1024 * 10**9 - 523_776 == value(form, 10**9)
    assert holds_at(form, 10**9)
    assert document["layers"][1]["reach"]["size_max"] == 2043


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="at least one token and layer"):
        Pattern.parse("full").report(0)
    with pytest.raises(ValueError, match="at least one token and layer"):
        Pattern.parse("full").report(8, 0)
