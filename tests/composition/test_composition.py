"""Patterns that are put together in Python mean what their parts mean, and say it as text."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from itertools import product
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from patternc import Pattern, PatternError
from patternc.analysis.equivalence.results import NotProvedError
from patternc.composition import words
from patternc.composition.write_words import method_name, written
from patternc.language.syntax.builtins import PRIMITIVES

# Headers, parameters, lets of one name and rules by layer and head.
TEXTS = (
    "local(1)",
    "causal\nlocal(2) + columns([0])",
    "heads 4\nlet w = 2\nhead < 2 -> strided(w)\nelse -> local(left=w)",
    "causal\nheads 4\nparam deep = 1\nlet w = deep + 1\nhead < 1 -> local(w)\n"
    "head < 3 -> segment(w + 1)\nelse -> full",
    "layers 3\nlet w = 3\nlet far = i - j > w\nlayer % 2 == 0 -> where(far)\nelse -> rows([0:w])",
    "allow empty\nlayers 3\nlayer == 2 -> none\nelse -> blocks(3) { diagonal }",
)
OPERATORS: tuple[tuple[str, Callable[[Any, Any], Any]], ...] = (
    ("+", lambda a, b: a | b),
    ("&", lambda a, b: a & b),
    ("-", lambda a, b: a - b),
)


def masks(pattern: Pattern, layers: int, heads: int) -> np.ndarray:
    """[layers, heads, 11, 11]; what has no header is the same in all of them."""
    every = [pattern.mask(11, layer=layer % (pattern.layers or 1)) for layer in range(layers)]
    return np.broadcast_to(np.stack(every), (layers, heads, 11, 11))


@pytest.mark.parametrize(("left", "right"), list(product(TEXTS, TEXTS)))
def test_masks_of_a_combination_are_those_of_its_parts_combined(left: str, right: str) -> None:
    a, b = Pattern(left), Pattern(right)
    size = lcm(a.layers or 1, b.layers or 1), lcm(a.heads or 1, b.heads or 1)
    ours, theirs = masks(a, *size), masks(b, *size)
    for name, apply in OPERATORS:
        whole = apply(a, b)
        expected = ours & ~theirs if name == "-" else apply(ours, theirs)
        np.testing.assert_array_equal(masks(whole, *size), expected, err_msg=str(whole))
        assert not [w for w in whole.warnings if w.code in ("P203", "P201")], str(whole)
        assert str(Pattern.parse(str(whole))) == str(whole)
    np.testing.assert_array_equal(masks(~a, *size), ~ours)


def test_words_are_written_from_the_table_and_none_is_hidden_by_a_method() -> None:
    assert Path(words.__file__).read_text(encoding="utf-8") == written()
    for word in PRIMITIVES.values():
        if word.group in ("relation", "combination"):
            function = getattr(Pattern, method_name(word.name))
            assert function.__qualname__ == f"Words.{method_name(word.name)}"
            assert function.__doc__.startswith(word.usage()[:30])


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (Pattern.local(256) | Pattern.global_([0]), "local(256) + global([0])"),
        (Pattern.local(left="n // 4", dilation=2), "local(left=n // 4, dilation=2)"),
        (Pattern.columns_([0, slice(4, 8), -1]), "columns([0, 4:8, -1])"),
        (Pattern.rows_(range(3)), "rows([0:3])"),
        (Pattern.columns_(np.arange(3)), "columns([0, 1, 2])"),
        (Pattern.columns_("period(4, 0:1)"), "columns(period(4, 0:1))"),
        (Pattern.random(3, pool=slice(2, None), seed=1), "random(3, pool=2:, seed=1)"),
        (Pattern.random(3, avoid=Pattern.local(2)), "random(3, avoid=local(2))"),
        (Pattern.where("j <= i and j % 2 == 0"), "where(j <= i and j % 2 == 0)"),
        (Pattern.mix(Pattern.local(1), Pattern.full()), "mix(local(1), full)"),
        (Pattern.gate(Pattern.full(), Pattern.none(), name="g"), "gate(full, none, name=g)"),
        (Pattern.neighborhood([4, 4], radius=[1, 1]), "neighborhood([4, 4], radius=[1, 1])"),
        (Pattern.full().on("memory(4)").with_("alibi"), "full on memory(4) with alibi"),
        (Pattern.local(1).with_("softcap(2.5)"), "local(1) with softcap(2.5)"),
        (Pattern.local(1).blocks(4).within(2, None), "within(2:) { blocks(4) { local(1) } }"),
        ((Pattern.local(1) | Pattern.full()) & Pattern.same("a"), "(local(1) + full) & same(a)"),
        (Pattern.local(1) | Pattern.full() & Pattern.causal(), "local(1) + full & causal"),
    ],
    ids=lambda value: str(value).strip(),
)  # fmt: skip
def test_words_and_operators_write_this(pattern: Pattern, text: str) -> None:
    assert str(pattern) == text + "\n"


def test_names_of_calls_keep_and_lets_give_way() -> None:
    left = Pattern("param width = 4\nlet text = 3\nlet w = 2\nlocal(w) + local(width + text)")
    right = Pattern("param width = 4\nlet w = 5\nlocal(w) & same(text) + columns([0:width])")
    whole = left | right
    assert [item.name for item in whole.inputs] == ["text"]
    assert str(whole) == (
        "param width = 4\nlet text_2 = 3\nlet w = 2\nlet w_2 = 5\n"
        "local(w) + local(width + text_2) + (local(w_2) & same(text) + columns([0:width]))\n"
    )
    again = Pattern.parse(str(left), width=2) | Pattern.parse(str(right), width=2)
    assert again.parameters == {"width": 2}
    assert str(left | left).count("let") == 2
    sized = Pattern("size w\ncolumns([:w])")
    assert str(sized | sized) == "size w\ncolumns([:w]) + columns([:w])\n"
    with pytest.raises(ValueError, match="'w' is a parameter or size"):
        _ = sized | Pattern("param w = 2\nlocal(w)")
    # A word of an argument is no name.
    shifted = Pattern("let shift = 1\nlocal(shift)") | Pattern.neighborhood(
        [8], radius=[1], edge="shift"
    )
    assert "edge=shift)" in str(shifted)


def test_str_gives_the_program_with_the_parameters_of_the_call() -> None:
    text = "param w = 2 * (3 + 1)  # keys\nparam v = (1)\nlocal(w) + columns([0:v])  # both\n"
    given = Pattern.parse(text, v=3, w="5 * 2")
    assert str(given) == text.replace("2 * (3 + 1)", "5 * 2").replace("(1)", "3")
    assert given.text == text
    assert Pattern.parse(str(given)) == given != Pattern.parse(text)
    assert str(pickle.loads(pickle.dumps(given))) == str(given)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Pattern("heads 2\nfull") | Pattern("heads 3\nfull"), ValueError, "2 and 3 heads"),
        (
            lambda: Pattern("param w = 2\nlocal(w)") | Pattern("param w = 3\nlocal(w)"),
            ValueError,
            r"Pattern.parse\(text, w=2\)",
        ),
        (
            lambda: Pattern("param w = 2\nlocal(w)") & Pattern.same("w"),
            ValueError,
            "'w' is a parameter or size of one pattern and a name in another",
        ),
        (lambda: Pattern("causal\nrandom(2)") | Pattern.full(), ValueError, "its random keys"),
        (lambda: ~Pattern("causal\noffsets([1])"), ValueError, "write it on every pattern"),
        (
            lambda: ~Pattern("full on stream(g, 2)\nrows g\nfull"),
            ValueError,
            "rules for the rows of a stream",
        ),
        (lambda: Pattern.sum(Pattern.full()) & Pattern.full(), PatternError, "P067"),
        (lambda: Pattern.full() | "local(2)", TypeError, r"Pattern.parse\(text\)"),
        (lambda: Pattern.local(True), TypeError, "r: True is no number"),
        (lambda: Pattern.local("1, 2"), ValueError, "'1, 2' is not one argument"),
        (lambda: Pattern.local({"left": 2}), TypeError, "text or list, got dict"),
        (lambda: Pattern.rows_(slice(0, 8, 2)), ValueError, "a range has no step"),
        (lambda: Pattern.local(1).with_(3), TypeError, "softcap"),
    ],
)  # fmt: skip
def test_what_no_program_can_hold_is_refused(make: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        make()


def test_equality_is_of_meaning_and_hashes_agree() -> None:
    window = Pattern.local(3) & Pattern.causal()
    same = [window, Pattern.local(left=3), Pattern("causal\nparam w = 3\nlocal(w)")]
    assert all(a == b and hash(a) == hash(b) for a, b in product(same, same))
    assert {window: "window"}[same[2]] == "window"
    assert len({*same, Pattern.local(3), Pattern("heads 2\nlocal(left=3)")}) == 3
    assert window in [Pattern.full(), same[1]]
    assert window != "local(left=3)"
    assert copy.deepcopy(window) is window
    listed = Pattern.listed("plan"), Pattern.local(2)
    assert (listed[0] & listed[1]) == (listed[1] & listed[0])
    # The same pairs, scored differently.
    biased = "local(2) with alibi + columns([0])", "columns([0]) with alibi + local(2)"
    assert Pattern(biased[0]) != Pattern(biased[1])
    assert Pattern("full on stream(g, 2)\nrows g\nnone") != Pattern("full on stream(h, 2)")


def test_what_is_not_proved_is_an_error_and_not_false() -> None:
    with pytest.raises(NotProvedError, match="str"):
        assert Pattern.listed("a") == Pattern("listed(a) - local(2)")
    both_sides = "random(2, avoid=local(left=1) + local(right=1)) + local(1)"
    with pytest.raises(NotProvedError):
        assert Pattern("random(2) + local(1)") == Pattern(both_sides)
    assert Pattern("random(2) + local(1)") == Pattern("local(1) + random(2)")
