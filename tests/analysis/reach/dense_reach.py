"""Receptive fields by dense Boolean products: the specification that every engine is held to.

Straight from masks and from where the slots of a source come from; shares nothing with the engines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternc import Pattern
from patternc.analysis.reach import LayerReach
from patternc.ir.sources import Pool, Project, Stream, Text, Tokens, Tree
from patternc.semantics.mask import window_ends

Booleans = NDArray[np.bool_]
# An encoder of a few positions: none of them are positions of the sequence.
SLOTS = {"encoder": 3}


@dataclass(frozen=True, slots=True)
class Dense:
    layers: tuple[LayerReach, ...]
    full_at: int | None
    causal: bool


def dense_reach(pattern: Pattern, n: int, layers: int, residual: bool = True, **inputs) -> Dense:
    causal, every = dense_fields(pattern, n, layers, residual, **inputs)
    permitted = np.tril(np.ones((n, n), np.bool_)) if causal else np.ones((n, n), np.bool_)
    full = [layer for layer, fields in enumerate(every, 1) if (fields >= permitted).all()]
    return Dense(tuple(map(facts, every)), full[0] if full else None, causal)


def dense_fields(
    pattern: Pattern, n: int, layers: int, residual: bool = True, **inputs
) -> tuple[bool, list[Booleans]]:
    """Whether no layer looks ahead, and the field of every position after each layer."""
    count = min(pattern.layers or 1, layers)
    schedule = [layer_pairs(pattern, n, layer, **inputs) for layer in range(count)]
    cover = spans_of(pattern, n)
    causal = not any(
        np.triu(step.pairs | product(step.spans, cover), 1).any()
        or any(read.any() for read in step.streams.values())
        for step in schedule[:layers]
    )
    fields, tree = np.eye(n, dtype=np.bool_), np.zeros(cover.shape, np.bool_)
    names = [name for name in pattern.rows if name != "tree"]
    heard = {name: np.zeros((len(pattern.mask(n, rows=name)[0]), n), np.bool_) for name in names}
    every = []
    for layer in range(layers):
        step = schedule[layer % len(schedule)]
        later = product(step.pairs, fields) | product(step.spans, tree)
        for name, read in step.streams.items():
            later |= product(read, heard[name])
        heard = {name: heard[name] | step.slots(name, fields, heard) for name in names}
        tree = tree | product(cover, fields)
        fields = later | fields if residual else later
        every.append(fields)
    return causal, every


@dataclass(frozen=True, slots=True)
class Layer:
    """Pairs of positions; pairs with spans; what tokens read of streams; what streams read."""

    pairs: Booleans
    spans: Booleans
    streams: dict[str, Booleans]
    rules: dict[str, dict[str, Booleans]]

    def slots(self, name: str, fields: Booleans, heard: dict[str, Booleans]) -> Booleans:
        """What the slots of a stream hear in this layer."""
        every = self.rules[name].items()
        parts = (product(read, heard[of] if of else fields) for of, read in every)
        return np.logical_or.reduce(list(parts))


def product(left: Booleans, right: Booleans) -> Booleans:
    return (left.astype(np.float32) @ right.astype(np.float32)) > 0


def spans_of(pattern: Pattern, n: int) -> Booleans:
    """The tokens of each span above the tokens, if there is a tree."""
    return pattern.mask(n, rows="tree")[0] if "tree" in pattern.rows else np.zeros((0, n), np.bool_)


def layer_pairs(pattern: Pattern, n: int, layer: int, **inputs) -> Layer:
    """One layer of all heads."""
    mask = pattern.mask(n, layer=layer, slots=SLOTS, **inputs).any(axis=0)
    pairs, first = np.zeros((n, n), np.bool_), 0
    spans = np.zeros((n, len(spans_of(pattern, n))), np.bool_)
    streams: dict[str, Booleans] = {}
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
            case Stream(name):
                streams[name] = held
            case Tree():
                pairs |= held[:, :n]
                spans |= held[:, n:]
    names = [name for name in pattern.rows if name != "tree"]
    return Layer(
        pairs, spans, streams, {name: _rules(pattern, n, layer, name, **inputs) for name in names}
    )


def _rules(pattern: Pattern, n: int, layer: int, name: str, **inputs) -> dict[str, Booleans]:
    """What the slots of a stream attend to: tokens, and slots of streams by name."""
    mask = pattern.mask(n, layer=layer, rows=name, slots=SLOTS, **inputs).any(axis=0)
    found, first = {}, 0
    for source, count in pattern.columns(n, layer, rows=name, slots=SLOTS):
        if isinstance(source, Text | Stream):
            found[getattr(source, "name", "")] = mask[:, first : first + count]
        first += count
    return found


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
