"""Records outputs and gradients of OpenNMT's relative positions: `outputs/shaw_*.npz`.

    python tests/oracles/record_shaw.py OPENNMT_PY

To be run in an environment of its own, with torch 2.13.0 and numpy; the argument is a checkout of
OpenNMT/OpenNMT-py at 97111d97551c, one file of which is read. Does not use patternc. Its module is
called whole, with projections that change nothing; it has one table of vectors for keys and values.
Files hold float64 inputs q, k, v [batch, heads, n, d], the vectors, `weight`, the output, and the
gradients of (output * weight).sum() with respect to q, k, v and the vectors.
"""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent / "outputs"
BATCH, HEADS, N, DIM, FARTHEST = 1, 2, 24, 8, 3


def attention() -> torch.nn.Module:
    text = (Path(sys.argv[1]) / "onmt/modules/multi_headed_attn.py").read_text(encoding="utf-8")
    module = types.ModuleType("multi_headed_attn")
    exec(re.sub(r"^from \.alibi.*$", "", text, flags=re.M), vars(module))
    made: torch.nn.Module = module.MultiHeadedAttention(
        HEADS, HEADS * DIM, 0.0, max_relative_positions=FARTHEST, attn_type="self"
    ).double()
    for name in ("linear_query", "linear_keys", "linear_values", "final_linear"):
        setattr(made, name, torch.nn.Identity())
    return made


def record(name: str, causal: bool) -> None:
    torch.manual_seed(5)
    q, k, v, weight = (torch.randn(BATCH, HEADS, N, DIM, dtype=torch.float64) for _ in range(4))
    made, leaves = attention(), [part.requires_grad_() for part in (q, k, v)]
    flat = [part.transpose(1, 2).flatten(2) for part in leaves]
    hidden = torch.ones(1, 1, N, N, dtype=torch.bool).triu(1) if causal else None
    # The module scales its queries in place.
    out, _ = made(flat[1], flat[2], flat[0] * 1, mask=hidden)
    out = out.unflatten(2, (HEADS, DIM)).transpose(1, 2)
    vectors = made.relative_positions_embeddings.weight
    gradients = torch.autograd.grad((out * weight).sum(), [*leaves, vectors])
    named = {"q": q, "k": k, "v": v, "vectors": vectors, "weight": weight, "out": out}
    named |= dict(zip(("dq", "dk", "dv", "dvectors"), gradients, strict=True))
    arrays = {key: value.detach().numpy() for key, value in named.items()}
    np.savez_compressed(FOLDER / f"{name}.npz", **arrays)


if __name__ == "__main__":
    record("shaw_full", False)
    record("shaw_causal", True)
