"""Padded calls as one operator, for `torch.compile` and `torch.export`.

    tensors of the call by name, and the module by its own -> output and lse

A module must be loaded where an exported program runs. Does not compute anything itself.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from patternc.runtime import padded
from patternc.runtime.recomputed import Tensors, operator


def attention(
    module: ModuleType,
    q: Tensor,
    k: Tensor | None,
    v: Tensor | None,
    *,
    layer: int = 0,
    return_lse: bool = False,
    scale: float | None = None,
    backend: str = "auto",
    dropout: float = 0.0,
    seed: int | Tensor | None = None,
    **given: Any,
) -> Any:
    """What `padded.attention` computes, as one operator."""
    # Inside the operator, which tracing does not see, there is no autocast.
    (q, k, v), given = padded.cast((q, k, v), given, module)
    tensors: dict[str, Tensor | None] = {"q": q, "k": k, "v": v}
    for name, value in given.items():
        tensors |= _flat(name, value, q.device)
    if dropout:
        tensors["seed"] = _seed_tensor(seed, q.device)
    found = OPERATOR(tensors, module.__name__, layer, return_lse, scale, backend, dropout)
    return tuple(found) if return_lse else found[0]


def _seed_tensor(seed: int | Tensor | None, device: torch.device) -> Tensor:
    """The gradient of a call draws what the call did."""
    if seed is None:
        return torch.randint(1 << 32, (), device=device)
    return seed if isinstance(seed, Tensor) else torch.full((), seed, device=device)


def _flat(name: str, value: Any, device: torch.device) -> dict[str, Tensor | None]:
    """An argument as tensors by name: NAME, or NAME/0, NAME/1 and so on of several."""
    if isinstance(value, Tensor) or value is None:
        return {name: value}
    if value and all(isinstance(each, Tensor) for each in value):
        return {f"{name}/{number}": each for number, each in enumerate(value)}
    return {name: torch.as_tensor(value, device=device)}


def _nested(tensors: Tensors) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, tensor in tensors.items():
        name, slash, _ = key.partition("/")
        found[name] = (*found.get(name, ()), tensor) if slash else tensor
    return found


def _compute(
    tensors: Tensors, module: str, layer: int, return_lse: bool, *options: Any
) -> list[Tensor]:
    given = _nested(tensors)
    q, k, v = (given.pop(name, None) for name in ("q", "k", "v"))
    given |= dict(zip(("scale", "backend", "dropout"), options, strict=True))
    found = padded.attention(_loaded(module), q, k, v, layer=layer, return_lse=return_lse, **given)
    return list(found) if return_lse else [found]


def _loaded(name: str) -> ModuleType:
    if name not in sys.modules:
        raise RuntimeError(
            f"the generated module {name} is not loaded; make the Pattern of the exported call, "
            "and look at its `module`"
        )
    return sys.modules[name]


def _shapes(
    tensors: Tensors, _module: str, _layer: int, return_lse: bool, *_options: Any
) -> list[Tensor]:
    q, v = tensors["q"], tensors["v"] if "v" in tensors else tensors["encoder_kv/1"]
    out = q.new_empty(*q.shape[:3], v.shape[3])
    dtype = torch.float64 if q.dtype == torch.float64 else torch.float32
    return [out, q.new_empty(q.shape[:3], dtype=dtype)] if return_lse else [out]


OPERATOR = operator(
    "padded_attention",
    "str module, int layer, bool return_lse, float? scale, str backend, float dropout",
    _compute,
    _shapes,
)
