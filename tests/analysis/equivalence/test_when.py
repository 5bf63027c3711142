"""Questions about lengths of a form: proofs, witnesses and closed forms for these alone."""

import re

import pytest
from click.testing import CliRunner

from patternc import Pattern
from patternc.cli.main import commands
from patternc.language import PatternError

LAST = "where(j == n // 32 * 32 - 1)"


@pytest.mark.parametrize(
    ("left", "right", "when", "outcome", "n"),
    [
        ("columns([-1])", LAST, None, "different", 1),
        ("columns([-1])", LAST, "n % 32 == 0", "equal", None),
        ("columns([-1])", LAST, "n % 16 == 0", "different", 16),
        ("columns([-1])", LAST, "n % 32 == 0 or n == 40", "different", 40),
        ("full", "segment(16)", "n <= 16", "equal", None),
        ("full", "segment(16)", "n % 5 == 0", "different", 20),
        ("random(2)", "random(2, seed=1)", "n % 7 == 3 and n > 9", "different", 10),
        ("columns([5])", "none", "n % 4096 == 0", "different", 4096),
    ],
)
def test_equality_and_witnesses_are_those_of_the_form(left, right, when, outcome, n):
    found = Pattern(left).diff(right, when=when)
    assert found.outcome == outcome
    assert (found.witness and found.witness.n) == n


def test_grids_and_forms_meet():
    grid = "blocks(4) { windows([3, 5], size=[2, 2]) }"
    assert Pattern(grid).diff(grid + " & where(n == 60)", when="n % 4 == 0").outcome == "equal"
    assert Pattern(grid).diff(grid + " & where(n == 60)").outcome == "different"
    with pytest.raises(ValueError, match="no length of 57 to 60, which the grid fits, fulfils"):
        Pattern(grid).diff("full", when="n % 7 == 0")


@pytest.mark.parametrize(
    ("text", "n", "when", "form"),
    [
        ("segment(48)", 480, "n % 48 == 0", "48*n"),
        ("segment(48)", 481, "n % 48 == 1", "48*n - 47"),
        ("segment(48)", 480, "n % 240 == 0", "48*n"),
        ("segment(48)", 480, "n % 32 == 0", "n % 48"),
        ("causal\nblocks(8) { causal }", 64, "n % 8 == 0", None),
    ],
)
def test_closed_forms_hold_at_lengths_of_the_form(text, n, when, form):
    pattern = Pattern(text)
    found = pattern.report(n, when=when).facts.layers[0].cost.heads[0].pairs.form
    expression, start = re.fullmatch(r"(.*) for n >= (\d+).*", found).groups()
    assert form is None or form in found
    for length in range(int(start), int(start) + 400):
        if eval(when, {"n": length}):
            assert eval(expression, {"n": length}) == pattern.pairs(length)[0]


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (" ", "when is empty"),
        ("n < 0", "no length fulfils `n < 0`"),
        ("i < n", "names i"),
        ("full", None),
        ("n % 2", None),
        ("n == 1) + where(n == 2", "is no condition on n"),
        ("n < ages[i]", "is no condition on n"),
        ("n % 32 == 1", "n is 64, which does not fulfil `n % 32 == 1`; 65 does"),
    ],
)
def test_what_is_no_form_of_lengths_is_refused(when, message):
    with pytest.raises(PatternError if message is None else ValueError, match=message):
        Pattern("causal").report(64, when=when)


def test_the_commands_take_a_form():
    def said(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(commands, list(arguments))
        return result.exit_code, result.output

    status, output = said("diff", "-e", "columns([-1])", "-e", LAST, "--when", "n % 32 == 0")
    assert status == 0
    assert "for every n with n % 32 == 0" in output
    status, output = said("check", "-e", "causal", "-n", "7", "--when", "n % 2 == 0")
    assert status == 2
    assert "does not fulfil" in output
    status, output = said("report", "-e", "segment(48)", "-n", "96", "--when", "n % 48 == 0")
    assert status == 0
    assert "48*n for n >= 0, n % 48 == 0" in output
