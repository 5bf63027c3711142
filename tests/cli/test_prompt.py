"""Starting at a prompt: lengths, new, cache, completion, doctor, bench, SARIF, and their errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
import torch
from click.testing import CliRunner, Result

import patternc
from patternc import Pattern
from patternc.cli.lengths import Length
from patternc.cli.main import commands
from patternc.machine import compared_calls
from patternc.machine.compared_calls import LeftOut, Shapes, Timing, compared
from patternc.zoo import published


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, arguments)


@pytest.mark.parametrize(
    ("text", "number"),
    [("4096", 4096), ("4k", 4096), ("1.5K", 1536), ("1M", 2**20), ("1e6", 10**6), ("1_000", 1000)],
)
def test_lengths_are_read_as_people_write_them(text: str, number: int) -> None:
    assert Length(1, 2**30).convert(text, None, None) == number


@pytest.mark.parametrize("text", ["4kb", "1e-3", "0.3k", "k", "", "1e999", "٣"])
def test_what_is_no_length_is_told_with_what_is(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"expected a number such as 4096, 4k, 1M or 1e6"):
        Length(1, 2**30).convert(text, None, None)


def test_a_length_outside_the_range_is_told() -> None:
    assert "0 is not in the range 1<=x<=16777216" in run("show", "-e", "full", "-n", "0").stderr
    assert "-3 is not in the range" in run("show", "-e", "full", "-n", "-3").stderr
    assert "n = 2,048" in run("report", "-e", "full", "-n", "2k").stdout


def test_a_new_program_has_no_mistakes_and_replaces_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("new", "mine").exit_code == 0
    checked = run("check", "mine.pat", "--teach", "-n", "4096")
    assert checked.stdout == "mine.pat: any number of layers, any number of heads\n"
    assert "error[" not in checked.stderr
    assert "warning[" not in checked.stderr
    before = Path("mine.pat").read_text()
    again = run("new", "mine.pat")
    assert again.exit_code == 1
    assert again.stderr == "error: mine.pat exists; choose another NAME\n"
    assert Path("mine.pat").read_text() == before
    assert run("new", "-", "--from", "bigbird").stdout == published("bigbird")
    unknown = run("new", "-", "--from", "bigbrd")
    assert unknown.exit_code == 2
    assert "did you mean 'bigbird'?" in unknown.stderr


def test_rules_that_a_new_program_shows_as_comments_are_right() -> None:
    text = run("new", "-").stdout.splitlines()
    at = text.index("#   heads 12")
    rules = [line.removeprefix("#").strip() for line in text[at : at + 5]]
    assert Pattern("\n".join(["param window = 256", "causal", *rules])).layers == 6


def test_the_cache_is_told_and_emptied_of_what_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATTERNC_CACHE_DIR", str(tmp_path))
    assert run("cache").stdout == f"{tmp_path}: 0.0 MB\n"
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "a.py").write_bytes(b"#" * 2_000_000)
    (tmp_path / "mine.txt").write_text("kept")
    told = run("cache", "--clear").stdout
    assert told.splitlines() == [
        f"{tmp_path}: 2.0 MB",
        "  generated modules            2.0 MB",
        "removed",
    ]
    assert not list((tmp_path / "modules").iterdir())
    assert (tmp_path / "mine.txt").read_text() == "kept"


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", "bash-completion/completions/patternc"),
        ("zsh", "zsh/site-functions/_patternc"),
        ("fish", "fish/completions/patternc.fish"),
    ],
)
def test_completion_is_installed_by_one_command(
    shell: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("SHELL", f"/bin/{shell}")
    assert run("completion", "--install").exit_code == 0
    assert (tmp_path / place).read_text() == run("completion", shell).stdout.removesuffix("\n")
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert "$SHELL is none of bash, zsh, fish: name one" in run("completion").stderr


def test_completion_knows_commands_options_and_that_arguments_are_files() -> None:
    from click.shell_completion import ShellComplete

    def completed(*words: str) -> list[tuple[str, str]]:
        found = ShellComplete(commands, {}, "patternc", "_X").get_completions(
            [*words[:-1]], words[-1]
        )
        return [(each.value, each.type) for each in found]

    assert completed("do") == [("doctor", "plain")]
    assert ("--layers", "plain") in completed("report", "--l")
    assert completed("show", "big") == [("big", "file")]


def test_doctor_tries_what_is_here_and_fails_where_something_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """FlexAttention's first call takes torch ten seconds: `make sweep` makes it."""
    monkeypatch.setattr("patternc.machine.doctor._flex_differs", lambda: 0.0)
    monkeypatch.setenv("PATTERNC_CC", "")
    found = json.loads(run("doctor", "--output-format", "json").stdout)
    states = {each["name"]: each["state"] for each in found["findings"]}
    assert states["torch"] == states["cpu, forward and backward"] == "works"
    assert states["C compiler"] == "absent"
    assert states["GPU"] == ("works" if torch.cuda.is_available() else "absent")
    monkeypatch.setattr("patternc.machine.doctor._differs", lambda *_: float("nan"))
    wrong = run("doctor")
    assert wrong.exit_code == 1
    assert "fails   cpu, forward and backward  differs from the reference by nan" in wrong.stdout
    assert "error: cpu, forward and backward" in wrong.stderr


@pytest.mark.sweep
def test_doctor_tries_flex_attention() -> None:
    shown = run("doctor")
    assert shown.exit_code == 0
    assert "works   FlexAttention, eager       equals the reference" in shown.stdout


def _shapes(n: int) -> Shapes:
    return Shapes(n, 1, 2, 1, 16, torch.float32, "cpu")


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.compile takes half a minute on a CPU."""
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)


@pytest.mark.usefixtures("uncompiled")
def test_calls_of_all_contenders_are_timed_where_they_agree() -> None:
    found = compared(Pattern.parse("causal\nlocal(9)"), _shapes(64), 0, {}, 0.0)
    assert [each.name for each in found] == [
        compared_calls.OURS,
        compared_calls.SDPA,
        compared_calls.FLEX,
    ]
    assert all(isinstance(x, Timing) and x.forward > 0 and x.rounds == 3 for x in found)
    assert [x.both is None for x in found if isinstance(x, Timing)] == [False, False, True]


@pytest.mark.usefixtures("uncompiled")
def test_what_computes_something_else_is_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    capped = Pattern.parse("full with softcap(2)")
    monkeypatch.setattr(Pattern, "score_mod", lambda *_, **__: None)
    left = [x for x in compared(capped, _shapes(32), 0, {}, 0.0) if isinstance(x, LeftOut)]
    reasons = {each.name: each.reason for each in left}
    assert "it would lose `softcap`" in reasons[compared_calls.SDPA]
    assert "its result differs by" in reasons[compared_calls.FLEX]


@pytest.mark.usefixtures("uncompiled")
def test_bench_prints_ratios_and_refuses_what_it_has_not() -> None:
    documents = ("bench", "-e", "local(4) & same(doc)", "-n", "32")
    assert "the run-time input 'doc' is missing" in run(*documents).stderr
    assert "doc has shape []; expected" in run(*documents, "--input", "doc=0").stderr
    assert "--kv-heads 3 does not divide 8 heads" in run(*documents, "--kv-heads", "3").stderr
    shown = run("bench", "-e", "local(4)", "-n", "32", "--heads", "2", "--seconds", "0.01").stdout
    assert shown.startswith("local(4): n = 32, batch 1, 2 heads, head size 64, float32, CPU")
    assert "  patternc  " in shown
    assert "1.00 x" in shown
    if not torch.cuda.is_available():
        assert "torch sees no GPU here" in run("bench", "-e", "full", "--device", "cuda").stderr
    assert (
        "--layer 3 is out of range" in run("bench", "-e", "layers 2\nfull", "--layer", "3").stderr
    )


def test_findings_are_a_sarif_log(tmp_path: Path) -> None:
    path = tmp_path / "a b.pat"
    path.write_text("causal\nlocal(4) + (\n  lcal(3)\n", encoding="utf-8")
    log = _log(str(path))
    assert log["version"] == "2.1.0"
    (ran,) = log["runs"]
    (result,) = ran["results"]
    assert ran["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "P003"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("/a%20b.pat")
    assert place["region"]["startLine"] == 2
    assert place["region"]["endColumn"] > place["region"]["startColumn"] >= 1
    assert result["level"] == "error"
    warned = _log("-e", "causal\nlocal(100)")["runs"][0]["results"]
    assert {each["level"] for each in warned} <= {"warning"}
    assert _log("-e", "full")["runs"][0]["results"] == []


def _log(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("check", *arguments, "--output-format", "sarif").stdout)
    return found


def test_the_page_on_commands_names_all_of_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {word.split()[0] for row in rows for word in row.split("`")[1::2]}
    assert named >= {*commands.list_commands(click.Context(commands))}


def test_errors_that_calls_raise_are_public() -> None:
    for name in ("FormatError", "InputError", "LengthError", "NotProvedError", "UnsupportedError"):
        assert issubclass(getattr(patternc, name), ValueError)
    with pytest.raises(patternc.LengthError):
        Pattern.parse("neighborhood([4, 4], radius=[1, 1])").mask(5)
