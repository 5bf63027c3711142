"""Edges of the command: outputs that are inputs, streams that are full, errors from inside."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from patternc.cli import commands, main

_OUTPUTS = [("compile", "-o"), ("report", "-n16", "-o"), ("report", "-n16", "--charts")]
_OUTPUTS += [("show", "--svg"), ("suggest", "-n16", "--layers=2", "-o")]


@pytest.mark.parametrize("words", _OUTPUTS, ids=lambda words: " ".join(words))
@pytest.mark.parametrize("link", [None, os.symlink, os.link, "relative"])
def test_an_output_that_is_the_program_by_any_name_leaves_it(words, link, tmp_path):
    program, other = tmp_path / "a.pat", tmp_path / "b.pat"
    program.write_text("param w = 4\nlocal(w)\n")
    if callable(link):
        link(program, other)
    output = other if callable(link) else tmp_path / ".." / tmp_path.name / "a.pat"
    command, *options = words
    result = CliRunner().invoke(commands, [command, str(program), *options, str(output)])
    assert (result.exit_code, "is the program" in result.stderr) == (1, True)
    assert program.read_text() == "param w = 4\nlocal(w)\n"


def test_two_outputs_of_one_name_are_refused(tmp_path):
    path = str(tmp_path / "a.svg")
    result = CliRunner().invoke(
        commands, ["report", "-e", "full", "-n16", "-o", path, "--charts", path]
    )
    assert (result.exit_code, "is also that of -o" in result.stderr) == (1, True)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a stream that is full")
def test_a_full_stream_is_one_line_and_exit_code_one():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "patternc", "show", "-e", "full", "-n", "8"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (1, "error: no space left on device\n")


def test_what_escapes_from_inside_is_told_once_with_the_program(monkeypatch, capsys):
    def broken(*_, **__):
        raise KeyError("inner")

    monkeypatch.setattr("patternc.pattern.Pattern.__init__", broken)
    monkeypatch.setattr(sys, "argv", ["patternc", "show", "-e", "local(3)"])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err
    assert left.value.code == 70
    assert said.startswith("internal error, please report: KeyError: 'inner'")
    assert "local(3)" in said
    assert "Traceback" not in said


def test_a_name_with_control_characters_does_not_reach_the_terminal(tmp_path):
    path = tmp_path / "a\x1b[31m\nb.pat"
    path.write_text("full\n")
    for command in ("check", "show"):
        result = CliRunner().invoke(commands, [command, str(path)])
        assert "\x1b" not in result.output
        assert "a\\x1b[31m\\nb.pat" in result.output


def test_a_program_where_a_file_is_expected_is_told_of_the_option() -> None:
    found = CliRunner().invoke(commands, ["show", "local(256)"])
    assert found.exit_code
    assert "-e" in found.output


@pytest.mark.parametrize(
    ("template", "said"), [("longnet", "give --heads"), ("slidin", "there are window")]
)
def test_a_template_that_does_not_fit_is_named(template: str, said: str) -> None:
    asked = ["suggest", "--template", template, "-n", "64", "--layers", "2", "--pairs", "100"]
    found = CliRunner().invoke(commands, asked)
    assert found.exit_code == 2
    assert said in found.output
