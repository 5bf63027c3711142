"""The printer and the layout: reading what they write gives the same program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternc.language import fmt, parse, show
from patternc.language.syntax.ast import Program
from tests.language.programs import programs, zoo


@given(programs)
def test_reading_what_show_writes_gives_the_same_program(program: Program) -> None:
    assert parse(show(program)) == program


@given(programs)
def test_layout_of_a_shown_program_is_a_fixed_point_with_the_same_meaning(program: Program) -> None:
    neat = fmt(show(program))
    assert parse(neat) == program
    assert fmt(neat) == neat


@pytest.mark.parametrize(("name", "text"), list(zoo()))
def test_published_systems_survive_show_and_layout(name: str, text: str) -> None:
    program = parse(text, name)
    assert parse(show(program)) == program
    assert parse(fmt(text)) == program
    assert fmt(fmt(text)) == fmt(text)


@given(programs, st.data())
def test_layout_does_not_depend_on_spaces(program: Program, data: st.DataObject) -> None:
    text = show(program)
    gaps = [k for k, letter in enumerate(text) if letter == " "]
    places = data.draw(st.sets(st.sampled_from(gaps))) if gaps else set()
    spaced = "".join(letter + "  \t" * (k in places) for k, letter in enumerate(text))
    assert fmt(spaced) == fmt(text)


def test_show_writes_brackets_only_where_the_shape_needs_them() -> None:
    text = "(local(1) + full) & causal - (none - full) - -2 ** -(1 + 2) * 3 < 4\n"
    assert show(parse(text)) == text
    assert show(parse("((local((1))))")) == "local(1)\n"


def test_a_bracketed_causal_is_a_pattern_and_a_plain_one_a_header() -> None:
    assert parse("(causal)") != parse("causal")
    assert show(parse("(causal)")) == "(causal)\n"


def test_layout_keeps_comments_and_line_ends() -> None:
    text = (
        "\ufeff# one\r\n\r\n\r\nheads   12#two\r\n"
        "head<2->mix( segment(64),# three\r\n# four\r\nstrided( 8))\r\n"
        "else->blocks(64){\r\nlocal(1)\r\n}\r\n\r\n"
    )
    assert fmt(text) == (
        "# one\n"
        "\n"
        "heads 12  #two\n"
        "head < 2 -> mix(segment(64),  # three\n"
        "                # four\n"
        "                strided(8))\n"
        "else     -> blocks(64) {\n"
        "    local(1)\n"
        "}\n"
    )


def test_layout_tells_signs_from_operators_and_wide_ranges_from_narrow_ones() -> None:
    text = "columns([ - 1,:4 ,n-4:, - 4 : -1])-~(full)&where( - i+j== - 2 and not (i<3))"
    neat = "columns([-1, :4, n - 4 :, -4:-1]) - ~(full) & where(-i + j == -2 and not (i < 3))\n"
    assert fmt(text) == neat
