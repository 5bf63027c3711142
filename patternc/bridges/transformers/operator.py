"""Padded and packed batches as one operator, for `torch.compile`.

The calls that `sequences` makes depend on values of the mask, which tracing cannot see.
"""

from __future__ import annotations

import torch
from torch import Tensor

from patternc.bridges.transformers.carrier import placed
from patternc.bridges.transformers.programs import SERVED
from patternc.bridges.transformers.sequences import Work, attend
from patternc.runtime.recomputed import Tensors, operator


def by_sequences(work: Work, mask: Tensor) -> Tensor:
    """What `attend` gives, for a carrier."""
    tensors = {"q": work.q, "k": work.k, "v": work.v, "mask": mask}
    seed = torch.randint(1 << 32, (), device=work.q.device) if work.dropout else None
    more = {"sinks": work.sinks, "bias": work.bias, "seed": seed}
    rest = work.scale, work.dropout, work.served.number, work.layer, work.crossing
    return _OPERATOR({**tensors, **more}, *rest)[0]


def _compute(
    tensors: Tensors, scale: float | None, dropout: float, number: int, layer: int, crossing: bool
) -> list[Tensor]:
    q, k, v, mask = (tensors[name] for name in ("q", "k", "v", "mask"))
    sinks, bias, seed = (tensors.get(name) for name in ("sinks", "bias", "seed"))
    work = Work(SERVED[number], layer, q, k, v, scale, dropout, sinks, bias, crossing, seed)
    return [attend(work, placed(mask))]


def _shapes(tensors: Tensors, *_rest: object) -> list[Tensor]:
    q, v = tensors["q"], tensors["v"]
    return [q.new_empty(*q.shape[:3], v.shape[3])]


_OPERATOR = operator(
    "by_sequences",
    "float? scale, float dropout, int number, int layer, bool crossing",
    _compute,
    _shapes,
)
