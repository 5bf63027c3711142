"""What published code attends to where queries and keys decide: the same from its own q and k.

Files in `found/` hold q, k and what was drawn, beside the mask and the weights, and so does the
README say where they are from. With one-hot values an output row is the weight row.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from patternc import Pattern

_pattern = cache(Pattern.parse)
FOUND = Path(__file__).parent / "found"


@cache
def _recorded(name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    with np.load(FOUND / f"{name}.npz") as file:
        arrays = {key: file[key] for key in file.files}
    meta = json.loads(str(arrays.pop("meta")))
    return {key: torch.from_numpy(value)[None] for key, value in arrays.items()}, meta


def _weights(text: str, arrays: dict[str, torch.Tensor], scale: float, **inputs: Any) -> Any:
    """The weight rows of a pattern [1, heads, n, n]."""
    k, n = arrays["k"], arrays["k"].shape[2]
    one_hot = torch.eye(n).expand(1, k.shape[1], n, n)
    return _pattern(text).attention(arrays["q"], k, one_hot, scale=scale, **inputs)


def test_native_sparse_attention_selects_the_same_blocks() -> None:
    """Where blocks of both kinds are the same, and each head selects for itself."""
    text = "causal\ntop_blocks(2, block=4) - segment(4) + segment(4)"
    for name in (
        "nsa_causal_n64_w8_c4s4_b4_k2_H2_fine",
        "nsa_causal_n64_w8_c4s4_b4_k2_H4kv2_perhead_fine",
    ):
        arrays, meta = _recorded(name)
        scale = meta["config"]["dim_head"] ** -0.5
        found = _weights(text, arrays, scale)
        torch.testing.assert_close(found, arrays["weights"], atol=2e-6, rtol=1e-5)
        assert torch.equal(found > 0, arrays["mask"])


@pytest.mark.parametrize("name", ["reformer_causal_r3", "reformer_r2", "reformer_causal_r1"])
def test_reformer_attends_alike_from_its_own_hashes_and_so_do_its_gradients(name: str) -> None:
    """`record_reformer.py` wrote the files: keys are unit vectors of the queries, not scaled."""
    arrays, meta = _recorded(name)
    config, turns = meta["config"], arrays["rotations"][0]
    lsh = "lsh({buckets}, chunk={chunk}, rounds={rounds}, edge=wrap, rotations=turns)"
    text = ("causal\n" if config["causal"] else "") + f"mix({lsh.format(**config)})"
    for backend in ("cpu", "triton", "reference"):
        dtype, bound = (torch.float32, 1e-5) if backend == "triton" else (torch.float64, 1e-9)
        qk, v = (arrays[key].to(dtype).requires_grad_() for key in ("qk", "v"))
        k = qk * (qk.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * qk.shape[-1] ** -0.5
        out = _pattern(text).attention(qk, k, v, scale=1.0, turns=turns, backend=backend)
        found = [out, *torch.autograd.grad((out * arrays["weight"]).sum(), (qk, v))]
        for mine, key in zip(found, ("out", "d_qk", "d_v"), strict=True):
            torch.testing.assert_close(mine.double(), arrays[key], atol=bound, rtol=bound)


def test_routing_transformer_averages_the_same_clusters() -> None:
    """Its code divides by the number of clusters and 1e-5 more."""
    for name, text in (
        ("routing_bidir_n64_c4_w8_undercover", "mean(cluster(4, 8, means=means))"),
        (
            "routing_causal_n64_c8_w16_sharedqk",
            "causal\nmean(cluster(8, 16, means=means, own=last))",
        ),
    ):
        arrays, meta = _recorded(name)
        if meta["config"]["shared_qk"]:
            arrays = {**arrays, "k": torch.nn.functional.normalize(arrays["k"], dim=-1)}
        scale = meta["config"]["head_dim"] ** -0.5
        found = _weights(text, arrays, scale, means=arrays["means"][0])
        torch.testing.assert_close(found, arrays["weights"], atol=1.1e-5, rtol=0)


def test_sinkhorn_transformer_joins_the_same_blocks() -> None:
    """Its one best block for each and the own one, without sweeps; values are another matter."""
    arrays, meta = _recorded("sinkhorn_bidir_n64_b8_top1")
    scale = meta["config"]["dim_head"] ** -0.5
    found = _weights("segment(8) + sinkhorn(8, sweeps=0)", arrays, scale)
    assert torch.equal(found > 0, arrays["mask"])
