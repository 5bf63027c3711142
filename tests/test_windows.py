"""Each row of the manual's "Windows in other libraries" is a function, and they mean the same."""

import doctest
import re

import pytest

from patternc import windows
from patternc.pattern import Pattern
from patternc.resources import read

_ROW = re.compile(r"^\|.*\| `([^`|]+)` \| `(from_\w+)\(([^)]*)\)` \|$", re.MULTILINE)
ROWS = _ROW.findall(read("grammar", "README.md"))
NUMBERS = {"w": 8, "l": 5, "r": 2, "b": 3, "c": 4, "S": 3, "k": 5, "X": 24, "d": 2}


@pytest.mark.parametrize(("text", "name", "letters"), ROWS, ids=[row[1] for row in ROWS])
def test_a_row_of_the_manual_and_its_function_mean_the_same(text, name, letters):
    numbers = [NUMBERS[letter] for letter in letters.split(", ")]
    found = Pattern.parse(getattr(windows, name)(*numbers))
    for letter, number in NUMBERS.items():
        text = re.sub(rf"\b{letter}\b(?!=)", str(number), text)
    assert (found.mask(24) == Pattern.parse(text).mask(24)).all()


def test_every_function_has_a_row():
    functions = {name for name in vars(windows) if name.startswith("from_")}
    assert functions == {name for _, name, _ in ROWS}


@pytest.mark.parametrize(
    ("name", "numbers", "message"),
    [
        ("from_mistral", (0,), "window is 0"),
        ("from_mistral", (None,), "no window: the program is `full` or `causal`"),
        ("from_mistral", (4.5,), "window is 4.5"),
        ("from_longformer", (7,), "even"),
        ("from_natten", (24, 4), "odd"),
        ("from_flash_attention", (-2, 0), "left is -2"),
    ],
)
def test_numbers_that_a_library_would_not_take_are_refused(name, numbers, message):
    with pytest.raises(ValueError, match=message):
        getattr(windows, name)(*numbers)


def test_unlimited_sides():
    assert windows.from_onnx(-1, 0) == "local(left=n, right=0)"
    assert windows.from_jax_splash(None, 2) == "local(left=n, right=2)"
    assert windows.from_jax(3) == "local(left=3, right=3)"
    assert doctest.testmod(windows).failed == 0
