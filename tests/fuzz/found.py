"""What searches must find, in float64 numpy.

Lists are compared as sets of keys: their order is nobody's business. `lsh` and `cluster` are not
found here; their lists only have to lead to the same outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternc.ir import modifiers as m
from patternc.ir.searches import Nearest, Sinkhorn, TopBlocks
from patternc.ir.sources import KeySource, home_of
from patternc.ir.terms import (
    Difference,
    Found,
    HeadPattern,
    IndexList,
    Intersection,
    On,
    Term,
    Union,
    With,
)
from patternc.modifiers.xl_relative import XlRelative
from tests.fuzz.dense import Floats, Head, Part, placed, projected, slots_of

Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Place:
    """A search, where its keys are, and what changes its products."""

    listed: IndexList
    source: KeySource
    modifiers: tuple[m.Modifier, ...]


def wanted(head: Head) -> Iterator[tuple[Place, Booleans]]:
    """Keys [batch, rows, slots] that each search of a head finds, of those that are found here."""
    if projected(head):
        return
    for place in (place for branch in head.pattern.sets for place in _places(head.pattern, branch)):
        keys = _found(head, place)
        if keys is not None:
            yield place, keys


def keys_of(lists: Any, width: int, slots: int) -> Booleans:
    """Keys [.., rows, slots] of lists [.., rows, k], whose entries stand for `width` keys."""
    blocks = -(-slots // width)
    held = np.zeros((*lists.shape[:-1], blocks + 1), bool)
    np.put_along_axis(held, lists, True, -1)
    return held[..., :blocks].repeat(width, -1)[..., :slots]


def _places(pattern: HeadPattern, branch: Term) -> Iterator[Place]:
    yield from _within(branch, home_of(pattern.rows), ())


def _within(term: Term, source: KeySource, around: tuple[m.Modifier, ...]) -> Iterator[Place]:
    match term:
        case IndexList(_, Found()):
            yield Place(term, source, around)
        case On(inner, elsewhere):
            yield from _within(inner, elsewhere, around)
        case With(inner, modifier):
            yield from _within(inner, source, (*around, modifier))
        case Union(terms) | Intersection(terms):
            for item in terms:
                yield from _within(item, source, around)
        case Difference(left, _):
            yield from _within(left, source, around)


def _found(head: Head, place: Place) -> Booleans | None:
    found = place.listed.found
    assert found is not None
    among = head.pairs(found.among, place.source)
    part = Part(among, place.source, place.modifiers)
    scale = part.has(m.Scale)
    factor = scale.value if scale else head.call.q.shape[-1] ** -0.5
    match found.search:
        case Nearest(count, scores):
            products = _products(head, part, head.head) if not scores else _given(head, scores)
            return _greatest(products, count, among)
        case TopBlocks(count, width, scores, group):
            some = _some(among, width)
            members = range(head.head, head.head + 1)
            if group:
                first = head.head // head.call.shared * head.call.shared
                members = range(first, first + head.call.shared)
            if scores:
                parts = [_given(head, scores, each) for each in members]
            else:
                parts = [_of_blocks(head, part, each, width) * factor for each in members]
            if group and not scores:
                parts = [_softmax(np.where(some, each, -np.inf)) for each in parts]
            chosen = _greatest(sum(parts), count, some)
            return chosen.repeat(width, -1)[..., : among.shape[1]]
        case Sinkhorn():
            return None
        case _:
            return None


def _products(head: Head, part: Part, of: int) -> Floats:
    query, keys = _asked(head, part, of)
    return query @ keys.swapaxes(1, 2)


def _of_blocks(head: Head, part: Part, of: int, width: int) -> Floats:
    query, keys = _asked(head, part, of)
    starts = range(0, keys.shape[1], width)
    means = [keys[:, at : at + width].mean(1) for at in starts]
    return query @ np.stack(means, 2) if means else query[..., :0]


def _asked(head: Head, part: Part, of: int) -> tuple[Floats, Floats]:
    call = head.call
    keys = slots_of(part.source, head, call.k, call.v)[0][:, of // call.shared]
    query, keys = placed(head, part, call.q[:, of], keys)
    return (query + call.floats["xl_u"][of] if part.has(XlRelative) else query), keys


def _given(head: Head, name: str, of: int | None = None) -> Floats:
    scores = head.call.floats[name]
    return scores[:, min(head.head if of is None else of, scores.shape[1] - 1)]


def _softmax(scores: Floats) -> Floats:
    top = scores.max(-1, keepdims=True, initial=-np.inf)
    weights = np.exp(scores - np.where(np.isfinite(top), top, 0))
    return weights / np.maximum(weights.sum(-1, keepdims=True), 1e-300)


def _some(pairs: Booleans, width: int) -> Booleans:
    """The blocks of keys with a pair."""
    held = [pairs[:, at : at + width].any(1) for at in range(0, pairs.shape[1], width)]
    return np.stack(held, 1) if held else pairs[:, :0]


def _greatest(scores: Floats, count: int, allowed: Booleans) -> Booleans:
    scores = np.where(allowed, scores, -np.inf)
    order = np.argsort(-scores, -1, kind="stable")
    return (np.argsort(order, -1, kind="stable") < count) & allowed
