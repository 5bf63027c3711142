"""`xl_relative`: the relative positions of Transformer-XL (Dai et al. 2019)."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import POSITION
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import SCORE, AtDistance, Node
from patternc.modifiers.definition import definition

_INPUTS = ("xl_u", "xl_v", "xl_r")


@frozen
class XlRelative(ScoreModifier):
    """(q + u) . k + (q + v) . r[i - j]; u shifts the queries before this."""

    position: str = ""
    word: ClassVar[str] = "xl_relative"

    @property
    def value(self) -> Node:
        return SCORE + AtDistance(None, 0)

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("xl", _INPUTS)


XL_RELATIVE = definition(
    XlRelative,
    lambda given, _: XlRelative(given.word("position")),
    keyword=(POSITION,),
    inputs=tuple((name, "xl") for name in _INPUTS),
)
