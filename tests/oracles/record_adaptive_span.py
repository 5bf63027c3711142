"""Records a training step of Adaptive Span: `outputs/adaptive_span_training.npz`.

    python tests/oracles/record_adaptive_span.py ADAPTIVE_SPAN

To be run in an environment of its own, with torch 2.13.0 and numpy; the argument is a checkout of
facebookresearch/adaptive-span at 27b815fee821, one file of which is read. Does not use patternc.
Its module masks the weights of the S keys before each row, the nearest in the last column; the S
positions before the rows are the cache. The file holds float64 inputs q [batch, heads, n, d], k and
v [.., S + n, d], `z`, the share of S of every head, `weight`, the output, the penalty, and the
gradients of (output * weight).sum() + penalty.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent / "outputs"
BATCH, HEADS, N, SPAN, DIM, RAMP, COEFFICIENT = 2, 3, 20, 16, 8, 4, 0.3


def by_distance(part: torch.Tensor) -> torch.Tensor:
    """Of the keys before each row [batch, heads, n, S, d], the nearest last."""
    places = torch.arange(N)[:, None] + torch.arange(SPAN)
    return part[:, :, places]


def record() -> None:
    torch.manual_seed(7)
    text = (Path(sys.argv[1]) / "adaptive_span.py").read_text(encoding="utf-8")
    module = types.ModuleType("adaptive_span")
    exec(text, vars(module))
    made = module.AdaptiveSpan(SPAN, COEFFICIENT, RAMP, 0, False, HEADS).double()
    made._mask.current_val.data.copy_(torch.tensor([0.1, 0.45, 0.8])[:, None, None])
    q, weight = (torch.randn(BATCH, HEADS, N, DIM, dtype=torch.float64) for _ in range(2))
    k, v = (torch.randn(BATCH, HEADS, SPAN + N, DIM, dtype=torch.float64) for _ in range(2))
    leaves = [part.requires_grad_() for part in (q, k, v)]
    scores = torch.einsum("bhnd,bhnsd->bhns", q, by_distance(k)) * DIM**-0.5
    weights = made(scores.softmax(-1).flatten(0, 1)).view_as(scores)
    out, penalty = torch.einsum("bhns,bhnsd->bhnd", weights, by_distance(v)), made.get_loss()
    z = made._mask.current_val
    gradients = torch.autograd.grad((out * weight).sum() + penalty, [*leaves, z])
    named = {"q": q, "k": k, "v": v, "z": z, "weight": weight, "out": out, "penalty": penalty}
    named |= dict(zip(("dq", "dk", "dv", "dz"), gradients, strict=True))
    arrays = {key: value.detach().numpy() for key, value in named.items()}
    np.savez_compressed(FOLDER / "adaptive_span_training.npz", **arrays)


if __name__ == "__main__":
    record()
