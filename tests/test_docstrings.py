"""The examples in the docstrings of the facade."""

import doctest

import patternc.pattern


def test_the_examples_of_pattern_print_what_they_show() -> None:
    found = doctest.testmod(patternc.pattern)
    assert found.attempted > 4
    assert found.failed == 0
