"""Operators for calls that look at values, which `torch.compile` cannot trace.

Such a call becomes one operator, `patternc::NAME`, that tracing takes as it is, and CUDA graphs are
cut around; its gradients compute the call again. Does not know what the operators compute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Tensors = Mapping[str, Tensor]
Compute = Callable[..., list[Tensor]]

_TENSORS = "Tensor[] floats, str[] names, Tensor[] others, str[] other_names"


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of tensors by name and of other arguments, which gives tensors."""

    name: str

    def __call__(self, tensors: Mapping[str, Tensor | None], *rest: Any) -> list[Tensor]:
        given = {name: each for name, each in tensors.items() if each is not None}
        floats = {name: each for name, each in given.items() if each.is_floating_point()}
        others = {name: each for name, each in given.items() if name not in floats}
        run = getattr(torch.ops.patternc, self.name)
        found: list[Tensor] = run(
            *(list(floats.values()), list(floats), list(others.values()), list(others)), *rest
        )
        return found


def operator(name: str, rest: str, compute: Compute, shapes: Compute) -> Operator:
    """The operator of `compute(tensors, *rest)`; `rest` is the schema of what are no tensors.

    `shapes` gives tensors like the results. Floating tensors have gradients.
    """
    _define(name, f"({_TENSORS}, {rest}) -> Tensor[]", _Call(compute).run, _Call(shapes).run)
    schema = f"(Tensor[] gradients, {_TENSORS}, {rest}) -> Tensor[]"
    _define(f"{name}_backward", schema, _Call(compute).gradients, _like_floats)
    backward = _Backward(name)
    torch.library.register_autograd(f"patternc::{name}", backward, setup_context=_keep)
    return Operator(name)


def _define(name: str, schema: str, compute: Callable[..., Any], fake: Callable[..., Any]) -> None:
    # The backward one has no autograd kernel, below which nothing would be differentiated.
    torch.library.define(f"patternc::{name}", schema, tags=(torch.Tag.cudagraph_unsafe,))
    torch.library.impl(f"patternc::{name}", "CompositeExplicitAutograd", compute)
    torch.library.register_fake(f"patternc::{name}", fake)


@dataclass(frozen=True, slots=True)
class _Call:
    """A function of tensors by name, with the arguments of an operator."""

    compute: Compute

    def run(
        self,
        floats: list[Tensor],
        names: list[str],
        others: list[Tensor],
        rest: list[str],
        *more: Any,
    ) -> list[Tensor]:
        tensors = dict(zip(names, floats, strict=True)) | dict(zip(rest, others, strict=True))
        found = self.compute(tensors, *more)
        # Laid out as `shapes` says, and no argument itself.
        return [each.clone(memory_format=torch.contiguous_format) for each in found]

    def gradients(
        self, gradients: list[Tensor], floats: list[Tensor], names: list[str], *rest: Any
    ) -> list[Tensor]:
        with torch.enable_grad():
            leaves = [each.detach().requires_grad_() for each in floats]
            found = self.run(leaves, names, *rest)
        pairs = zip(found, gradients, strict=True)
        reached = [(out, grad) for out, grad in pairs if out.requires_grad]
        if not reached:
            return _like_floats(gradients, [torch.zeros_like(each) for each in floats])
        outs, wanted = zip(*reached, strict=True)
        every = torch.autograd.grad(outs, leaves, wanted, allow_unused=True, materialize_grads=True)
        return [each.clone(memory_format=torch.contiguous_format) for each in every]


def _like_floats(_gradients: list[Tensor], floats: list[Tensor], *_rest: Any) -> list[Tensor]:
    return [each.clone(memory_format=torch.contiguous_format) for each in floats]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    del output
    floats, ctx.names, others, ctx.other_names, *ctx.rest = inputs
    ctx.save_for_backward(*floats, *others)


@dataclass(frozen=True, slots=True)
class _Backward:
    name: str

    def __call__(self, ctx: Any, gradients: list[Tensor]) -> tuple[Any, ...]:
        saved, count = list(ctx.saved_tensors), len(ctx.names)
        others = saved[count:]
        run = getattr(torch.ops.patternc, f"{self.name}_backward")
        given = ctx.names, others, ctx.other_names, *ctx.rest
        found = run(gradients, saved[:count], *given)
        return found, None, [None] * len(others), *[None] * (len(given) - 2)
