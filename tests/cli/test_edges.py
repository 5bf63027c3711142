"""Edges of the command: outputs that are inputs, streams that are full, errors from inside."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from patternc.cli.main import commands, main

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


_COMMAND = f"{sys.executable} -m patternc"


@pytest.mark.skipif(os.name == "nt", reason="needs a shell of POSIX")
@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("show -e full -n 8 >&-", 1, "error: the standard output is closed"),
        ("compile -e full >&-", 1, "error: the standard output is closed"),
        ("check -e full 2>&- >/dev/null", 0, ""),
        ("check -e wrong 2>&- >/dev/null", 1, ""),
        ("show loop", 1, "error: cannot read loop: too many levels of symbolic links"),
        ("compile -e full -o loop", 1, "error: cannot write loop: symlink loop from"),
        ("compile -e full -o /dev/full", 1, "error: cannot write /dev/full: no space left"),
        ("show latin", 1, "error: cannot read latin: byte 5 is not UTF-8"),
        ("show -e full -n 8 | true; exit ${PIPESTATUS[0]}", None, ""),
    ],
)
def test_streams_links_and_bytes_that_cannot_be_used_are_one_line(line, code, said, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "latin").write_bytes(b"full \xff\n")
    done = subprocess.run(
        ["bash", "-c", f"{_COMMAND} {line}"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, timeout=120,
    )  # fmt: skip
    # Whoever writes to a pipe may be done before it is closed.
    assert done.returncode in ((0, 1) if code is None else (code,))
    assert done.stderr.count("\n") == bool(said)
    assert said in done.stderr


_INTERRUPTED_AT = """
import os, runpy, signal, sys

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)

class Finder:
    def find_spec(name, path=None, target=None):
        if name == {name!r}:
            interrupt()

{before}
sys.meta_path.insert(0, Finder)
sys.argv = ["patternc", *{words!r}]
runpy.run_module("patternc", run_name="__main__")
"""
_AT_THE_END = "import atexit; atexit.register(interrupt)"
_AT_THE_WRITE = """
from pathlib import Path
replace = Path.replace
Path.replace = lambda *paths: (interrupt(), replace(*paths))
"""


def _interrupted(folder, words, name="", before=""):
    """A process that interrupts itself where a module is imported, or as it is told."""
    text = _INTERRUPTED_AT.format(name=name, before=before, words=words)
    # Whoever runs the tests in the background may have them ignore interrupts.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.run([sys.executable, "-c", text], cwd=folder, preexec_fn=heard,
                          capture_output=True, text=True, timeout=120)  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="needs signals of POSIX")
@pytest.mark.parametrize("name", ["patternc.cli.main", "click", "patternc.ir.terms",
                                  "patternc.pipeline", "numpy",
                                  "patternc.emit.module"])  # fmt: skip
def test_an_interrupt_while_modules_are_imported_is_one_line_at_most(name, tmp_path):
    done = _interrupted(tmp_path, ["compile", "-e", "full", "-o", "out.py"], name)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr in ("", "interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="needs signals of POSIX")
def test_an_interrupt_while_a_file_is_written_leaves_the_old_one(tmp_path):
    (tmp_path / "out.py").write_text("before")
    done = _interrupted(tmp_path, ["compile", "-e", "full", "-o", "out.py"], "", _AT_THE_WRITE)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


@pytest.mark.skipif(os.name == "nt", reason="needs signals of POSIX")
def test_an_interrupt_when_all_is_written_changes_nothing(tmp_path):
    done = _interrupted(tmp_path, ["fmt", "-e", "full"], "", _AT_THE_END)
    assert (done.returncode, done.stdout, done.stderr) == (0, "full\n", "")


_HOSTILE = "a<b>&\"'`|[x](y)$_.pat"


@pytest.mark.skipif(os.name == "nt", reason="needs such names")
@pytest.mark.parametrize("kind", ["picture", "svg", "html", "json", "markdown"])
def test_a_hostile_name_of_a_file_leaves_outputs_well_formed(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / _HOSTILE).write_text("local(2)\n")
    words = ["report", _HOSTILE, "-n16", "--output-format", kind, "-o", "out"]
    if kind == "picture":
        words = ["show", _HOSTILE, "-n8", "--svg", "out"]
    result = CliRunner().invoke(commands, words)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out").read_text(encoding="utf-8")
    if kind == "json":
        assert json.loads(text)["name"] == _HOSTILE
    else:
        assert "<b>" not in text.replace("\\<b\\>", "")
    if kind in ("picture", "svg"):
        ElementTree.fromstring(text)
    if kind == "markdown":
        assert "\\|\\[x\\]\\(y\\)\\$\\_.pat" in text


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
    ("template", "said"), [("longnet", "add --heads"), ("slidin", "expected one of window")]
)
def test_a_template_that_does_not_fit_is_named(template: str, said: str) -> None:
    asked = ["suggest", "--template", template, "-n", "64", "--layers", "2", "--pairs", "100"]
    found = CliRunner().invoke(commands, asked)
    assert found.exit_code == 2
    assert said in found.output
