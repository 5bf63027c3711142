"""Published patterns by name."""

import pytest

from examples import table
from patternc import Pattern
from patternc.language.syntax.diagnostics import PatternError
from patternc.zoo import zoo


def test_the_zoo_is_the_folder_of_examples():
    assert list(zoo()) == [example.path.stem for example in table.examples()]


def test_a_published_pattern_is_that_of_its_file():
    pattern = Pattern.from_zoo("bigbird")
    assert pattern.text == (table.FOLDER / "bigbird.pat").read_text(encoding="utf-8")
    assert pattern.name == "bigbird.pat"


def test_parameters_are_those_of_the_program():
    assert Pattern.from_zoo("prefix_lm", prefix=2).pairs(3) == [7]
    with pytest.raises(PatternError, match="prefi"):
        Pattern.from_zoo("prefix_lm", prefi=2)


def test_an_unknown_name_is_answered_with_the_nearest_and_all_others():
    with pytest.raises(ValueError, match=r"'bigbrid', did you mean 'bigbird'\?") as refused:
        Pattern.from_zoo("bigbrid")
    assert all(name in str(refused.value) for name in zoo())


def test_a_name_is_no_path():
    with pytest.raises(ValueError, match=r"pattern '\.\./examples/bigbird'"):
        Pattern.from_zoo("../examples/bigbird")
