"""`bias(name)`: a bias for every query and key, a run-time input."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import named_input
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import SCORE, AtKey, Node
from patternc.modifiers.definition import definition


@frozen
class Bias(ScoreModifier):
    """s + bias[h, i, j], the input `name` [heads, queries, keys]."""

    name: str
    word: ClassVar[str] = "bias"

    @property
    def value(self) -> Node:
        return SCORE + AtKey()

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("bias", (self.name,))


BIAS = definition(Bias, lambda given, _: Bias(given.word("name")), named_input("name", "bias"))
