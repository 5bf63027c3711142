"""Warnings that teach: what they promise is what layouts, masks and products of masks show."""

from __future__ import annotations

import re

import numpy as np
import pytest
from click.testing import CliRunner

from patternc import Pattern
from patternc.cli.main import commands
from patternc.language import Diagnostic


def taught(text: str, n: int, layers: int | None = None) -> list[Diagnostic]:
    every = Pattern.parse(text).check(n, teach=True, layers=layers)
    return [found for found in every if found.code >= "P209"]


def codes(text: str, n: int, layers: int | None = None) -> list[str]:
    return [found.code for found in taught(text, n, layers)]


def products(text: str, n: int, tile: tuple[int, int]) -> int:
    """Those of all tiles that a pattern of one head visits."""
    counts = Pattern.parse(text).layout(n, tile).counts()
    return (counts.full[0] + counts.partial[0]) * tile[0] * tile[1]


@pytest.mark.parametrize("n", [500, 1024, 4096])
@pytest.mark.parametrize("width", [1, 20, 33, 65, 100, 129, 200])
def test_a_wider_window_costs_the_same_and_one_more_would_not(n, width):
    pattern = f"local({width})"
    (found,) = taught(pattern, n)
    wider = int(re.search(r"`local\((\d+)\)`", found.help)[1])
    query, key = map(int, re.search(r"tiles of (\d+) x (\d+)", found.note).groups())
    tile = query, key
    assert products(f"local({wider})", n, tile) == products(pattern, n, tile)
    assert products(f"local({wider + 1})", n, tile) > products(pattern, n, tile)
    pairs = Pattern.parse(pattern).pairs(n)[0]
    masked = 1 - pairs / products(pattern, n, tile)
    assert f"{masked:.0%} of the products are masked" in found.note
    more = Pattern.parse(f"local({wider})").pairs(n)[0]
    assert f"contains {more:,} pairs, not {pairs:,}" in found.help


@pytest.mark.parametrize(
    "text",
    ["local(256)", "local(64)", "causal\nlocal(left=255)", "local(255)", "full", "causal"],
)
def test_windows_that_fill_their_tiles_are_left_alone(text):
    assert codes(text, 4096) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("local(64, dilation=4)", 4),
        ("layers 2\nlayer == 0 -> local(64, dilation=4)\nelse -> strided(6)", 2),
        ("local(64, dilation=4) + local(64, dilation=6)", 2),
        ("layers 2\nlayer == 0 -> segment(16)\nelse -> segment(24)", -48),
        ("local(64, dilation=4) + local(64)", 0),
        ("layers 2\nlayer == 0 -> local(64, dilation=4)\nelse -> strided(3)", 0),
        ("local(64, dilation=4) + global([0])", 0),
        ("segment(32, back=1)", 0),
        ("blocks(2) { local(8, dilation=2) }", 0),
        ("causal\nlocal(left=64, dilation=4)", 4),
    ],
)
def test_classes_that_never_meet_are_those_of_the_masks(text, parts):
    n = 200
    found = [one for one in taught(text, n) if one.code == "P210"]
    pattern = Pattern.parse(text)
    masks = [pattern.mask(n, layer=layer).any(axis=0) for layer in range(pattern.layers or 1)]
    row, key = np.nonzero(np.logical_or.reduce(masks))
    if parts:
        kind = "classes" if parts > 0 else f"segments of {-parts}"
        assert kind in found[0].title
        same = (row - key) % parts == 0 if parts > 0 else row // -parts == key // -parts
        assert same.all()
    else:
        assert found == []


def full_at(masks: list[np.ndarray], layers: int) -> int:
    """Layers after which every earlier key is connected; one more than there are if never."""
    n = len(masks[0])
    field = np.eye(n, dtype=bool)
    for layer in range(layers):
        mask = masks[layer % len(masks)].astype(np.int64)
        field = field | (mask @ field.astype(np.int64) > 0)
        if field[np.tril_indices(n)].all():
            return layer + 1
    return layers + 1


RULES = ["local(left=3)", "strided(4)", "segment(4)", "columns(period(4, 3:4))"]


@pytest.mark.parametrize("layers", [2, 4])
@pytest.mark.parametrize("first", RULES)
@pytest.mark.parametrize("second", RULES)
def test_the_opposite_order_is_told_just_where_it_fills_earlier(first, second, layers):
    text = f"causal\nlayers 2\nlayer == 0 -> {first}\nelse -> {second}"
    n = 37
    masks = [Pattern.parse(text).mask(n, layer=layer)[0] for layer in (0, 1)]
    earlier = full_at(masks[::-1], layers) < full_at(masks, layers)
    found = [one for one in taught(text, n, layers) if one.code == "P211"]
    assert bool(found) == earlier
    if found:
        assert f"after {full_at(masks[::-1], layers)} layers" in found[0].help


def test_a_segment_of_whole_tiles_takes_no_more():
    (found,) = taught("segment(100) + global([0])", 4096)
    assert found.code == "P212"
    assert re.search(r"`segment\(128\)` needs \d+% fewer products", found.help)
    assert "contains 532,224 pairs, not 417,208" in found.help


def test_lessons_are_told_when_they_are_asked_for_and_can_be_ignored():
    pattern = Pattern.parse("local(100)")
    assert pattern.check(4096) == ()
    assert [one.code for one in pattern.check(4096, teach=True)] == ["P209"]
    assert pattern.check(4096, teach=True, ignore=["P209"]) == ()
    asked = ["check", "-e", "local(100)", "-n", "4096"]
    assert CliRunner().invoke(commands, asked).stderr == ""
    assert "P209" in CliRunner().invoke(commands, [*asked, "--teach"]).stderr


def test_the_order_of_layers_is_judged_by_what_streams_hear() -> None:
    text = "layers 2\nlayer == 0 -> full on stream(g, 1)\nelse -> local(1)\nrows g\n{}"
    earlier = [each.code for each in Pattern.parse(text.format("full")).check(40, teach=True)]
    deaf = [each.code for each in Pattern.parse(text.format("columns([0])")).check(40, teach=True)]
    assert ("P211" in earlier, "P211" in deaf) == (True, False)


def test_windows_within_long_formulas_are_not_tried():
    few, many = (" or ".join(f"i == {k} and j == {2 * k}" for k in range(m)) for m in (3, 20))
    assert codes(f"local(100) + where({few})", 1024) == ["P209"]
    assert codes(f"local(100) + where({many})", 1024) == []
