"""Every example of the manual runs, in the layout of the formatter, and gives the mask shown."""

from __future__ import annotations

import re

import pytest

from patternc.language import PatternError, elaborate, fmt, parse
from patternc.language.syntax.builtins import HEADER_CALLS, PRIMITIVES
from patternc.resources import read
from tests.language.manual import Example, examples, picture

_EXAMPLES = list(examples())


@pytest.mark.parametrize("example", _EXAMPLES, ids=[f"line{e.line}" for e in _EXAMPLES])
def test_an_example_means_what_is_shown(example: Example) -> None:
    if example.expects:
        with pytest.raises(PatternError) as caught:
            elaborate(parse(example.text))
        assert {finding.code for finding in caught.value.diagnostics} == {example.expects}
        return
    elaborated = elaborate(parse(example.text))
    assert elaborated.warnings == ()
    assert [picture(elaborated, settings) for settings, _ in example.masks] == [
        shown for _, shown in example.masks
    ]


@pytest.mark.parametrize("example", _EXAMPLES, ids=[f"line{e.line}" for e in _EXAMPLES])
def test_an_example_is_laid_out_as_the_formatter_does(example: Example) -> None:
    if example.expects not in ("P001", "P002", "P003", "P004"):
        assert fmt(example.text) == example.text


@pytest.mark.parametrize("word", sorted(PRIMITIVES | HEADER_CALLS))
def test_the_manual_speaks_of_every_word_of_the_language(word: str) -> None:
    assert re.search(rf"`[^`]*\b{word}\b[^`]*`", read("grammar", "README.md"))
