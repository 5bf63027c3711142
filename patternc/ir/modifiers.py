"""Score modifiers: what changes a score before the softmax.

Order of application: rotary and absolute; product with relative terms; scale; distance_aware;
softcap; alibi, t5, bias; ln softspan and ln mu; mask. Distances are i - j; on a pool they are
i // stride - j, where `merge` counts leftover positions to the last slot.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alibi:
    """s - slope(h) * |i - j| (Press et al. 2022)."""


@dataclass(frozen=True, slots=True)
class T5Bias:
    """s + table[bucket(j - i), h], the input `name` [buckets, heads] (Raffel et al. 2020).

    Half of the buckets are for j > i unless the term is causal.
    """

    buckets: int
    max_distance: int
    bidirectional: bool
    name: str


@dataclass(frozen=True, slots=True)
class Relative:
    """s + q . table[clip(j - i)], `relative_keys` [2 * max_distance + 1, head_dim] (Shaw 2018)."""

    max_distance: int


@dataclass(frozen=True, slots=True)
class XlRelative:
    """(q + u) . k + (q + v) . r[i - j] (Dai et al. 2019)."""


@dataclass(frozen=True, slots=True)
class DistanceAware:
    """relu(s) * (1 + e^beta) / (1 + e^(beta - alpha |i - j|)) (DA-Transformer)."""


@dataclass(frozen=True, slots=True)
class Absolute:
    """Positions added to q and k, not to v (Shortformer); a run-time input, or one for each."""

    name: str


@dataclass(frozen=True, slots=True)
class Rotary:
    """q and k rotated by their positions (RoFormer)."""

    base: float


@dataclass(frozen=True, slots=True)
class SoftCap:
    """cap * tanh(s / cap)."""

    cap: float


@dataclass(frozen=True, slots=True)
class SoftSpan:
    """exp(s) times clip((z_h + 1 - (i - j)) / ramp + 1, 0, 1) (Adaptive Span)."""

    ramp: float
    name: str


@dataclass(frozen=True, slots=True)
class Sink:
    """A learned logit per head in the denominator and the lse, without a key (gpt-oss)."""


@dataclass(frozen=True, slots=True)
class Bias:
    """s + bias[h, i, j], a run-time input [heads, queries, keys]."""

    name: str


@dataclass(frozen=True, slots=True)
class Scale:
    """s = value * q . k in place of 1 / sqrt(head_dim)."""

    value: float


Modifier = (
    Alibi
    | T5Bias
    | Relative
    | XlRelative
    | DistanceAware
    | Absolute
    | Rotary
    | SoftCap
    | SoftSpan
    | Sink
    | Bias
    | Scale
)
