"""`relative(max_distance)`: products of queries with vectors of the distances (Shaw 2018)."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import POSITION, must
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import SCORE, AtDistance, Node
from patternc.modifiers.definition import definition


@frozen
class Relative(ScoreModifier):
    """s + q . table[clip(j - i)], `relative_keys` [2 * max_distance + 1, head_dim]."""

    max_distance: int
    position: str = ""
    word: ClassVar[str] = "relative"

    @property
    def value(self) -> Node:
        return SCORE + AtDistance(self.max_distance, self.max_distance)

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("relative", ("relative_keys",), low=self.max_distance)

    @property
    def input_sizes(self) -> tuple[tuple[str, str], ...]:
        return (("relative_keys", f"distances up to {self.max_distance}"),)


RELATIVE = definition(
    Relative,
    lambda given, _: Relative(given.count("max_distance", 1), given.word("position")),
    must("max_distance", "count", 1),
    keyword=(POSITION,),
    inputs=(("relative_keys", "relative"),),
)
