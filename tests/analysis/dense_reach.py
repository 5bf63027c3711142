"""Receptive fields by dense Boolean products: the specification that every engine is held to.

Straight from masks and from where the slots of a source come from; shares nothing with the engines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternc import Pattern
from patternc.analysis.reach import LayerReach
from patternc.language.sources import Pool, Project, Stream, Tokens, Tree
from patternc.relation.meaning import window_ends

Booleans = NDArray[np.bool_]
# An encoder of a few positions: none of them are positions of the sequence.
SLOTS = {"encoder": 3}


@dataclass(frozen=True, slots=True)
class Dense:
    layers: tuple[LayerReach, ...]
    full_at: int | None
    causal: bool


def dense_reach(pattern: Pattern, n: int, layers: int, residual: bool = True, **inputs) -> Dense:
    count = min(pattern.layers or 1, layers)
    schedule = [layer_pairs(pattern, n, layer, **inputs) for layer in range(count)]
    cover = spans_of(pattern, n)
    causal = not any(
        np.triu(pairs | product(spans, cover), 1).any() or rows.any()
        for pairs, rows, spans in schedule[:layers]
    )
    permitted = np.tril(np.ones((n, n), np.bool_)) if causal else np.ones((n, n), np.bool_)
    fields, stream = np.eye(n, dtype=np.bool_), np.zeros(n, np.bool_)
    tree = np.zeros(cover.shape, np.bool_)
    found, full_at = [], None
    for layer in range(layers):
        pairs, rows, spans = schedule[layer % len(schedule)]
        later = product(pairs, fields) | (rows[:, None] & stream) | product(spans, tree)
        stream, tree = stream | fields.any(axis=0), tree | product(cover, fields)
        fields = later | fields if residual else later
        found.append(facts(fields))
        if full_at is None and (fields >= permitted).all():
            full_at = layer + 1
    return Dense(tuple(found), full_at, causal)


def product(left: Booleans, right: Booleans) -> Booleans:
    return (left.astype(np.float32) @ right.astype(np.float32)) > 0


def spans_of(pattern: Pattern, n: int) -> Booleans:
    """The tokens of each span above the tokens, if there is a tree."""
    return pattern.mask(n, rows="tree")[0] if "tree" in pattern.rows else np.zeros((0, n), np.bool_)


def layer_pairs(
    pattern: Pattern, n: int, layer: int, **inputs
) -> tuple[Booleans, Booleans, Booleans]:
    """Pairs of positions of all heads, rows that attend to a stream, and pairs with spans."""
    mask = pattern.mask(n, layer=layer, slots=SLOTS, **inputs).any(axis=0)
    pairs, streamed, first = np.zeros((n, n), np.bool_), np.zeros(n, np.bool_), 0
    spans = np.zeros((n, len(spans_of(pattern, n))), np.bool_)
    for source, count in pattern.columns(n, layer, slots=SLOTS):
        held = mask[:, first : first + count]
        first += count
        match source:
            case Tokens():
                pairs |= held
            case Pool():
                pairs |= product(held, windows(source, n, count))
            case Project():
                pairs |= held.any(axis=1)[:, None]
            case Stream():
                streamed |= held.any(axis=1)
            case Tree():
                pairs |= held[:, :n]
                spans |= held[:, n:]
    return pairs, streamed, spans


def windows(pool: Pool, n: int, count: int) -> Booleans:
    ends = window_ends(pool, n)
    assert len(ends) == count
    slots = np.zeros((count, n), np.bool_)
    for slot, end in enumerate(ends):
        slots[slot, slot * pool.stride : end] = True
    return slots


def facts(fields: Booleans) -> LayerReach:
    n = len(fields)
    sizes, rows = fields.sum(axis=1), np.arange(n)
    held = sizes > 0
    first, last = fields.argmax(axis=1), n - 1 - fields[:, ::-1].argmax(axis=1)
    median = float(np.median(sizes))
    return LayerReach(
        int(sizes.min()),
        int(median) if median.is_integer() else median,
        int(sizes.max()),
        max(0, int((rows - first)[held].max(initial=0))),
        max(0, int((last - rows)[held].max(initial=0))),
        int((held & (last - first + 1 != sizes)).sum()),
        exact=True,
    )
