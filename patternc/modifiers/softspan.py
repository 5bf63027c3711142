"""`softspan(ramp, z=name)`: a learned span of each head with a soft end (Adaptive Span)."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import POSITION, must, named_input
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import DISTANCE, SCORE, Named, Node, OfHead, log_share
from patternc.modifiers.definition import definition


def with_soft_end(span: Node, ramp: float) -> Node:
    """The score with the logarithm of the share that a key keeps: 1 up to `span`, 0 a ramp on."""
    # Divided exactly: the share of the last distance that is none must be 0.
    return SCORE + log_share(Named("share", (span + 1 + DISTANCE) / ramp + 1))


@frozen
class SoftSpan(ScoreModifier):
    """exp(s) times clip((z_h + 1 - (i - j)) / ramp + 1, 0, 1), z the input `name`."""

    ramp: float
    name: str
    position: str = ""
    word: ClassVar[str] = "softspan"

    @property
    def value(self) -> Node:
        return with_soft_end(OfHead("span"), self.ramp)

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("head", (self.name,))


SOFTSPAN = definition(
    SoftSpan,
    lambda given, _: SoftSpan(given.positive("ramp"), given.word("z"), given.word("position")),
    must("ramp", "decimal"),
    keyword=(named_input("z", "span"), POSITION),
)
