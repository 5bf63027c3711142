"""Padded and packed batches as calls of `Pattern.attention`, one for each sequence alone.

Every span of labels is a sequence whose first token has position 0, so that a padded batch gives
what its sequences give alone; rows of a batch with the same spans share a call. Keys that are
missing inside a span (a prompt padded on the right, then generated tokens) are hidden by the
program and keep their positions, as in Transformers; `key_padding` would close the gap, which moves
keys into windows that the model's own mask leaves out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from patternc.bridges.transformers.carrier import Placed
from patternc.bridges.transformers.programs import Served
from patternc.bridges.transformers.rewriting import POSITION_BIAS, REAL_KEYS
from patternc.runtime.padded import seed_of_group
from patternc.semantics.errors import InputError


@dataclass(frozen=True, slots=True)
class Span:
    """Queries start:stop over keys first:end, as positions in a row of the batch.

    With `hidden`, some keys between them are padding.
    """

    start: int
    stop: int
    first: int
    end: int
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """One layer's call: q [batch, heads, queries, d], k and v [batch, kv_heads, keys, d].

    Where it is `crossing`, keys are those of another sequence, and every query sees all of them.
    `seed` is that of dropout, drawn unless given. With `weights`, outputs are followed by the
    weights of all keys: [batch, heads, queries, d + keys].
    """

    served: Served
    layer: int
    q: Tensor
    k: Tensor
    v: Tensor
    scale: float | None
    dropout: float = 0.0
    sinks: Tensor | None = None
    bias: Tensor | None = None
    crossing: bool = False
    seed: int | Tensor | None = None
    weights: bool = False

    def parts(self, found: Tensor) -> tuple[Tensor, Tensor | None]:
        """Outputs, and weights where they were asked for."""
        d = self.v.shape[3]
        return found[..., :d], found[..., d:] if self.weights else None


def attend(work: Work, where: Placed) -> Tensor:
    """The output [batch, heads, queries, d]; 0 for queries that see nothing."""
    keys = where.labels.shape[1] - where.first_key
    if work.k.shape[2] != keys:
        raise InputError(
            f"the layer has {work.k.shape[2]} keys, but its mask was made for {keys}; this model "
            "changes its mask or its keys between layers, which a pattern cannot follow"
        )
    groups = defaultdict(list)
    for row, labels in enumerate(where.labels.tolist()):
        groups[_spans(labels, work, where)].append(row)
    parts = [_group(work, where, spans, rows) for spans, rows in groups.items()]
    order = torch.tensor([row for rows in groups.values() for row in rows])
    if len(parts) == 1:
        return parts[0]
    return torch.cat(parts)[order.argsort().to(work.q.device)]


def _spans(labels: list[int], work: Work, where: Placed) -> tuple[Span, ...]:
    """The calls of one row of a batch, in the order of their queries."""
    start, stop = where.first_query, where.first_query + work.q.shape[2]
    if any(label > 0 for label in labels):
        return tuple(Span(first, end, first, end) for first, end in _documents(labels))
    real = [position for position, label in enumerate(labels) if label == 0]
    if not real:
        return ()
    first, end, hidden = real[0], real[-1] + 1, len(real) <= real[-1] - real[0]
    if work.crossing:
        return (Span(start, stop, first, end, hidden),)
    start = max(start, first)
    if hidden:
        return (Span(start, stop, first, max(end, stop), True),) if start < stop else ()
    if end > stop:
        raise InputError(
            f"queries {start} to {stop - 1} are followed by keys up to {end - 1}; expected the "
            "queries of the last tokens"
        )
    spans = [Span(start, end, first, end)] if start < end else []
    if end < stop and work.served.facts(work.layer).is_causal:
        # A prompt that is padded on the right is continued from its padding.
        spans.append(Span(max(start, end), stop, first, stop, True))
    return tuple(spans)


def _documents(labels: list[int]) -> Iterator[tuple[int, int]]:
    first = 0
    for at in range(1, len(labels) + 1):
        if at == len(labels) or labels[at] != labels[first]:
            yield first, at
            first = at


def _group(work: Work, where: Placed, spans: tuple[Span, ...], rows: list[int]) -> Tensor:
    """The output of the rows of a batch with the same spans, those between spans 0."""
    chosen = _chosen(work, rows)
    at, parts = where.first_query, []
    for span in spans:
        parts += [_zeros(chosen, span.start - at), _span(chosen, where, span, rows)]
        at = span.stop
    parts.append(_zeros(chosen, where.first_query + work.q.shape[2] - at))
    parts = [part for part in parts if part.shape[2]]
    return torch.cat(parts, dim=2) if len(parts) > 1 else parts[0]


def _chosen(work: Work, rows: list[int]) -> Work:
    if len(rows) == len(work.q):
        return work
    index = torch.tensor(rows, device=work.q.device)
    bias = work.bias
    if bias is not None and len(bias) > 1:
        bias = bias[index]
    return replace(work, q=work.q[index], k=work.k[index], v=work.v[index], bias=bias)


def _zeros(work: Work, queries: int) -> Tensor:
    batch, heads = work.q.shape[:2]
    keys = work.k.shape[2] if work.weights else 0
    return work.q.new_zeros(batch, heads, queries, work.v.shape[3] + keys)


def _span(work: Work, where: Placed, span: Span, rows: list[int]) -> Tensor:
    """One call: queries are the last of n positions, keys that are in no cache stand in front."""
    queries = slice(span.start - where.first_query, span.stop - where.first_query)
    keys = slice(max(span.first - where.first_key, 0), span.end - where.first_key)
    part = replace(work, q=work.q[:, :, queries], k=work.k[:, :, keys], v=work.v[:, :, keys])
    if work.seed is not None:
        number = rows[0] * where.labels.shape[1] + span.start
        part = replace(part, seed=seed_of_group(work.seed, number))
    if work.bias is not None:
        part = replace(part, bias=work.bias[:, :, queries, keys])
    real = None
    if span.hidden:
        real = where.labels[rows, span.first : span.end].to(work.q.device) == 0
    if (dropped := where.first_key - span.first) > 0:
        part = _without_dropped(part, dropped, span.start - where.first_key)
        real = None if real is None else real[:, -part.k.shape[2] :]
    return _among_all_keys(call(part, real), work, keys)


def _among_all_keys(found: Tensor, work: Work, keys: slice) -> Tensor:
    """The same with a weight for every key of the call; those outside of the span are 0."""
    out, weights = work.parts(found)
    if weights is None:
        return out
    # A key that is in no cache has no place.
    own = weights[..., weights.shape[3] - (keys.stop - keys.start) :]
    return torch.cat([out, pad(own, (keys.start, work.k.shape[2] - keys.stop))], dim=3)


def _without_dropped(work: Work, dropped: int, before: int) -> Work:
    """The same where a sliding cache has dropped keys; `before` are those the first query has."""
    facts = work.served.facts(work.layer)
    if work.bias is not None:
        raise InputError("this model adds scores by position to a sliding cache; pass a full cache")
    if facts.farthest_back is None or facts.farthest_back > before:
        reach = "any key" if facts.farthest_back is None else f"{facts.farthest_back} keys back"
        raise InputError(
            f"layer {work.layer}: the pattern sees {reach}, but the cache of this layer has "
            f"dropped all keys but the last {before}: the model's window is shorter. Pass "
            "past_key_values=DynamicCache(), which keeps every key, or use a "
            "configuration without sliding_window"
        )
    if facts.by_distance:
        return work
    return replace(work, k=_in_front(work.k, dropped), v=_in_front(work.v, dropped))


def _in_front(keys: Tensor, dropped: int) -> Tensor:
    return pad(keys, (0, 0, dropped, 0))


def call(work: Work, real: Tensor | None) -> Tensor:
    """`Pattern.attention` on queries that are the last of n keys; `real` [batch, n] hides keys."""
    inputs: dict[str, Any] = {"layer": work.layer, "scale": work.scale, "dropout": work.dropout}
    if work.seed is not None:
        inputs["seed"] = work.seed
    if work.sinks is not None:
        inputs["sinks"] = work.sinks
    if work.bias is not None:
        inputs[POSITION_BIAS] = work.bias[0] if len(work.bias) == 1 else work.bias
    if real is not None:
        inputs[REAL_KEYS] = real
    pattern = work.served.variant(real is not None, work.bias is not None)
    if work.weights:
        both = pattern.attention(work.q, work.k, work.v, return_weights=True, **inputs)
        return torch.cat(both, dim=3)
    out: Tensor = pattern.attention(work.q, work.k, work.v, **inputs)
    return out
