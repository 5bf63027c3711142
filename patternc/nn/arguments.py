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
    k: Tensor,
    unbatched: bool,
    *,
    of_tokens: bool,
    cache: Cache | None,
) -> Tensor | None:
    """Which keys are real: those of the encoder where they are not `of_tokens`."""
    if mask is None:
        return None
    mask = _booleans(mask)
    mask = mask[None] if unbatched and mask.dim() == 1 else mask
    expected = k.shape[0], k.shape[2]
    if tuple(mask.shape) != expected:
        keys = "n" if cache is None else "n so far, with the keys of earlier calls"
        raise ValueError(
            f"key_padding_mask has shape {list(mask.shape)}; expected [batch, {keys}], here "
            f"{list(expected)}"
        )
    if of_tokens and cache is None and q.shape[2] < k.shape[2]:
        _check_queries(mask[:, -q.shape[2] :])
    return ~mask


def _check_queries(padding: Tensor) -> None:
    """Where keys of another sequence would be meant, the last of them may be padding."""
    message = (
        "key_padding_mask: the last of the longer keys are the queries, and some of them are "
        "padding; keys of another sequence are `on encoder` in the pattern"
    )
    if torch.compiler.is_compiling():
        torch._assert_async(~padding.any(), message)
    elif bool(padding.any()):
        raise ValueError(message)


def _booleans(mask: Tensor) -> Tensor:
    """A padding mask of torch: booleans, or what torch's layers make of them, 0 and -inf."""
    if mask.dtype == torch.bool:
        return mask
    padding = mask == -torch.inf
    if not mask.is_floating_point() or not bool((padding | (mask == 0)).all()):
        raise TypeError(
            f"key_padding_mask is {mask.dtype}; expected booleans [batch, n], True for padding, or "
            "floats, -inf for padding and 0"
        )
    return padding
