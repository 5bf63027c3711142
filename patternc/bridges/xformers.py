"""xFormers' attention biases: whatever `AttentionBias.materialize` says at one length.

Read only: its kernels take windows and packed sequences, which FlashAttention's arguments and
labels say as well. Source: xformers/ops/fmha/attn_bias.py.
"""

from __future__ import annotations

from typing import Any

from patternc.pattern import FromMask, Pattern


def load(bias: Any, n: int) -> FromMask:
    """The shortest program found for a bias at n queries and keys.

    Raises `ValueError` where it adds other numbers than 0 and -inf: such a bias is `bias(name)`.
    """
    return Pattern.from_mask(bias.materialize((n, n)))
