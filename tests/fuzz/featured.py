"""Features in place of a softmax by the manual, in float64 numpy."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternc.ir.feature_maps import FeatureMap
from patternc.ir.terms import HeadPattern, Intersection, With
from tests.fuzz.calls import DIM, Call

Floats = NDArray[np.float64]
LEAST = 1e-3


def feature_map(pattern: HeadPattern) -> FeatureMap | None:
    """That of a pattern without a softmax."""
    match pattern.branches:
        case (
            With(_, FeatureMap() as features)
            | Intersection((With(_, FeatureMap() as features), _)),
        ):
            return features
        case _:
            return None


def weighed(
    features: FeatureMap,
    head: int,
    parts: tuple[Floats, Floats, Floats],
    i: NDArray[np.int64],
    call: Call,
    drawn: ModuleType,
) -> tuple[Floats, Any]:
    """The output [batch, rows, size] of q, k and v [batch, .., size], and which rows have a key."""
    q, k, v = parts
    directions = _directions(features, head, call, drawn)
    phi_q, phi_k = (_features(features, part, directions) for part in (q, k))
    shares = _shares(features, head, i, call)
    weights = phi_q @ phi_k.swapaxes(1, 2) * shares
    total = weights.sum(-1, keepdims=True)
    if features.kind == "rfa":
        # Of features that are not divided by their number, as the manual has it.
        total = np.maximum(np.abs(total), LEAST * features.directions)
    held = np.broadcast_to(i >= 0 if features.causal else i == i, i.shape) & (call.n > 0)
    out = weights @ v / np.where(total == 0, 1, total)
    return np.where(held[:, None], out, 0), np.broadcast_to(held, out.shape[:2])


def _directions(features: FeatureMap, head: int, call: Call, drawn: ModuleType) -> Any:
    if features.matrix is not None:
        given = call.floats[features.matrix]
        return given if given.ndim == 2 else given[head]
    if features.kind == "elu":
        return None
    made = drawn.feature_directions(
        features.directions,
        DIM,
        seed=features.seed,
        layer=call.layer,
        orthogonal=features.kind == "favor",
    )
    return made.numpy()


def _features(features: FeatureMap, part: Floats, directions: Any) -> Floats:
    match features.kind:
        case "elu":
            return np.where(part > 0, part + 1, np.exp(np.minimum(part, 0)))
        case "favor":
            part = part * DIM**-0.25
            return np.exp(part @ directions.T - (part**2).sum(-1, keepdims=True) / 2)
        case "rfa":
            turned = part / (np.linalg.norm(part, axis=-1, keepdims=True) + 1e-3) @ directions.T
            return np.concatenate([np.sin(turned), np.cos(turned)], -1)


def _shares(features: FeatureMap, head: int, i: NDArray[np.int64], call: Call) -> Floats:
    """What a row keeps of each key [batch or 1, rows, n]."""
    seen = np.ones((len(i), call.n))
    if features.causal:
        seen = (np.arange(call.n) <= i[:, None]).astype(float)
    if features.gate is None:
        return seen[None]
    gate = call.floats[features.gate][:, head]
    found = np.zeros((len(gate), len(i), call.n))
    for row, last in enumerate(i):
        for key in range(min(last, call.n - 1) + 1):
            kept = gate[:, key + 1 : last + 1].prod(-1)
            found[:, row, key] = (1 - gate[:, key]) * kept
    return found
