"""What the README shows is what happens."""

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from patternc.cli.main import commands

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_SESSION = re.compile(r"```python\n(.*?)```", re.DOTALL)


def _commands():
    for block in _CONSOLE.findall(README):
        for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            yield tuple(session.split("\n", 1))


@pytest.mark.parametrize(("command", "expected"), list(_commands()))
def test_a_command_prints_what_the_readme_shows(command, expected, monkeypatch):
    monkeypatch.chdir(ROOT)
    name, *arguments = shlex.split(command)
    assert name == "patternc"
    assert CliRunner().invoke(commands, arguments).output == expected


@pytest.mark.parametrize("session", _SESSION.findall(README))
def test_python_prints_what_the_readme_shows(session, monkeypatch):
    monkeypatch.chdir(ROOT)
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", None, 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "examples/README.md",
    ],
)
def test_links_lead_to_files(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    assert links or page == "CONTRIBUTING.md"
    for link in links:
        assert ((ROOT / page).parent / link).exists(), link
