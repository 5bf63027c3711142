"""The examples in docstrings of what users call."""

import doctest
from importlib import import_module

import pytest

MODULES = (
    "patternc.pattern",
    "patternc.nn.attention",
    "patternc.nn.config",
    "patternc.runtime.padded",
    "patternc.bridges.transformers",
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_print_what_they_show(name: str) -> None:
    if name.endswith("transformers"):
        pytest.importorskip("transformers", reason="the test extra installs transformers")
    found = doctest.testmod(import_module(name))
    assert found.attempted > 1
    assert found.failed == 0
