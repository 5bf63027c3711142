"""Padded and packed batches as one operator, for `torch.compile`.

The calls that `sequences` makes depend on values of the mask, which tracing cannot see. The
backward pass computes the forward pass again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from patternc.bridges.transformers.carrier import placed
from patternc.bridges.transformers.programs import SERVED
from patternc.bridges.transformers.sequences import Work, attend

_TENSORS = (0, 1, 2, 4, 5)
"""Which arguments have gradients."""


@torch.library.custom_op(
    "patternc::by_sequences", mutates_args=(), tags=(torch.Tag.cudagraph_unsafe,)
)
def by_sequences(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor,
    sinks: Tensor | None,
    bias: Tensor | None,
    scale: float | None,
    number: int,
    layer: int,
    crossing: bool,
) -> Tensor:
    work = Work(SERVED[number], layer, q, k, v, scale, 0.0, sinks, bias, crossing)
    return attend(work, placed(mask)).clone(memory_format=torch.contiguous_format)


@by_sequences.register_fake
def _fake(q: Tensor, _k: Tensor, v: Tensor, *_rest: object) -> Tensor:
    return q.new_empty(*q.shape[:3], v.shape[3])


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*(each for each in inputs if isinstance(each, Tensor)))
    ctx.rest = [None if isinstance(each, Tensor) else (each,) for each in inputs]


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    tensors = iter(ctx.saved_tensors)
    inputs = [next(tensors) if kept is None else kept[0] for kept in ctx.rest]
    found = torch.ops.patternc.by_sequences_backward(grad, *inputs)
    given = iter(found)
    wanted = [at in _TENSORS and ctx.rest[at] is None for at in range(len(inputs))]
    return tuple(next(given) if wants else None for wants in wanted)


# Defined without an autograd kernel of its own, below which nothing would be differentiated.
torch.library.define(
    "patternc::by_sequences_backward",
    "(Tensor grad, Tensor q, Tensor k, Tensor v, Tensor mask, Tensor? sinks, Tensor? bias, "
    "float? scale, int number, int layer, bool crossing) -> Tensor[]",
    tags=(torch.Tag.cudagraph_unsafe,),
)


@torch.library.impl("patternc::by_sequences_backward", "CompositeExplicitAutograd")
def _gradients(
    grad: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor,
    sinks: Tensor | None,
    bias: Tensor | None,
    scale: float | None,
    number: int,
    layer: int,
    crossing: bool,
) -> list[Tensor]:
    given = [each for each in (q, k, v, sinks, bias) if each is not None]
    with torch.enable_grad():
        leaves = [each.detach().requires_grad_() for each in given]
        own = iter(leaves)
        q, k, v = next(own), next(own), next(own)
        sinks = None if sinks is None else next(own)
        bias = None if bias is None else next(own)
        work = Work(SERVED[number], layer, q, k, v, scale, 0.0, sinks, bias, crossing)
        out = attend(work, placed(mask))
    if not out.requires_grad:
        return [torch.zeros_like(each, memory_format=torch.contiguous_format) for each in leaves]
    found = torch.autograd.grad(out, leaves, grad, allow_unused=True, materialize_grads=True)
    return [each.clone(memory_format=torch.contiguous_format) for each in found]


@torch.library.register_fake("patternc::by_sequences_backward")  # type: ignore[untyped-decorator]
def _fake_gradients(_grad: Tensor, *inputs: Any) -> list[Tensor]:
    given = [inputs[at] for at in _TENSORS if inputs[at] is not None]
    return [torch.empty_like(each, memory_format=torch.contiguous_format) for each in given]


by_sequences.register_autograd(_backward, setup_context=_keep)
