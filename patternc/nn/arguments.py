"""Arguments of `torch.nn.MultiheadAttention` as a pattern takes them, or refuses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from patternc.nn.cache import Cache


def refuse_masks(attn_mask: Tensor | None, is_causal: bool, need_weights: bool) -> None:
    """Raises `ValueError` for what the pattern says, and for weights."""
    if attn_mask is not None or is_causal:
        name = "is_causal" if attn_mask is None else "attn_mask"
        raise ValueError(
            f"{name}: the mask of this module is its pattern; write `causal` there, or what the "
            "mask says (`same(doc)` for documents, `full with bias(b)` for scores)"
        )
    if need_weights:
        raise ValueError("need_weights=True: weights are never held; `Pattern.mask` has the pairs")


def real_keys(
    mask: Tensor | None,
    q: Tensor,
    k: Tensor | None,
    cache: Cache | None,
    unbatched: bool,
) -> Tensor | None:
    """Which keys are real."""
    if mask is None:
        return None
    if mask.dtype != torch.bool:
        raise TypeError(
            f"key_padding_mask is {mask.dtype}; expected booleans [batch, n], True for padding"
        )
    if k is None or (cache is None and k.shape[2] != q.shape[2]):
        raise ValueError(
            "key_padding_mask: the keys are another sequence than the queries; leave its "
            "padding out by the pattern: `columns(valid) on encoder`, and give "
            "valid=~key_padding_mask"
        )
    return ~(mask[None] if unbatched and mask.dim() == 1 else mask)
