"""The line of progress: where it stands, what it says, that nothing of it or of a result stays."""

import io
import subprocess
import sys
from threading import Event
from types import SimpleNamespace

import pytest

from patternc import pipeline, progress
from patternc.cli import main
from patternc.pattern import Pattern


class Terminal(io.StringIO):
    """A standard error that counts as a terminal, and tells when something is drawn."""

    def __init__(self, terminal=True):
        super().__init__()
        self.terminal, self.drawn = terminal, Event()

    def isatty(self):
        return self.terminal

    def write(self, text):
        written = super().write(text)
        self.drawn.set()
        return written

    def wait(self):
        self.drawn.clear()
        assert self.drawn.wait(30)


@pytest.fixture
def terminal(monkeypatch):
    made = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=made))
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    return made


def screen(terminal):
    """What stands on the line at the end."""
    return terminal.getvalue().rsplit("\r", 1)[-1].split("\x1b[K")[0]


def test_work_inside_work_stands_on_one_line_and_nothing_of_it_stays(terminal):
    with progress.working("report"):
        for item in progress.steps("abcd", "layers"):
            if item == "c":
                terminal.wait()
                terminal.wait()
    frames = terminal.getvalue().split("\r")
    assert any(
        frame.startswith("report - layers [####") and "] 2/4 - " in frame for frame in frames
    )
    assert screen(terminal) == ""


def test_a_failure_erases_the_line(terminal):
    def fails():
        with progress.working("report"):
            terminal.wait()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert screen(terminal) == ""
    assert terminal.getvalue().endswith("\x1b[K")


@pytest.mark.parametrize(("kind", "name"), [(False, "xterm"), (True, "dumb")])
def test_nothing_is_drawn_where_no_line_can_be_drawn_again(monkeypatch, kind, name):
    made = Terminal(kind)
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=made))
    monkeypatch.setattr(progress, "_Line", None)
    monkeypatch.setenv("TERM", name)
    assert list(progress.steps([1, 2], "steps")) == [1, 2]
    assert made.getvalue() == ""


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["report", "-e", "local(3)", "-n", "64"], "report"),
        (["why", "-e", "local(3)", "-n", "64", "--query", "9", "--key", "2"], "why"),
        (["check", "-e", "local(3)", "--teach"], "check"),
        (["compile", "-e", "local(3)"], "compile"),
    ],
)
def test_a_command_that_takes_long_says_so_before_it_answers(
    terminal, monkeypatch, capsys, arguments, asked
):
    real = getattr(Pattern, asked)

    def slow(self, *given, **named):
        terminal.wait()
        return real(self, *given, **named)

    monkeypatch.setattr(Pattern, asked, slow)
    monkeypatch.setattr(sys, "argv", ["patternc", *arguments])
    with pytest.raises(SystemExit) as left:
        main.main()
    assert not left.value.code
    assert f"\r{asked}" in terminal.getvalue()
    assert screen(terminal) == ""
    assert capsys.readouterr().out


@pytest.mark.parametrize("asked", ["report", "compile"])
def test_an_interrupt_leaves_the_old_file_and_the_line_empty(
    terminal, monkeypatch, tmp_path, capsys, asked
):
    def interrupted(*given, **named):
        terminal.wait()
        raise KeyboardInterrupt

    target = tmp_path / "result"
    target.write_text("before")
    length = ["-n", "64"] if asked == "report" else []
    place = (Pattern, "report") if asked == "report" else (pipeline, "emit")
    monkeypatch.setattr(*place, interrupted)
    monkeypatch.setattr(
        sys, "argv", ["patternc", asked, "-e", "local(3)", *length, "-o", str(target)]
    )
    with pytest.raises(SystemExit) as left:
        main.main()
    assert left.value.code == 130
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
    assert screen(terminal) == ""
    assert "Traceback" not in capsys.readouterr().err


def test_the_command_starts_before_it_loads_the_compiler():
    told = "import sys, patternc.cli.main; print({'numpy', 'islpy', 'lark'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
