"""`alibi`: a bias that falls with the distance, by a slope of each head (Press et al. 2022)."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import POSITION, BuiltinParameter
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import DISTANCE, SCORE, Node, OfHead, absolute
from patternc.modifiers.definition import definition


@frozen
class Alibi(ScoreModifier):
    """s - slope(h) * |i - j|; the slopes follow from the number of heads, or are the input."""

    slopes: str = ""
    position: str = ""
    word: ClassVar[str] = "alibi"

    @property
    def value(self) -> Node:
        return SCORE - OfHead("slope") * absolute(DISTANCE)

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("head", (self.slopes,)) if self.slopes else ScoreTable("alibi")


ALIBI = definition(
    Alibi,
    lambda given, _: Alibi(given.word("slopes"), given.word("position")),
    keyword=(BuiltinParameter("slopes", "input", role="slopes"), POSITION),
)
