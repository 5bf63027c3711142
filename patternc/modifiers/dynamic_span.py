"""`dynamic_span(ramp, z=name)`: a span of each head and token with a soft end (Adaptive Span)."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import POSITION, must, named_input
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import Node, OfQuery
from patternc.modifiers.definition import definition
from patternc.modifiers.softspan import with_soft_end


@frozen
class DynamicSpan(ScoreModifier):
    """exp(s) times clip((z_hi + 1 - (i - j)) / ramp + 1, 0, 1), z the input `name`."""

    ramp: float
    name: str
    position: str = ""
    word: ClassVar[str] = "dynamic_span"

    @property
    def value(self) -> Node:
        return with_soft_end(OfQuery("span"), self.ramp)

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("query", (self.name,))


DYNAMIC_SPAN = definition(
    DynamicSpan,
    lambda given, _: DynamicSpan(given.positive("ramp"), given.word("z"), given.word("position")),
    must("ramp", "decimal"),
    keyword=(named_input("z", "token_span"), POSITION),
)
