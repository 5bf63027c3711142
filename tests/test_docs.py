"""What the pages of docs/ show is what happens: commands, Python, programs in tables, links."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path
from runpy import run_path

import pytest
from click.testing import CliRunner

from patternc import Pattern
from patternc.cli.main import commands

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_SESSION = re.compile(r"```python\n(.*?)```", re.DOTALL)
_PROGRAM = re.compile(r"`((?:blocks|neighborhood|windows|causal)\b[^`]*[)}])`")
_LINK = re.compile(r"\]\(([^)#:]+)(#[^)]*)?\)")


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _having(pattern: re.Pattern[str]) -> list[Path]:
    return [page for page in PAGES if pattern.search(_text(page))]


@pytest.mark.parametrize("page", _having(_CONSOLE), ids=lambda page: page.stem)
def test_commands_print_what_the_page_shows(page: Path, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    for block in _CONSOLE.findall(_text(page)):
        for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, expected = session.split("\n", 1)
            name, *arguments = shlex.split(command)
            assert name == "patternc"
            assert CliRunner().invoke(commands, arguments).output == expected, command


@pytest.mark.parametrize("page", _having(_SESSION), ids=lambda page: page.stem)
def test_python_prints_what_the_page_shows(page: Path, monkeypatch) -> None:
    """Later blocks of a page use the names of earlier ones."""
    monkeypatch.chdir(ROOT)
    session = "\n".join(_SESSION.findall(_text(page)))
    test = doctest.DocTestParser().get_doctest(session, {}, page.name, None, 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def test_programs_in_tables_of_other_libraries_are_programs() -> None:
    rows = [row for row in _text(DOCS / "coming-from.md").splitlines() if row.startswith("| ")]
    programs = [text for row in rows for text in _PROGRAM.findall(row.split(" | ")[-1])]
    assert len(programs) > 6
    for text in programs:
        Pattern(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files_and_to_sections(page: Path) -> None:
    for link, section in _LINK.findall(_text(page)):
        target = (page.parent / link).resolve()
        assert target.exists(), link
        if section:
            assert section[1:] in _sections(target), f"{link}{section}"


def test_the_lines_of_the_generated_file_are_in_it() -> None:
    written = CliRunner().invoke(commands, ["compile", "-e", "causal & local(left=127)"]).output
    excerpts = re.findall(r"```py\n(.*?)```", _text(DOCS / "generated-file.md"), re.DOTALL)
    assert len(excerpts) > 4
    for excerpt in excerpts:
        assert excerpt in written, excerpt


def test_the_pictures_of_the_stages_are_those_that_the_code_draws() -> None:
    """`python docs/figures.py` draws them."""
    drawn = run_path(str(DOCS / "figures.py"))["pictures"]()
    for name, text in drawn.items():
        assert (DOCS / "pictures" / name).read_text(encoding="utf-8") == text, name


def _sections(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.*)$", _text(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
