"""`t5(buckets, max_distance)`: a learned bias of the distance's bucket (Raffel et al. 2020)."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import POSITION, BuiltinParameter, must
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import SCORE, AtDistance, Node
from patternc.modifiers.definition import Arguments, definition

UNNAMED = "t5_bias"
"""The table of a `t5` without `name=`."""
_NOTE = (
    "half of the buckets on each side cover one distance each, the others grow up to `max_distance`"
)


@frozen
class T5Bias(ScoreModifier):
    """s + table[bucket(j - i), h], the input `name` [buckets, heads].

    Half of the buckets are for j > i unless the term holds only keys up to the query.
    """

    buckets: int
    max_distance: int
    bidirectional: bool
    name: str
    position: str = ""
    word: ClassVar[str] = "t5"

    @property
    def value(self) -> Node:
        return SCORE + AtDistance(self.max_distance, self.max_distance)

    @property
    def table(self) -> ScoreTable:
        sizes = self.max_distance, self.buckets, self.bidirectional
        return ScoreTable("t5", (self.name,), *sizes)

    @property
    def input_sizes(self) -> tuple[tuple[str, str], ...]:
        return ((self.name, f"{self.buckets} buckets"),)


def _build(given: Arguments, past: bool) -> T5Bias:
    buckets, farthest = given.count("buckets", 1), given.count("max_distance", 1)
    sides = 2 if past else 4
    # Half of the buckets of a side hold one distance each, the others grow up to the farthest.
    for name, least in (("buckets", sides), ("max_distance", buckets // sides + 1)):
        given.at_least(name, least, _NOTE, f"write {least} or more; T5 has `t5(32, 128)`")
    table, position = given.word("name") or UNNAMED, given.word("position")
    return T5Bias(buckets, farthest, not past, table, position)


T5 = definition(
    T5Bias,
    _build,
    must("buckets", "count", 1),
    must("max_distance", "count", 1),
    keyword=(BuiltinParameter("name", "input", role="t5"), POSITION),
    unnamed=(UNNAMED, "t5"),
)
