"""The mask function that Transformers calls once for each kind of mask of a forward pass.

It makes no mask: the pattern is the mask. It reads where queries and keys are and what is padding.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from patternc.bridges.transformers.carrier import carrier, labels_of
from patternc.bridges.transformers.model_rules import (
    MaskFunction,
    ModelRule,
    model_rule,
    traced_rule,
)


def mask(
    batch_size: int,
    q_length: int,
    kv_length: int,
    q_offset: int | Tensor = 0,
    kv_offset: int | Tensor = 0,
    mask_function: MaskFunction | None = None,
    attention_mask: Tensor | None = None,
    device: torch.device | str = "cpu",
    local_size: int | None = None,
    use_vmap: bool = False,
    config: object = None,
    **_rest: object,
) -> Tensor | None:
    """A carrier, or None where all keys are real and the queries the last ones.

    Registered with `AttentionMaskInterface`, whose arguments these are. Raises `InputError` for
    masks that are laid over the model's own, as those of images are.
    """
    first_key = int(kv_offset)
    n, tracing = first_key + kv_length, torch.compiler.is_compiling()
    if mask_function is None:
        rule = ModelRule(True, None)
    elif tracing:
        alone = attention_mask is None and q_length == kv_length and first_key == 0
        size = batch_size, q_length if alone else 0
        chunk = getattr(config, "attention_chunk_size", None) == local_size is not None
        rule = traced_rule(mask_function, use_vmap, size, chunk, device)
    else:
        rule = model_rule(mask_function)
    filled = q_offset + q_length if rule.is_causal else n
    known = attention_mask is None and rule.documents is None and isinstance(q_offset, int)
    if known and first_key == 0 and filled == n == int(q_offset) + q_length:
        return None
    real = _real_keys(attention_mask, filled, batch_size, n, device)
    last = not tracing and first_key == 0 and int(q_offset) + q_length == n
    if rule.documents is None and last and bool(real.all()):
        return None
    labels = labels_of(real, rule.documents, batch_size, n)
    return carrier(labels, q_offset, first_key)


def _real_keys(
    given: Tensor | None, filled: int | Tensor, batch: int, n: int, device: torch.device | str
) -> Tensor:
    """Booleans [batch, n]: keys that are in the cache and are not padding."""
    real = (torch.arange(n, device=device) < filled).expand(batch, n)
    if given is None:
        return real
    return real & pad(given.bool(), (0, max(0, n - given.shape[-1])))[:, :n]
