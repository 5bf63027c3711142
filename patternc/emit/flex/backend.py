"""The flex backend: masks, scores and block masks for torch's FlexAttention, a file of its own."""

from __future__ import annotations

from patternc.emit.backend import Request
from patternc.emit.file_backend import FileBackend, file_uses
from patternc.emit.flex.layers import Layer, Layers, layers_of
from patternc.emit.flex.unsupported import reasons
from patternc.emit.inputs import entries
from patternc.emit.module import described
from patternc.emit.tables import numbers
from patternc.emit.text.layout import (
    Call,
    Items,
    Keyword,
    Leaf,
    Text,
    declarations,
    laid_out,
    quoted,
)

# What FlexAttention takes unless told otherwise.
BLOCK = 128


# What the templates of tiles and tables that it shares with modules have branches for.
_ALWAYS = ("dropped", "sized", "sourced", "encoder", "lists", "tables", "tiling_of_head")


def _context(request: Request) -> dict[str, object]:
    layers = layers_of(request.schedule)
    words = {word for layer in layers.distinct for word in declarations(layer.branches)}
    return {
        "functions": "\n\n\n".join(layers.functions.texts.values()),
        "layers": _data(layers),
        "kind_of_layer": laid_out(numbers(tuple(layers.chosen)), "_KIND_OF_LAYER = ", 0),
        "table_kinds": list(
            dict.fromkeys(table.kind for layer in layers.distinct for table in layer.tables)
        ),
        "uses": file_uses(
            wide="entry=" in words,
            products="_Product" in words,
            verdicts="held=" in words,
            integers=not words.isdisjoint({"_Integers", "_CallSize"}),
            sizes="_CallSize" in words,
            sinks=any(layer.sinks for layer in layers.distinct),
            scales=any(layer.scale is not None for layer in layers.distinct),
            scores=any(layer.score_mod for layer in layers.distinct),
            **dict.fromkeys(_ALWAYS, True),
        ),
        **described(request, entries(request.inputs, request.schedule)),
    }


def _data(layers: Layers) -> str:
    """The distinct layers as an assignment."""
    return laid_out(Items(tuple(map(_layer, layers.distinct))), "_LAYERS = ", 0)


def _layer(layer: Layer) -> Text:
    named: list[tuple[str, bool, Text]] = [
        ("score_mod", bool(layer.score_mod), Leaf(layer.score_mod)),
        ("tables", bool(layer.tables), Items(tuple(table.text for table in layer.tables))),
        ("inputs", bool(layer.inputs), Items(tuple(map(quoted, layer.inputs)))),
        ("scale", layer.scale is not None, Leaf(str(layer.scale))),
        ("sinks", bool(layer.sinks), numbers(layer.sinks)),
    ]
    given = (Keyword(name, text) for name, present, text in named if present)
    return Call("_Layer", (Leaf(layer.mask_mod), layer.branches, *given))


BACKEND = FileBackend(
    "flex",
    "flex/flex.py.jinja",
    BLOCK,
    f"{BLOCK} x {BLOCK}: FlexAttention's own blocks",
    reasons,
    _context,
)
