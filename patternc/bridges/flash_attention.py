"""FlashAttention's arguments: `causal` and `window_size` of version 2 and 3, block lists of 4.

`window_size=(left, right)` counts keys beside the query, -1 is all of them, and queries are the
last rows, as here. `BlockSparseTensorsTorch` of flash_attn.cute has the lists of a BlockMask; its
partial blocks need the layer's mask as a CuTe function too, which is not written here. Its key
block is a multiple of the kernel's tile_n. Source: flash_attn 2.8 flash_attn_func; flash-attn-4
4.0.0b36 block_sparsity.py.
"""

from __future__ import annotations

from typing import Any, TypedDict

from patternc.bridges.layer_windows import Window, window_of
from patternc.pattern import Pattern

_NAME = "FlashAttention"


class Arguments(TypedDict):
    """Keywords of `flash_attn_func`."""

    causal: bool
    window_size: tuple[int, int]


def export(pattern: Pattern, *, layer: int = 0, mask_only: bool = False) -> Arguments:
    """The arguments of a layer, right for every n.

    Raises `FormatError` where the layer is not a window in all heads, or is more than its mask,
    unless `mask_only`.
    """
    window = window_of(pattern, layer, mask_only, _NAME)
    sides = tuple(-1 if side is None else side for side in (window.left, window.right))
    return {"causal": window.right == 0, "window_size": (sides[0], sides[1])}


def load(window_size: tuple[int, int] = (-1, -1), causal: bool = False) -> Pattern:
    """The pattern of the arguments. Raises `ValueError` for sides below -1."""
    left, right = window_size
    if left < -1 or right < -1:
        raise ValueError(f"window_size is {window_size}; expected -1 (all keys) or more")
    right = 0 if causal else right
    window = Window(None if left < 0 else left, None if right < 0 else right)
    return Pattern.parse(window.text)


def block_sparse_tensors(
    pattern: Pattern,
    n: int,
    block_size: tuple[int, int] = (128, 128),
    *,
    layer: int = 0,
    **options: Any,
) -> dict[str, Any]:
    """Keywords of `BlockSparseTensorsTorch`: options and errors are `Pattern.block_mask`'s."""
    found = pattern.block_mask(n, layer=layer, block_size=block_size, **options)
    return {
        "mask_block_cnt": found.kv_num_blocks,
        "mask_block_idx": found.kv_indices,
        "full_block_cnt": found.full_kv_num_blocks,
        "full_block_idx": found.full_kv_indices,
        "block_size": found.BLOCK_SIZE,
        "dq_write_order": found.dq_write_order,
        "dq_write_order_full": found.dq_write_order_full,
        "spt": found.dq_kv_order_spt,
    }
