"""Whatever the text: a program that means something, or a `PatternError` that can be shown."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from patternc.ir.terms import HeadPattern
from patternc.language import PatternError, elaborate, fmt, parse, show
from patternc.language.syntax.ast import Program
from tests.language.programs import patterns, programs, zoo

_ZOO = [text for _, text in zoo()]
_PIECES = (
    *("+", "&", "-", "~", "(", ")", "[", "]", "{", "}", ":", ",", "=", "==", "->", "#", "\0"),
    *("\n", "\r", " ", "0", "1.5", "é", "head", "layer", "i", "n", "else", "let a = "),
    *("local(4)", "random(2)", "mix("),
)


@st.composite
def _mangled(draw: st.DrawFn) -> str:
    """A published system with a few pieces put in, or in place of others."""
    text = draw(st.sampled_from(_ZOO))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 8)))
        text = text[:start] + draw(st.sampled_from(_PIECES)) + text[stop:]
    return text


def _said(act: Callable[[], object]) -> str:
    """How the message begins that stops it; empty if nothing does."""
    try:
        act()
    except PatternError as error:
        return str(error)[:7]
    return ""


def _laid_out(text: str) -> Program:
    program = parse(text)
    assert parse(fmt(text)) == program
    return program


def _means(program: Program) -> HeadPattern:
    elaborated = elaborate(program)
    again = elaborate(parse(show(elaborated.program)))
    last = ((elaborated.layers or 1) - 1, (elaborated.heads or 1) - 1)
    assert again.resolve(*last) == elaborated.resolve(*last)
    elaborated.length_warnings(5)
    return elaborated.resolve(*last)


@settings(max_examples=300)
@given(_mangled())
def test_a_mangled_program_is_understood_or_refused_with_a_message(text: str) -> None:
    assert _said(lambda: _means(_laid_out(text))) in ("", "error[P", "warning")


@given(programs)
def test_any_tree_is_understood_or_refused_with_a_message(program: Program) -> None:
    with contextlib.suppress(PatternError):
        _means(program)
    assert _said(lambda: _means(parse(show(program)))) in ("", "error[P", "warning")


@settings(max_examples=200)
@given(patterns)
def test_sensible_programs_mean_the_same_when_they_are_shown(program: Program) -> None:
    with contextlib.suppress(PatternError):
        _means(program)


@settings(max_examples=200)
@given(st.text(alphabet="abi jn0149()[]{}+-*/%&~<>=!:,.#\r\n\t\ufeff\u00e9", max_size=40))
def test_any_text_is_read_or_refused_with_a_message(text: str) -> None:
    assert _said(lambda: parse(text)) in ("", "error[P")
