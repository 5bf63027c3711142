"""`distance_aware`: scores weighed by a learned function of the distance (DA-Transformer)."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.builtin_words import POSITION
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import (
    DISTANCE,
    SCORE,
    Named,
    Node,
    OfHead,
    absolute,
    exp,
    relu,
    sigmoid,
)
from patternc.modifiers.definition import definition

_INPUTS = ("distance_alpha", "distance_beta")


@frozen
class DistanceAware(ScoreModifier):
    """relu(s) * (1 + e^beta) / (1 + e^(beta - alpha |i - j|)); alpha and beta of the head."""

    position: str = ""
    word: ClassVar[str] = "distance_aware"

    @property
    def value(self) -> Node:
        alpha, beta = OfHead("alpha", 0), OfHead("beta", 1)
        # As a sigmoid: 1 / (1 + e^-x) may overflow, which its gradient would show.
        rise = Named("rise", alpha * absolute(DISTANCE) - beta)
        factor = (1 + exp(beta)) * sigmoid(rise)
        return relu(SCORE) * Named("factor", factor)

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("head", _INPUTS)


DISTANCE_AWARE = definition(
    DistanceAware,
    lambda given, _: DistanceAware(given.word("position")),
    keyword=(POSITION,),
    inputs=tuple((name, "distance") for name in _INPUTS),
)
