"""The report: its JSON contract, its text, and what it says of published programs."""

import json
import re

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner

from examples import table
from patternc import Pattern
from patternc.analysis.cost.layer_cost import Workload
from patternc.analysis.cost.published_formulas import papers
from patternc.analysis.cost.roofline import devices, measurements
from patternc.cli.main import commands
from patternc.report.report_json import schema
from patternc.zoo import zoo
from tests.analysis.cost.closed_forms import holds_at, value

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
    assert "`document` is a run-time input" in unknown["notes"][0]
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
    from patternc.analysis.cost import visited_tiles as tiles

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
    with pytest.raises(ValueError, match="expected at least 1 of each"):
        Pattern.parse("full").report(0)
    with pytest.raises(ValueError, match="expected at least 1 of each"):
        Pattern.parse("full").report(8, 0)


# Heads that differ

TWO_KINDS = "heads 3\nhead == 0 -> full\nelse -> mix(local(1), diagonal)"


def test_each_head_is_told_its_own_density_in_every_format():
    n = 100
    report = Pattern.parse(TWO_KINDS).report(n)
    window = (3 * n - 2) / n**2
    (layer,) = report.document()["layers"]
    assert layer["head_density"] == pytest.approx([1, window, window])
    assert layer["density"] == pytest.approx((1 + 2 * window) / 3)
    VALIDATOR.validate(json.loads(json.dumps(report.document())))
    rows = [line.split() for line in report.text().splitlines() if line.split()[:1] == ["0"]][:2]
    assert [(row[1], next(cell for cell in row if "%" in cell)) for row in rows] == [
        ("0", "100.0000%"),
        ("1-2", "2.9800%"),
    ]
    for told in (report.markdown(), report.html()):
        assert "100.0000%" in told
        assert "2.9800%" in told
        assert f"{layer['density']:.4%}" not in told


def test_heads_on_other_sources_are_told_their_share_of_all_columns():
    n, text = 50, "heads 2\nhead == 0 -> full on persistent(30)\nelse -> local(2)"
    mask = Pattern.parse(text).mask(n)
    (layer,) = Pattern.parse(text).report(n).document()["layers"]
    assert layer["head_density"] == pytest.approx(mask.mean((1, 2)))
    assert layer["density"] == pytest.approx(mask.mean())


def test_the_density_of_a_bound_says_so():
    text = "heads 2\nhead == 0 -> same(document)\nelse -> local(1)"
    told = Pattern.parse(text).report(100).text()
    assert "at most 100.0000%" in told
    assert "at most 2.9800%" not in told


def test_the_order_of_layers_is_reported_the_right_way_round():
    text = "causal\nlayers 2\nlayer == 0 -> columns(period(128, 127:128))\nelse -> segment(128)"
    (line,) = (one for one in Pattern.parse(text).report(1024).text().splitlines() if "P211" in one)
    assert line.endswith(
        "at n = 1024: after 2 layers in reverse order, not within 2 layers as written"
    )
    (line,) = (
        one for one in Pattern.parse(text).report(1024, 6).text().splitlines() if "P211" in one
    )
    assert line.endswith("after 2 layers in reverse order, after 3 as written")


# What is asked


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("fp16", "float16"),
        ("half", "float16"),
        ("bf16", "bfloat16"),
        ("BF16", "bfloat16"),
        ("fp32", "float32"),
        ("float", "float32"),
        ("torch.bfloat16", "bfloat16"),
        (np.float16, "float16"),
        (np.dtype("float32"), "float32"),
        (None, "bfloat16"),
    ],
)
def test_dtypes_are_taken_by_their_usual_names(given, name):
    pattern = Pattern.parse("local(4)")
    told = pattern.report(64, dtype=given).document()
    assert told == pattern.report(64, dtype=name).document()
    assert told["dtype"] == name


def test_dtypes_of_torch_are_taken():
    torch = pytest.importorskip("torch")
    pattern = Pattern.parse("local(4)")
    for name in ("float32", "float16", "bfloat16"):
        assert pattern.report(64, dtype=getattr(torch, name)).document()["dtype"] == name
    with pytest.raises(ValueError, match=r"dtype is torch\.float64"):
        pattern.report(64, dtype=torch.float64)


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"n": "64"}, TypeError, "n is '64' .str.; expected an integer"),
        ({"n": 64.0}, TypeError, "n is 64.0"),
        ({"n": True}, TypeError, "n is True"),
        ({"n": -1}, ValueError, "n is -1"),
        ({"n": 1 << 31}, ValueError, "at most 2,147,483,647 tokens"),
        ({"head_dim": 0}, ValueError, "head_dim is 0"),
        ({"head_dim": "64"}, TypeError, "head_dim is '64'"),
        ({"kv_heads": 0}, ValueError, "kv_heads is 0"),
        ({"layers": "2"}, TypeError, "layers is '2'"),
        ({"layers": 1 << 17}, ValueError, "layers is 131072; expected at most 65,536"),
        ({"dtype": "int8"}, ValueError, "dtype is 'int8'"),
        ({"slots": 3}, TypeError, "slots is 3"),
        ({"slots": {"encoder": 1 << 40}}, ValueError, "at most 2,147,483,647"),
    ],
)
def test_odd_questions_are_refused_by_name(asked, error, told):
    with pytest.raises(error, match=told):
        Pattern.parse("full").report(**{"n": 64, **asked})


def test_integers_of_numpy_are_lengths_too():
    pattern = Pattern.parse("local(4)")
    asked = pattern.report(np.int64(64), np.int32(2), head_dim=np.int16(8))
    assert asked.json() == pattern.report(64, 2, head_dim=8).json()


@pytest.mark.parametrize("n", ["0", "-1", "4kk", "1e-3", "64.5", "", str(1 << 31)])
def test_the_command_refuses_odd_lengths_in_a_line(n):
    done = CliRunner().invoke(commands, ["report", "-e", "full", "-n", n])
    assert done.exit_code == 2
    assert "Invalid value for '-n'" in done.stderr


def test_the_command_takes_short_names_of_dtypes():
    told = [
        CliRunner().invoke(commands, ["report", "-e", "full", "-n", "9", "--dtype", name]).stdout
        for name in ("fp16", "float16")
    ]
    assert told[0] == told[1] != ""
    wrong = CliRunner().invoke(commands, ["report", "-e", "full", "-n", "9", "--dtype", "int8"])
    assert (wrong.exit_code, "one of float32, float16, bfloat16" in wrong.stderr) == (2, True)
