"""Attention by the manual, in float64 numpy: what modules must compute.

From the pattern of a head and a `Call` to its output and the logarithm of its sum. Pairs are those
of the evaluator; scores, modifiers, projections, slots and combinations are written down here
again, and share nothing with the generated module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternc.ir import modifiers as m
from patternc.ir.sources import (
    TOKENS,
    Compressed,
    Encoder,
    KeySource,
    Memory,
    Persistent,
    Pool,
    Project,
    Store,
    Stream,
    Text,
    Tokens,
    Tree,
    home_of,
)
from patternc.ir.terms import (
    Blocks,
    Causal,
    Complement,
    Difference,
    EqualParts,
    Full,
    Global,
    HeadPattern,
    Intersection,
    On,
    Rows,
    Term,
    Union,
    With,
)
from patternc.modifiers.alibi import Alibi
from patternc.modifiers.bias import Bias
from patternc.modifiers.decay import Decay
from patternc.modifiers.distance_aware import DistanceAware
from patternc.modifiers.dynamic_span import DynamicSpan
from patternc.modifiers.relative import Relative
from patternc.modifiers.relative_values import RelativeValues
from patternc.modifiers.softcap import SoftCap
from patternc.modifiers.softspan import SoftSpan
from patternc.modifiers.t5 import T5Bias
from patternc.modifiers.xl_relative import XlRelative
from patternc.semantics.mask import mask, window_ends
from tests.fuzz.calls import DIM, Call
from tests.fuzz.featured import feature_map, weighed

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """Pairs [rows, slots] of one source that are treated alike; modifiers inside first."""

    pairs: Booleans
    source: KeySource
    modifiers: tuple[m.Modifier, ...] = ()
    projection: str = ""

    def has(self, kind: type) -> Any:
        return next((item for item in self.modifiers if isinstance(item, kind)), None)


@dataclass(frozen=True)
class Head:
    """One head of a call; `inputs` are its lists, sets and labels.

    What is normally distributed is `drawn` by the module, and nothing else is asked of it. `asked`
    are the sources of all heads of the layer.
    """

    call: Call
    head: int
    pattern: HeadPattern
    inputs: dict[str, NDArray[Any]]
    drawn: ModuleType
    asked: frozenset[KeySource]

    def pairs(self, term: Term, source: KeySource) -> Booleans:
        call, asking = self.call, self.pattern.rows
        queries = None if call.rows else call.queries
        return mask(term, call.n, queries, self.inputs, source, call.sizes, asking)

    @property
    def i(self) -> NDArray[np.int64]:
        """Positions of the rows among the tokens, or indices of others."""
        call = self.call
        start = 0 if call.rows else call.n - call.queries
        return np.arange(start, start + call.queries)


def attended(head: Head) -> tuple[Floats, Floats | None]:
    """Output [batch, rows, size] and lse [batch, rows]; a combination has none."""
    if head.pattern.combination is None and feature_map(head.pattern) is None:
        return _softmax(head, head.pattern)[:2]
    return _combined(head, head.pattern)[0], None


def _combined(head: Head, pattern: HeadPattern) -> tuple[Floats, Booleans]:
    """Output, and which rows have a key."""
    found = pattern.combination
    if (features := feature_map(pattern)) is not None:
        call, own = head.call, head.head // head.call.shared
        parts = call.q[:, head.head], call.k[:, own], call.v[:, own]
        return weighed(features, head.head, parts, head.i, call, head.drawn)
    if found is None:
        out, _, held = _softmax(head, pattern)
        return out, held
    own = found.kind == "difference"
    heads = [replace(head, pattern=each) if own else head for each in found.arguments]
    parts = [_combined(*both) for both in zip(heads, found.arguments, strict=True)]
    outs, helds = np.stack([out for out, _ in parts]), np.stack([held for _, held in parts])
    match found.kind:
        case "sum":
            weights = np.ones(len(parts))
        case "mean":
            return outs.sum(0) / np.maximum(helds.sum(0), 1)[..., None], helds.any(0)
        case _:
            gate = head.call.floats[found.gate or "gate"]
            each = gate.ndim > 2
            gate = gate[..., head.head, :] if each else gate[..., head.head, None, None]
            pair = (np.ones_like(gate), -gate) if own else (1 - gate, gate)
            weights = np.array(pair) if len(parts) == 2 else gate
    weights = weights.reshape(*weights.shape[:1], *(weights.shape[1:] or (1, 1)))
    return (weights[..., None] * outs).sum(0), helds.any(0)


def _softmax(head: Head, pattern: HeadPattern) -> tuple[Floats, Floats, Booleans]:
    """Output, lse, and which rows have a key, of all branches of a `mix`."""
    parts = [part for branch in pattern.branches for part in _treated(head, branch)]
    scored = [_scored(head, part) for part in parts]
    scores = np.concatenate([score for score, _ in scored], -1)
    values = [value for _, value in scored]
    held = np.isfinite(scores).any(-1)
    top = scores.max(-1, initial=-np.inf)
    sink = -np.inf
    if any(part.has(m.Sink) for part in parts):
        sink = head.call.floats["sinks"][head.head]
        top = np.maximum(top, sink)
    top = np.where(np.isfinite(top), top, 0)
    weights = np.exp(scores - top[..., None])
    total = weights.sum(-1) + np.exp(sink - top)
    mixed = weights @ np.concatenate(values, 1) + _value_terms(head, parts, weights)
    with np.errstate(divide="ignore"):
        lse = np.log(total) + top
    return mixed / np.where(total == 0, 1, total)[..., None], lse, held


def _value_terms(head: Head, parts: list[Part], weights: Floats) -> Floats | float:
    """What vectors of the distances add, weighted as the pairs are."""
    total: Floats | float = 0.0
    ends = np.cumsum([part.pairs.shape[1] for part in parts])
    for part, end in zip(parts, ends, strict=True):
        if found := part.has(RelativeValues):
            most, distance = found.max_distance, _distance(head, part)
            table = head.call.floats["relative_values"][(-distance).clip(-most, most) + most]
            own = np.where(part.pairs, weights[..., end - part.pairs.shape[1] : end], 0)
            total = total + np.einsum("brs,rsd->brd", own, table)
    return total


# --- which pairs are treated how ----------------------------------------------------------------


def _treated(head: Head, branch: Term) -> Iterator[Part]:
    """Disjoint parts: a pair takes the score of its first term, a row that of its projection."""
    taken: dict[KeySource, Booleans] = {}
    for part in _parts(head, branch, home_of(head.pattern.rows)):
        before = taken.get(part.source, np.zeros_like(part.pairs))
        taken[part.source] = before | part.pairs
        rest = part.pairs & ~before
        for name, rows in projected(head).items():
            yield replace(part, pairs=rest & rows[:, None], projection=name)
            rest = rest & ~rows[:, None]
        yield replace(part, pairs=rest)


def _parts(head: Head, term: Term, source: KeySource) -> list[Part]:
    match term:
        case On(inner, found):
            return _parts(head, inner, found)
        case With(inner, modifier):
            parts = _parts(head, inner, source)
            return [replace(part, modifiers=(*part.modifiers, modifier)) for part in parts]
        case Union(items):
            return [part for item in items for part in _parts(head, item, source)]
        case Intersection(items):
            rest = [item for item in items if item != Causal()]
            parts = _parts(head, rest[0] if rest else Full(), source)
        case Difference(left, _):
            parts = _parts(head, left, source)
        case Complement(operand):
            found = _parts(head, operand, source)[0].source
            return [Part(_of(head, term, found, source), found)]
        case _:
            return [Part(_of(head, term, source, source), source)]
    return [
        replace(part, pairs=part.pairs & _of(head, term, part.source, source)) for part in parts
    ]


def _of(head: Head, term: Term, source: KeySource, stands_on: KeySource) -> Booleans:
    """The pairs of `term`, which stands on `stands_on`, with the slots of `source`."""
    written = term if stands_on == home_of(head.pattern.rows) else On(term, stands_on)
    return head.pairs(written, source)


def projected(head: Head) -> dict[str, Booleans]:
    """The rows of every projection."""
    found: dict[str, Booleans] = {}
    for branch in head.pattern.sets:
        for rows, name in _projections(branch):
            held = head.pairs(rows, TOKENS).any(1)
            found[name] = found.get(name, np.zeros_like(held)) | held
    return found


def _projections(term: Term) -> Iterator[tuple[Term, str]]:
    match term:
        case Rows(positions, str() as name) | Global(positions, str() as name):
            yield Rows(positions), name
        case Blocks(size, body):
            yield from ((Blocks(size, rows), name) for rows, name in _projections(body))
        case EqualParts(count, body):
            yield from ((EqualParts(count, rows), name) for rows, name in _projections(body))
        case Union(items) | Intersection(items):
            for item in items:
                yield from _projections(item)
        case Difference(left, right):
            yield from (*_projections(left), *_projections(right))
        case Complement(inner) | On(inner) | With(inner):
            yield from _projections(inner)


# --- scores -------------------------------------------------------------------------------------


def _scored(head: Head, part: Part) -> tuple[Floats, Floats]:
    """Scores [batch, rows, slots], -inf where there is no pair, and values [batch, slots, size]."""
    call = head.call
    own = call.floats[part.projection] if part.projection else (call.q, call.k, call.v)
    keys, values = (
        side[:, head.head // call.shared] for side in slots_of(part.source, head, own[1], own[2])
    )
    query, keys = placed(head, part, own[0][:, head.head], keys)
    distance = _distance(head, part)
    scores = _product(head, part, query, keys, distance)
    scores = _modified(head, part, scores, distance)
    return np.where(part.pairs, scores, -np.inf), values


def slots_of(source: KeySource, head: Head, k: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Keys and values [batch, key heads, slots, size]."""
    call = head.call
    match source:
        case Tokens() | Text():
            return k, v
        case Pool(operation="convolution"):
            kernels = call.floats["pool_kernels"]
            return _convolved(source, k, kernels[0]), _convolved(source, v, kernels[1])
        case Pool():
            return _pooled(source, k), _pooled(source, v)
        case Project(slots, int(seed)):
            mixing = head.drawn._drawn_weights(slots, call.n, seed).numpy()
            return mixing @ k, mixing @ v
        case Project():
            given = call.floats["project_weights"]
            both = given if isinstance(given, tuple) else (given, given)
            return both[0] @ k, both[1] @ v
        case Persistent():
            pair = call.floats["persistent_kv"]
            return tuple(np.broadcast_to(part, (len(k), *part.shape)) for part in pair)  # type: ignore[return-value]
        case Stream(name):
            return call.floats[f"{name}_kv"]  # type: ignore[no-any-return]
        case Memory() | Compressed() | Store() | Tree() | Encoder():
            return call.floats[f"{type(source).__name__.lower()}_kv"]  # type: ignore[no-any-return]


def _pooled(pool: Pool, part: Floats) -> Floats:
    reduce = {"mean": np.mean, "sum": np.sum, "max": np.max}[pool.operation]
    ends = window_ends(pool, part.shape[2])
    found = [
        reduce(part[:, :, slot * pool.stride : end], axis=2)  # type: ignore[operator]
        for slot, end in enumerate(ends)
    ]
    return np.stack(found, 2) if found else part[:, :, :0]


def _convolved(pool: Pool, part: Floats, kernel: Floats) -> Floats:
    """Whole windows, each by the kernel [out, in, place]."""
    starts = range(0, part.shape[2] - pool.size + 1, pool.stride)
    found = [np.einsum("bhpi,oip->bho", part[:, :, at : at + pool.size], kernel) for at in starts]
    return np.stack(found, 2) if found else part[:, :, :0]


def placed(head: Head, part: Part, query: Floats, keys: Floats) -> tuple[Floats, Floats]:
    """Queries and keys with their positions worked in."""
    call = head.call
    at = np.arange(keys.shape[1]) - (keys.shape[1] if isinstance(part.source, Memory) else 0)
    if absolute := part.has(m.Absolute):
        table = call.floats[absolute.name]
        before = len(table) - call.n
        query, keys = query + table[head.i + before], keys + table[at + before]
    if rotary := part.has(m.Rotary):
        query, keys = _rotated(query, head.i, rotary.base), _rotated(keys, at, rotary.base)
    return query, keys


def _rotated(part: Floats, position: NDArray[np.int64], base: float) -> Floats:
    """Neighbouring dimensions as complex numbers, turned."""
    turns = base ** (-np.arange(0, DIM, 2) / DIM)
    turned = (part[..., 0::2] + 1j * part[..., 1::2]) * np.exp(1j * position[:, None] * turns)
    return np.stack([turned.real, turned.imag], -1).reshape(part.shape)


def _distance(head: Head, part: Part) -> NDArray[np.int64]:
    """i - j [rows, slots]: slots of a pool count windows, memories stand before the tokens."""
    call, count = head.call, part.pairs.shape[1]
    i, j = head.i, np.arange(count)
    match part.source:
        case Pool(stride=stride, tail=tail):
            i = i // stride if tail != "merge" else np.minimum(i // stride, count - 1)
        case Memory():
            j = j - count
        case Compressed():
            j = j - count - _memory(head)
        case Encoder():
            i = np.arange(call.queries)
    return i[:, None] - j[None, :]


def _memory(head: Head) -> int:
    """The slots of the memory that compressed slots stand before."""
    asked = any(isinstance(source, Memory) for source in head.asked)
    return int(head.call.floats["memory_kv"][0].shape[2]) if asked else 0


def _product(
    head: Head, part: Part, query: Floats, keys: Floats, distance: NDArray[np.int64]
) -> Floats:
    """The product with its relative terms, scaled."""
    floats, at = head.call.floats, head.head
    own = query
    if part.has(XlRelative):
        own = query + floats["xl_u"][at]
    scores = own @ keys.swapaxes(-1, -2)
    if part.has(XlRelative):
        table = floats["xl_r"][:, at]
        looked = table[distance.clip(0, len(table) - 1)]
        scores = scores + np.einsum("brd,rsd->brs", query + floats["xl_v"][at], looked)
    if found := part.has(Relative):
        most = found.max_distance
        table = floats["relative_keys"][(-distance).clip(-most, most) + most]
        scores = scores + np.einsum("brd,rsd->brs", query, table)
    scale = part.has(m.Scale)
    return scores * (scale.value if scale else DIM**-0.5)


def _modified(head: Head, part: Part, scores: Floats, distance: NDArray[np.int64]) -> Floats:
    floats, at = head.call.floats, head.head
    if part.has(DistanceAware):
        alpha, beta = floats["distance_alpha"][at], floats["distance_beta"][at]
        factor = (1 + np.exp(beta)) / (1 + np.exp(beta - alpha * np.abs(distance)))
        scores = np.maximum(scores, 0) * factor
    if cap := part.has(SoftCap):
        scores = cap.cap * np.tanh(scores / cap.cap)
    if part.has(Alibi):
        scores = scores - _slopes(head.call.heads)[at] * np.abs(distance)
    if t5 := part.has(T5Bias):
        scores = scores + floats[t5.name][_bucket(t5, -distance), at]
    if bias := part.has(Bias):
        scores = scores + floats[bias.name][at]
    if decay := part.has(Decay):
        kept = floats[decay.name][:, at]
        rows = kept[:, -head.call.queries :] if head.call.queries else kept[:, :0]
        scores = scores + rows[:, :, None] - kept[:, None]
    if span := part.has(SoftSpan):
        scores = scores + _soft_end(floats[span.name][at], distance, span.ramp)
    if reach := part.has(DynamicSpan):
        ends = floats[reach.name][:, at, :, None]
        scores = scores + _soft_end(ends, distance, reach.ramp)
    return scores


def _soft_end(span: Floats, distance: NDArray[np.int64], ramp: float) -> Floats:
    with np.errstate(divide="ignore"):
        return np.log(((span - distance + 1) / ramp + 1).clip(0, 1))


def _slopes(heads: int) -> list[float]:
    """Those of Press et al.: a geometric series, for other numbers interleaved with the next."""
    power = 2 ** int(np.log2(heads))
    first = [2 ** (-8 * (head + 1) / power) for head in range(power)]
    return first if power == heads else first + _slopes(2 * power)[0::2][: heads - power]


def _bucket(t5: T5Bias, ahead: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bucket of key - query, as in T5."""
    count, start = t5.buckets, np.zeros_like(ahead)
    far = np.maximum(-ahead, 0)
    if t5.bidirectional:
        count //= 2
        start, far = (ahead > 0) * count, np.abs(ahead)
    exact = count // 2
    ratio = np.log(np.maximum(far, 1) / exact) / np.log(t5.max_distance / exact)
    wide = np.minimum(exact + (ratio * (count - exact)).astype(np.int64), count - 1)
    return start + np.where(far < exact, far, wide)
