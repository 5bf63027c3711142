"""`softcap(c)`: scores kept between -c and c (Gemma 2)."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import must
from patternc.ir.modifiers import ScoreModifier
from patternc.ir.score_expressions import SCORE, Named, Node, Number, Quotient, tanh
from patternc.modifiers.definition import definition


@frozen
class SoftCap(ScoreModifier):
    """cap * tanh(s / cap)."""

    cap: float
    word: ClassVar[str] = "softcap"

    @property
    def value(self) -> Node:
        share = Quotient(SCORE, Number(self.cap), exact=False)
        return self.cap * Named("share", tanh(share))


SOFTCAP = definition(SoftCap, lambda given, _: SoftCap(given.positive("c")), must("c", "decimal"))
