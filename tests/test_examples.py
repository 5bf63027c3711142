"""The examples are sound, in the one layout, and described by what they are."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from examples import table
from patternc.cli.main import commands

EXAMPLES = table.examples()
ORACLES = (Path(__file__).parent / "oracles" / "README.md").read_text(encoding="utf-8")
README = table.README.read_text(encoding="utf-8")
COSTLY = {
    "bp_transformer",
    "image_transformer_2d",
    "kandinsky",
    "longnet",
    "longnet_torchscale",
    "ltx2",
    "maxvit",
    "natten_1d_causal",
    "phi3_small",
    "power_attention",
    "sliding_tile",
    "sparse_transformer_fixed_heads",
    "svg_temporal",
}
# A prefix is read in both directions; blocks of an image come in another order than its rows.
PARTLY_CAUSAL = ("prefix_lm", "image_transformer_2d")
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


def test_an_example_is_at_most_ten_lines_long(example):
    assert 1 <= example.lines <= 10


def test_an_example_raises_no_doubts_at_its_own_length(example):
    warned = {warning.code for warning in example.pattern.check(example.length)}
    assert warned == ({"P206"} if example.path.stem in PARTLY_CAUSAL else set())


def test_what_an_example_was_checked_against_is_among_the_masks_of_the_tests(example):
    for source, family in example.checked:
        row = rf"^\| `{family}[^|]*\| {re.escape(source)} \| used"
        assert re.search(row, ORACLES, re.MULTILINE)


@pytest.mark.parametrize("name", ["bigbird", "longformer", "longnet"])
def test_the_pictures_of_the_readme_are_those_of_today(name):
    (example,) = (item for item in EXAMPLES if item.path.stem == name)
    drawn = (table.PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert table.picture(example) == drawn


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(item, marks=[pytest.mark.sweep] * (name in COSTLY), id=name)
        for item in EXAMPLES
        for name in [item.path.stem]
    ],
)
def test_a_row_of_the_table_is_that_of_today(example):
    """`make test` leaves out those of more than a second."""
    assert table.row(example) in README.splitlines()


def test_the_readme_has_a_row_and_a_picture_of_every_example_in_order():
    rows = re.findall(r"^\| \[(\w+)\.pat\]", README, re.MULTILINE)
    assert rows == [example.path.stem for example in EXAMPLES]
    assert table.gallery() in README


def test_every_example_has_a_picture():
    drawn = {path.stem for path in table.PICTURES.glob("*.svg")}
    assert drawn == {example.path.stem for example in EXAMPLES}
