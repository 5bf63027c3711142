"""Score modifiers: what changes a score before the softmax.

Order of application: rotary and absolute; product with relative terms; scale; the others of
`patternc.modifiers` in the order of its table; ln mu; mask. Distances are i - j; on a pool they are
i // stride - j, where `merge` counts leftover positions to the last slot.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from patternc.frozen import frozen
from patternc.ir.feature_maps import FeatureMap
from patternc.ir.score_expressions import AtDistance, Distance, Node, parts

TableKind = Literal[
    "alibi",
    "bias",
    "head",
    "key",
    "places",
    "query",
    "relative",
    "relative_values",
    "row",
    "t5",
    "xl",
]
# Tables of products with queries, which have an entry for each row.
_OF_QUERIES = ("relative", "xl")


@frozen
class ScoreTable:
    """The numbers that a modifier looks up; `kind` names the code that makes it from `inputs`.

    Kinds `head` (the inputs [heads], one column each) and `alibi` (the slopes) have numbers of each
    head, `query` (the inputs [batch, heads, queries]) of each query; `row` and `key` (the input
    [batch, heads, n]) of each query and of each key; `t5`, `relative` and `xl` an entry for each
    distance, and `relative_values` a vector; `bias` one for each key; `places` the positions
    of queries and keys. `buckets`, `low` and `both_sides` are those of t5; `low` is the farthest
    distance of the relative ones too.
    """

    kind: TableKind
    inputs: tuple[str, ...] = ()
    low: int = 0
    buckets: int = 0
    both_sides: bool = True

    @property
    def of_queries(self) -> bool:
        """Has it products of the queries, which no function of scores alone is given?"""
        return self.kind in _OF_QUERIES


class ScoreModifier:
    """A modifier that is one expression over the score; `patternc.modifiers` has one a file."""

    __slots__ = ()
    word: ClassVar[str]
    of_values: ClassVar[bool] = False
    of_tokens: ClassVar[bool] = False

    @property
    def steps(self) -> tuple[ScoreModifier, ...]:
        """What it is made of, each with one table, in order."""
        return (self,)

    @property
    def value(self) -> Node:
        """The score after it, or with `of_values` what is added to the value: an entry."""
        raise NotImplementedError

    @property
    def table(self) -> ScoreTable | None:
        """What the numbers and entries of its expression are looked up in."""
        return None

    @property
    def position(self) -> str:
        """The run-time input that says where queries and keys stand; empty: they count."""
        return ""

    @property
    def input_sizes(self) -> tuple[tuple[str, str], ...]:
        """Inputs with the size that it asks of them, in words; all heads of a layer share one."""
        return ()


def positions_of(modifier: Modifier) -> str:
    """The run-time input that says where queries and keys stand for it, if one does."""
    return modifier.position if isinstance(modifier, ScoreModifier | Rotary) else ""


def uses_distance(modifier: Modifier) -> bool:
    """Does the score depend on how far the key is from the query?"""
    if not isinstance(modifier, ScoreModifier):
        return False
    return any(isinstance(part, Distance | AtDistance) for part in parts(modifier.value))


@frozen
class Absolute:
    """Positions added to q and k, not to v (Shortformer); a run-time input, or one for each."""

    name: str
    word: ClassVar[str] = "absolute"


@frozen
class Rotary:
    """q and k rotated by their positions, or those of the input `position` (RoFormer)."""

    base: float
    position: str = ""
    word: ClassVar[str] = "rotary"


@frozen
class Sink:
    """A learned logit per head in the denominator and the lse, without a key (gpt-oss)."""

    word: ClassVar[str] = "sink"


@frozen
class Scale:
    """s = value * q . k in place of 1 / sqrt(head_dim)."""

    value: float
    word: ClassVar[str] = "scale"


Modifier = ScoreModifier | Absolute | Rotary | Sink | Scale | FeatureMap
"""A `FeatureMap` takes the place of scores and softmax, so it is the only one of its term."""
