"""Writes `found/reformer_*.npz`: Reformer's LSH attention of Transformers, forward and backward.

`python -m tests.oracles.record_reformer`, with a Transformers that has it. Queries (which are the
keys too) and values go in as they are, in double precision, as in single precision the mask of a
row on itself, -1e5, leaves no digits of the score. Recorded are these, the rotations drawn, the
output and its gradients by both. Not a test: no test needs Transformers to replay the files.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import ReformerConfig
from transformers.models.reformer import modeling_reformer

FOUND = Path(__file__).parent / "found"
HEADS, DIM, CHUNK, BUCKETS, SEED = 2, 4, 8, 6, 3


class _Given(torch.nn.Module):
    """In place of a projection: what is given."""

    def __init__(self, value: torch.Tensor) -> None:
        super().__init__()
        self.value = value

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return self.value


def record(name: str, n: int, rounds: int, causal: bool) -> None:
    config = ReformerConfig(
        attention_head_size=DIM, num_attention_heads=HEADS, hidden_size=HEADS * DIM,
        lsh_attn_chunk_length=CHUNK, num_hashes=rounds, num_buckets=BUCKETS, hash_seed=SEED,
        is_decoder=causal, lsh_attention_probs_dropout_prob=0.0,
        lsh_num_chunks_before=1, lsh_num_chunks_after=0,
    )  # fmt: skip
    layer = modeling_reformer.LSHSelfAttention(config).double().eval()
    torch.manual_seed(n)
    qk, v, weight = torch.randn(3, 1, n, HEADS * DIM, dtype=torch.float64)
    qk, v = qk.requires_grad_(), v.requires_grad_()
    layer.query_key, layer.value = _Given(qk), _Given(v)
    out = layer(torch.zeros_like(v)).hidden_states
    gradients = torch.autograd.grad((out * weight).sum(), (qk, v))
    torch.manual_seed(SEED)
    rotations = torch.randn(HEADS, DIM, rounds, BUCKETS // 2, dtype=torch.float64)
    tensors = {"qk": qk, "v": v, "weight": weight, "out": out, "d_qk": gradients[0]}
    tensors["d_v"] = gradients[1]
    by_head = {key: _heads(value) for key, value in tensors.items()}
    config_ = {"rounds": rounds, "chunk": CHUNK, "buckets": BUCKETS, "causal": causal}
    meta = {"package": "transformers", "version": transformers.__version__, "config": config_}
    arrays = {**by_head, "rotations": rotations.numpy(), "meta": json.dumps(meta)}
    np.savez_compressed(FOUND / f"{name}.npz", **arrays)


def _heads(value: torch.Tensor) -> np.ndarray:
    """[batch, n, heads * d] as [heads, n, d]."""
    return value.detach()[0].unflatten(1, (HEADS, DIM)).transpose(0, 1).contiguous().numpy()


if __name__ == "__main__":
    record("reformer_causal_r3", 48, 3, causal=True)
    record("reformer_r2", 64, 2, causal=False)
    record("reformer_causal_r1", 32, 1, causal=True)
