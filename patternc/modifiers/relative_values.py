"""`relative_values(max_distance)`: vectors of the distances, added to values (Shaw 2018)."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import must
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import AtDistance, Node
from patternc.modifiers.definition import definition


@frozen
class RelativeValues(ScoreModifier):
    """v + table[clip(j - i)] for v, `relative_values` [2 * max_distance + 1, value_dim]."""

    max_distance: int
    word: ClassVar[str] = "relative_values"
    of_values: ClassVar[bool] = True

    @property
    def value(self) -> Node:
        return AtDistance(self.max_distance, self.max_distance)

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("relative_values", ("relative_values",), low=self.max_distance)

    @property
    def input_sizes(self) -> tuple[tuple[str, str], ...]:
        return (("relative_values", f"distances up to {self.max_distance}"),)


RELATIVE_VALUES = definition(
    RelativeValues,
    lambda given, _: RelativeValues(given.count("max_distance", 1)),
    must("max_distance", "count", 1),
    inputs=(("relative_values", "relative_values"),),
)
