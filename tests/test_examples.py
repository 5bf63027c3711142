"""The examples are sound, in the one layout, and described by what they are."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from examples import table
from patternc.cli import commands

EXAMPLES = table.examples()
_HEADER = re.compile(
    r"# .+\n# paper: +.+ (19|20)\d\d.*\n# config: +.+\n(#          .+\n)?"
    r"# length: +\d+\n# equals: +.+\n(#          .+\n)*(# checked: \S.*\n)?(# beyond:  \S.*\n)?\n"
)


@pytest.fixture(params=EXAMPLES, ids=lambda example: example.path.stem)
def example(request):
    return request.param


def test_an_example_says_where_it_comes_from_and_what_it_equals(example):
    assert _HEADER.match(example.path.read_text(encoding="utf-8"))


def test_an_example_is_in_the_layout_of_fmt(example):
    assert CliRunner().invoke(commands, ["fmt", "--check", str(example.path)]).exit_code == 0


def test_an_example_raises_no_doubts(example):
    warned = {warning.code for warning in example.pattern.warnings}
    assert not warned


def test_every_query_of_an_example_has_a_key(example):
    if not example.pattern.inputs:
        n = 4096 if example.path.stem == "natten_2d" else 200
        assert example.pattern.mask(n).any(axis=2).all()


@pytest.mark.parametrize("name", ["bigbird", "longformer", "longnet"])
def test_the_pictures_of_the_readme_are_those_of_today(name):
    (example,) = (item for item in EXAMPLES if item.path.stem == name)
    drawn = (table.PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert table.picture(example) == drawn


def test_the_table_is_that_of_today():
    text = table.README.read_text(encoding="utf-8")
    assert table.updated(text) == text


def test_every_example_has_a_picture():
    drawn = {path.stem for path in table.PICTURES.glob("*.svg")}
    assert drawn == {example.path.stem for example in EXAMPLES}


def test_there_are_as_many_examples_as_the_readme_says():
    readme = (Path(table.FOLDER).parent / "README.md").read_text(encoding="utf-8")
    assert f"[{len(EXAMPLES)} programs](examples/README.md)" in readme
