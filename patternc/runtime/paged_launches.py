"""What a module of the paged backend launches for a small batch, to be compiled without a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

HEADS, KEY_HEADS, SEQUENCES, PAGES = 8, 2, 4, 8


def paged_launches(
    module: ModuleType, dtype: str, head_dim: int
) -> list[tuple[Any, Mapping[str, object]]]:
    """Each launch of every distinct layer, and the one that merges, with compile-time sizes."""
    import torch

    heads, kind = module.HEADS or HEADS, getattr(torch, dtype)
    q = torch.zeros(SEQUENCES, heads, head_dim, dtype=kind)
    shape = PAGES, module.PAGE, KEY_HEADS if heads % KEY_HEADS == 0 else 1, head_dim
    k, v = (torch.zeros(shape, dtype=kind) for _ in range(2))
    starts, lengths = (torch.zeros(SEQUENCES + more, dtype=torch.int32) for more in (1, 0))
    call = q, k, v, starts, lengths, torch.zeros(SEQUENCES, PAGES, dtype=torch.int32)
    partial = torch.zeros(SEQUENCES, heads, 2, head_dim)
    weights = torch.zeros(SEQUENCES, heads, 2)
    found = [
        module._launch(branch, call, partial, weights, 0.125, 2, (0, heads))
        for layer in module._LAYERS
        for branch in layer.branches
    ]
    found.append(module._merge_launch(partial, weights, weights, q, weights[..., 0]))
    return [(launch, launch.sizes) for launch in found]
