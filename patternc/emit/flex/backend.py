"""The flex backend: masks, scores and block masks for torch's FlexAttention, a file of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from patternc.emit.backend import Request, UnsupportedError
from patternc.emit.flex.layers import Layer, Layers, layers_of
from patternc.emit.flex.unsupported import unsupported
from patternc.emit.inputs import entries
from patternc.emit.link import linked
from patternc.emit.module import described, environment
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
from patternc.relation.relation import Relation
from patternc.schedule.schedule import Schedule
from patternc.schedule.tile_sizes import Choice

# What FlexAttention takes unless told otherwise.
BLOCK = 128


@dataclass(frozen=True, slots=True)
class FlexBackend:
    """Text for `torch.nn.attention.flex_attention`; kernels are torch's."""

    name: str = "flex"

    def unsupported(self, schedule: Schedule) -> tuple[str, ...]:
        return unsupported(schedule)

    def tile_sizes(
        self, relations: Iterable[Relation], dtype: str | None, head_dim: int | None
    ) -> Choice:
        del relations, dtype, head_dim
        return Choice(BLOCK, BLOCK, (f"{BLOCK} x {BLOCK}: FlexAttention's own blocks",))

    def emit(self, request: Request) -> str:
        if request.self_test:
            raise UnsupportedError(self.name, ["its file has no self-test"])
        template = environment().get_template("flex/flex.py.jinja")
        return linked(template.render(_context(request)))


FLEX = FlexBackend()


# What the templates of tiles and tables that it shares with modules have branches for.
_ALWAYS = ("sized", "sourced", "encoder", "lists", "tables", "tiling_of_head")


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
        "backends": {"flex": FLEX},
        "uses": {
            "products": "_Product" in words,
            "sinks": any(layer.sinks for layer in layers.distinct),
            "scales": any(layer.scale is not None for layer in layers.distinct),
            "scores": any(layer.score_mod for layer in layers.distinct),
            **dict.fromkeys(_ALWAYS, True),
        },
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
