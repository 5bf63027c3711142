"""Masks of other libraries as booleans: arrays, tensors, BlockMasks and mask functions.

Torch is imported only for what is torch's. Does not look for programs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from patternc.queries.arguments import tokens, whole

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask

Bits = NDArray[np.bool_]
EXPECTED = (
    "booleans [queries, n], [heads, queries, n] or [batch, heads, queries, n], True where a query "
    "attends; an additive mask of 0 and -inf; a BlockMask; or a function mask_mod(b, h, q, k)"
)


def given_mask(mask: object, n: int | None = None, heads: int | None = None) -> Bits:
    """Booleans [heads, queries, n] of what was given. Raises `TypeError` and `ValueError`."""
    if heads is not None:
        heads = whole("heads", heads, 1)
    if _is_block_mask(mask):
        found = _of_block_mask(mask, heads)
    elif callable(mask):
        if n is None:
            raise ValueError("n is missing: a mask function has no length of its own; pass n=")
        found = of_mask_mod(mask, tokens(n, 1), heads)
    else:
        found = _of_array(mask)
    if n is not None and found.shape[2] != n:
        raise ValueError(f"n is {n}, and the mask has {found.shape[2]} keys")
    if found.shape[1] > found.shape[2]:
        raise ValueError(
            f"the mask has {found.shape[1]} queries and {found.shape[2]} keys; the queries are the "
            "last rows, so there may be no more of them than keys"
        )
    return found


def of_mask_mod(mask: Callable[..., Any], n: int, heads: int | None) -> Bits:
    """A mask function of n queries and keys, for one batch element.

    Raises `ValueError` where torch cannot evaluate it for all pairs at once.
    """
    import torch
    from torch.nn.attention.flex_attention import create_mask

    try:
        found = create_mask(mask, 1, heads or 1, n, n, "cpu")[0]
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(
            "the mask function cannot be evaluated for all pairs at once; expected "
            "mask_mod(b, h, q_idx, kv_idx) of operations on tensors, `&` and `|` for `and` and "
            f"`or`, torch.where for `if`: {reason}"
        ) from error
    if found.dtype != torch.bool:
        raise ValueError(f"the mask function returns {found.dtype}; expected booleans")
    return np.asarray(found.numpy())


def _is_block_mask(mask: object) -> TypeGuard[BlockMask]:
    module = sys.modules.get("torch.nn.attention.flex_attention")
    return module is not None and isinstance(mask, module.BlockMask)


def _of_block_mask(mask: BlockMask, heads: int | None) -> Bits:
    """Pairs of full blocks, and of partial blocks those of its function, as flex has it."""
    import torch
    from torch.nn.attention.flex_attention import create_mask

    batch, listed = mask.kv_num_blocks.shape[:2]
    count = listed if heads is None else heads
    if listed not in (1, count):
        raise ValueError(f"heads is {heads}, and the BlockMask has {listed}")
    queries, keys = mask.seq_lengths
    device = mask.kv_num_blocks.device
    inner = create_mask(mask.mask_mod, batch, count, queries, keys, str(device))
    partial = _in_blocks(mask.kv_num_blocks, mask.kv_indices, mask)
    found = inner & partial
    if mask.full_kv_num_blocks is not None and mask.full_kv_indices is not None:
        found = found | _in_blocks(mask.full_kv_num_blocks, mask.full_kv_indices, mask)
    return _one_batch(np.asarray(torch.as_tensor(found).cpu().numpy()))


def _in_blocks(counts: Any, indices: Any, mask: BlockMask) -> Any:
    """Which pairs are in the blocks that two fields list; [batch, heads, queries, keys]."""
    import torch

    width = indices.shape[-1]
    most = max(width, -(-mask.seq_lengths[1] // mask.BLOCK_SIZE[1]))
    blocks = indices.new_zeros(*indices.shape[:-1], most)
    valid = torch.arange(width, device=indices.device) < counts[..., None]
    at = indices.to(torch.int64).where(valid, 0)
    blocks = blocks.scatter_reduce(-1, at, valid.to(indices.dtype), "amax")
    (queries, keys), (tall, wide) = mask.seq_lengths, mask.BLOCK_SIZE
    spread = blocks.repeat_interleave(tall, -2).repeat_interleave(wide, -1)
    return spread[..., :queries, :keys].bool()


def _of_array(mask: object) -> Bits:
    detach = getattr(mask, "detach", None)
    if detach is not None:
        mask = detach().cpu().float().numpy() if "float" in str(mask.dtype) else detach().cpu()  # type: ignore[attr-defined]
    found = np.asarray(mask)
    if found.dtype == object or found.ndim not in (2, 3, 4) or 0 in found.shape:
        kind = type(mask).__name__
        raise TypeError(f"mask is {kind} of shape {found.shape}; expected {EXPECTED}")
    pairs = _booleans(found)
    if pairs.ndim == 4:
        return _one_batch(pairs)
    return pairs if pairs.ndim == 3 else pairs[None]


def _booleans(found: NDArray[Any]) -> Bits:
    if found.dtype == np.bool_:
        return found
    if np.issubdtype(found.dtype, np.integer) and np.isin(found, (0, 1)).all():
        return found.astype(np.bool_)
    if np.issubdtype(found.dtype, np.floating):
        kept = found == 0
        # What stands for minus infinity: itself, or the least finite number of some type.
        if (kept | (found <= -3e4)).all() and not kept.all():
            return np.asarray(kept)
    raise ValueError(f"mask holds other {found.dtype} values than a mask has; expected {EXPECTED}")


def _one_batch(pairs: Bits) -> Bits:
    if not (pairs == pairs[:1]).all():
        raise ValueError(
            f"the {len(pairs)} batch elements have different masks; pass one of them: mask[0]"
        )
    return np.asarray(pairs[0])
