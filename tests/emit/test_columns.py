"""The columns of a mask: one order for `Pattern` and module, that of the text."""

from __future__ import annotations

import pytest

from patternc import Pattern
from patternc.ir.sources import word_of

PROGRAMS = {
    "slots first in the second rule": (
        "layers 2\nlayer == 0 -> local(1)\nelse -> full on persistent(2) + local(1)",
        {0: "tokens", 1: "tokens persistent"},
    ),
    "slots first in the text": (
        "layers 3\nlayer == 2 -> columns([0]) on pool(2, mean) + local(1)\nelse -> local(1) "
        "+ full on memory(3) + full on pool(2, mean)",
        {0: "pool tokens memory", 2: "pool tokens"},
    ),
    "heads in another order than rules": (
        "heads 2\nhead == 1 -> full on persistent(2)\nelse -> diagonal + full on encoder",
        {0: "persistent tokens encoder"},
    ),
    "a branch of a combination": (
        "layers 2\nlayer == 1 -> gate(full on stream(g, 2), local(1))\nelse -> local(1) "
        "+ full on stream(g, 2)",
        {0: "stream tokens", 1: "stream tokens"},
    ),
    "two pools": (
        "layers 2\nlayer == 1 -> full on pool(2, mean) + diagonal\n"
        "else -> full on pool(3, mean) + full on pool(2, mean)",
        {0: "pool pool", 1: "pool tokens"},
    ),
    "memories and a tree": (
        "layers 2\nlayer == 0 -> full on compressed(2, rate=2) + full on memory(2) + diagonal\n"
        "else -> contextual(1) on tree(2) + diagonal + full on memory(2)",
        {0: "compressed memory tokens", 1: "memory tokens tree"},
    ),
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_pattern_and_module_have_the_columns_in_the_order_of_the_text(what: str) -> None:
    text, orders = PROGRAMS[what]
    pattern, slots = Pattern.parse(text), {"encoder": 5}
    for layer in range(pattern.layers or 1):
        mask = pattern.mask(7, layer=layer, slots=slots)
        found = pattern.module.mask(7, layer=layer, slots=slots)[: len(mask)]
        assert found.tolist() == mask.tolist()
    for layer, order in orders.items():
        columns = pattern.columns(7, layer, slots=slots)
        assert " ".join(word_of(source) for source, _ in columns) == order


def test_rows_of_a_stream_have_an_order_of_their_own() -> None:
    pattern = Pattern.parse(
        "layers 2\nlocal(1) + full on stream(g, 2)\n\nrows g\n"
        "layer == 1 -> columns([0]) + full on stream(g, 2)\nelse -> full on stream(g, 2) + full"
    )
    for layer in range(2):
        mask = pattern.mask(5, layer=layer, rows="g")
        assert pattern.module.mask(5, layer=layer, rows="g").tolist() == mask.tolist()
        words = [word_of(source) for source, _ in pattern.columns(5, layer, rows="g")]
        assert words == ["text", "stream"]


def test_a_module_of_one_layer_keeps_the_order_of_the_whole_text() -> None:
    text = PROGRAMS["slots first in the second rule"][0]
    pattern = Pattern.parse(text)
    assert '_COLUMNS = ("tokens", "persistent_kv")' in pattern.compile(layer=1)
