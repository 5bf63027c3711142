"""`patternc diff` and `patternc why` as a user meets them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from patternc import Pattern
from patternc.cli.main import commands


def run(*arguments: str):
    return CliRunner().invoke(commands, arguments)


@pytest.fixture
def two(tmp_path):
    def write(left: str, right: str) -> tuple[str, str]:
        paths = tmp_path / "left.pat", tmp_path / "right.pat"
        for path, text in zip(paths, (left, right), strict=True):
            path.write_text(text, encoding="utf-8")
        return str(paths[0]), str(paths[1])

    return write


def test_diff_exits_with_zero_for_a_proof_of_equality(two):
    result = run("diff", *two("local(3)", "local(left=3, right=3)"), "-n", "64")
    assert result.exit_code == 0
    assert result.stdout.startswith("equal: all multiplicities agree")


def test_diff_exits_with_one_and_shows_the_smallest_witness(two):
    result = run("diff", *two("local(3)", "local(4)"), "-n", "64")
    assert result.exit_code == 1
    assert "at n = 5, layer 0, head 0: query 0, key 4 counts not at all on the left" in (
        result.stdout
    )
    assert "0 pairs only left, 120 only right" in result.stdout


def test_diff_exits_with_two_where_nothing_is_decided_or_a_program_is_at_fault(two, tmp_path):
    undecided = two("same(a) & local(3)", "same(a) & local(4)")
    assert run("diff", *undecided, "-n", "64").exit_code == 2
    assert run("diff", *two("locl(3)", "local(3)")).exit_code == 2
    assert run("diff", str(tmp_path / "none.pat"), two("full", "full")[0]).exit_code == 2


def test_diff_takes_texts_and_files_of_masks(two, tmp_path):
    mask = tmp_path / "mask.npy"
    np.save(mask, Pattern.parse("local(3)").mask(20))
    assert run("diff", "-e", "local(3)", "-e", "local(left=3, right=3)").exit_code == 0
    assert run("diff", two("local(4)", "")[0], "-e", "local(3)", "-n", "64").exit_code == 1
    assert run("diff", str(mask), "-e", "local(3)").stdout.startswith("equal at n = 20, in all")
    assert run("diff", str(mask), str(mask), "-n", "21").exit_code == 2
    found = run("diff", str(mask), "-e", "local(4)")
    assert found.exit_code == 1
    assert found.stdout == (
        "different at n = 20\n  head 0: 0 pairs on the left only, 32 on the right only; "
        "the first is query 0, key 4\n"
    )
    document = run("diff", str(mask), "-e", "local(4)", "--output-format", "json").stdout
    assert json.loads(document) == {
        "format": "patternc.mask_diff/1", "outcome": "different", "n": 20, "queries": 20,
        "parts": [{"head": 0, "only_left": 0, "only_right": 32, "first": [0, 4]}],
    }  # fmt: skip
    for arguments in (["-e", "full"], ["-e", "full", "-e", "full", str(mask)]):
        assert run("diff", *arguments).exit_code == 2


def test_diff_as_json_carries_the_witness_and_both_sides(two):
    result = run("diff", *two("local(3)", "local(4)"), "-n", "64", "--output-format", "json")
    found = json.loads(result.stdout)
    assert (found["format"], found["outcome"]) == ("patternc.diff/1", "different")
    assert found["witness"] == {
        "layer": 0, "head": 0, "n": 5, "query": 0, "key": 4, "source": "tokens", "left": 0,
        "right": 1, "smallest": True,
    }  # fmt: skip
    assert found["left"]["reach"][0]["size_max"] == 7
    assert found["right"]["pairs"] == [[64 * 9 - 20]]


def test_why_names_the_term_and_the_path():
    result = run("why", "-e", "local(1) + global([0])", "-n", "64", "--query", "40", "--key", "20")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "query 40 does not attend to key 20 in layer 0, n = 64",
        "  head 0: no term contains the pair",
        "the key reaches the query after 2 layers:",
        "  layer 0: 0 attends to 20 (head 0, `global([0])`)",
        "  layer 1: 40 attends to 0 (head 0, `global([0])`)",
    ]


def test_why_names_the_rule_that_drops_a_pair():
    result = run("why", "-e", "causal\nlocal(3)", "-n", "64", "--query", "5", "--key", "7")
    assert "`local(3)` would allow it, the header `causal` (line 1, column 1) excludes it" in (
        result.stdout
    )


def test_why_as_json_is_the_same_in_data():
    words = ("why", "-e", "local(1)", "-n", "8", "--query", "3", "--key", "2")
    found = json.loads(run(*words, "--output-format", "json").stdout)
    assert found["sees"]
    assert found["heads"][0]["allowed_by"] == [{"text": "local(1)", "line": 1, "column": 1}]
    assert [step["key"] for step in found["path"]] == [2]


def test_a_position_outside_the_sequence_is_wrong_usage():
    result = run("why", "-e", "local(1)", "-n", "8", "--query", "8", "--key", "2")
    assert result.exit_code == 2
    assert "query is 8; positions count from 0 to 7" in result.stderr
