"""What prompts and notebooks show of patterns and results is what the commands print."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from click.testing import CliRunner

from patternc import Pattern
from patternc.cli.main import commands

TEXT = "causal\nlocal(4) + columns([0])"


def test_the_picture_of_a_pattern_is_that_of_the_command(capsys: pytest.CaptureFixture) -> None:
    Pattern(TEXT).show(20)
    told = CliRunner().invoke(commands, ["show", "-e", TEXT, "-n", "20"]).output
    assert capsys.readouterr().out == told


def test_a_notebook_shows_the_program_and_a_picture() -> None:
    pattern = Pattern("heads 2\nlocal(2 + head) & where(j < i)")
    svg, html = pattern._repr_svg_(), pattern._repr_html_()
    assert svg is not None
    assert len(ElementTree.fromstring(svg).findall(".//{*}rect[@class='frame']")) == 2
    assert html is not None
    assert "where(j &lt; i)" in html
    assert svg in html


def test_a_head_of_alike_heads_is_drawn_and_others_are_refused() -> None:
    run = CliRunner().invoke(commands, ["show", "-e", "local(2)", "-n", "8", "--head", "3"])
    assert run.exit_code == 0
    with pytest.raises(ValueError, match="head 2 is out of range"):
        Pattern("heads 2\nlocal(head)").svg(8, head=2)


def test_results_print_what_commands_print() -> None:
    pattern = Pattern(TEXT)
    run = CliRunner().invoke(
        commands, ["why", "-e", TEXT, "-n", "64", "--query", "20", "--key", "3"]
    )
    assert repr(pattern.why(64, 20, 3)) == run.output.rstrip()
    assert repr(pattern.diff("causal")).startswith("different\n")
    assert repr(pattern.report(64)) == str(pattern.report(64)).rstrip()
    assert repr(pattern.layout(64)).endswith("head 0: 0 full, 1 partial")
    assert "full at: not within these layers" in repr(pattern.reach(64))
    assert repr(pattern.last_reader()[0]).startswith("last reader of key j: j + 4")
    assert repr(pattern.live_pages(40)) == ("2 pages of 16 keys are read after position 40: 0, 2")
