"""The page of a report: whole, small, from one file alone, and right where it points."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from patternc import Pattern
from patternc.cli.main import commands

_VOID = {"meta", "br", "img", "link", "input"}


class Balance(HTMLParser):
    """The elements that are open, and the addresses that are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def told(page: str) -> list[dict]:
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return [json.loads(text) for text in found]


PROGRAMS = [
    "local(3) + global([0])",
    "causal\nlayers 2\nheads 2\nlayer == 0 -> local(left=2 + head)\nelse -> strided(4)",
    "heads 3\nblocks(4) { local(1) + random(1) }",
    "causal\nfull on memory(8) + full on pool(4, mean) + local(left=3)",
    "neighborhood([6, 8], radius=[1, 1])",
    "same(document) & local(4)",
    "gate(local(2), columns(picked), name=g)",
]


@pytest.mark.parametrize("text", PROGRAMS)
def test_the_page_is_whole_and_asks_for_nothing(text):
    page = Pattern.parse(text).report(48, 3).html()
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert balance.addresses == []
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert text.splitlines()[-1] in unescape(page)
    assert len(page) < 200_000


def test_what_is_under_the_pointer_is_what_the_mask_holds():
    pattern = Pattern.parse("local(1) + global([0])")
    mask, growth = told(pattern.report(10, 3).html())
    held = pattern.mask(10)[0]
    assert mask["rows"][0] == "row 0 sees 10 keys: 0 to 9"
    assert mask["rows"][4] == "row 4 sees 4 keys: 0, 3 to 5"
    for row in range(10):
        for key in range(10):
            assert (mask["names"][mask["cells"][row][key]] != "none") == held[row, key]
            expected = "first connected after 1" if held[row, key] else "first connected after 2"
            assert growth["names"][growth["cells"][row][key]].startswith(expected)


def test_heads_that_differ_in_draws_only_are_shown_once():
    page = Pattern.parse("layers 2\nheads 3\nblocks(4) { random(2) }").report(64, 2).html()
    assert page.count("draws are those of the first") == 1
    assert len(told(page)) == 2


def test_a_program_cannot_break_out_of_its_page():
    text = "# </pre><script>alert(1)</script> & more\nlocal(1)"
    page = Pattern(text, name="</title><b>.pat").report(8).html()
    assert "<script>alert" not in page
    assert "</title><b>" not in page


def test_a_long_sequence_is_drawn_shorter_and_says_so():
    page = Pattern.parse("local(64)").report(100_000, 2).html()
    assert "drawn shorter than the report&#39;s 100,000" in page


def test_a_grid_too_large_to_draw_has_its_numbers_all_the_same():
    report = Pattern.parse("neighborhood([128, 128], radius=[1, 1])").report(128 * 128)
    assert "no pictures: a picture of 16,384 positions" in report.html()
    with pytest.raises(ValueError, match="at most 4,096 are drawn"):
        report.svg()


@pytest.mark.parametrize(("kind", "start"), [("html", "<!doctype html>"), ("svg", "<svg xmlns")])
def test_the_command_writes_them(tmp_path, kind, start):
    path = tmp_path / "page"
    asked = ["report", "-e", "local(3)", "-n", "32", "--layers", "4", "--output-format", kind]
    assert CliRunner().invoke(commands, [*asked, "-o", str(path)]).exit_code == 0
    written = path.read_text(encoding="utf-8")
    assert written.startswith(start)
    assert CliRunner().invoke(commands, asked).stdout == written


def test_lessons_stand_in_a_report_unless_they_are_meant():
    asked = ["report", "-e", "local(100)", "-n", "4096"]
    assert "P209" in CliRunner().invoke(commands, asked).stdout
    assert "P209" not in CliRunner().invoke(commands, [*asked, "--ignore", "P209"]).stdout


def test_a_chart_needs_an_ending():
    asked = ["report", "-e", "local(3)", "-n", "64", "--charts", "curves"]
    result = CliRunner().invoke(commands, asked)
    assert result.exit_code == 2
    assert "write FILE.svg" in result.stderr
