"""`decay(name)`: scores fall by what is forgotten between key and query (Lin et al. 2025)."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import named_input
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import SCORE, Node, OfKey, OfQuery
from patternc.modifiers.definition import definition


@frozen
class _OfRows(ScoreModifier):
    """s + c[h, i]: the part of each query."""

    name: str
    word: ClassVar[str] = "decay"

    @property
    def value(self) -> Node:
        return SCORE + OfQuery("kept")

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("row", (self.name,))


@frozen
class _OfKeys(ScoreModifier):
    """s - c[h, j]: the part of each key."""

    name: str
    word: ClassVar[str] = "decay"

    @property
    def value(self) -> Node:
        return SCORE - OfKey()

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("key", (self.name,))


@frozen
class Decay(ScoreModifier):
    """s + c[h, i] - c[h, j], c the input `name` [batch, heads, n].

    With c the running sums of the logarithms of gates these are the scores of the Forgetting
    Transformer.
    """

    name: str
    word: ClassVar[str] = "decay"
    of_tokens: ClassVar[bool] = True

    @property
    def value(self) -> Node:
        return SCORE + OfQuery("kept") - OfKey()

    @property
    def steps(self) -> tuple[ScoreModifier, ...]:
        return _OfRows(self.name), _OfKeys(self.name)


DECAY = definition(Decay, lambda given, _: Decay(given.word("name")), named_input("name", "decay"))
