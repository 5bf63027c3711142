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
