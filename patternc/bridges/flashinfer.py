"""FlashInfer's block-sparse layouts: BSR with a mask in each block, and blocks of variable sizes.

`BlockSparseAttentionWrapper.plan(indptr, indices, M, N, R, C, .., mask=)` takes one layout for all
heads; `VariableBlockSparseAttentionWrapper.plan(block_mask_map, block_row_sz, block_col_sz, ..)`
one for each key head. Both hold every mask exactly. Source: flashinfer/sparse.py of 0.7.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patternc.bridges.layer_masks import (
    Bits,
    FormatError,
    Int32,
    by_key_head,
    layer_mask,
    shared,
)
from patternc.pattern import Pattern
from patternc.queries.arguments import Input

_NAME = "FlashInfer"


class BlockSparse(NamedTuple):
    """indptr [M / R + 1], indices [blocks], and mask [blocks, R, C], as `plan` takes them."""

    indptr: Int32
    indices: Int32
    M: int
    N: int
    R: int
    C: int
    mask: Bits


class VariableBlocks(NamedTuple):
    """Which blocks are seen, [kv_heads, MB, NB], their rows [kv_heads, MB] and keys [.., NB]."""

    block_mask_map: Bits
    block_row_sz: Int32
    block_col_sz: Int32


def block_sparse(
    pattern: Pattern,
    n: int,
    block: tuple[int, int] = (64, 64),
    *,
    layer: int = 0,
    mask_only: bool = False,
    **inputs: Input,
) -> BlockSparse:
    """The blocks of R queries and C keys that hold a pair, in order, with the pairs in them.

    Raises `FormatError` where heads differ (`variable_blocks` holds those), where the block does
    not divide n, and where the layer is more than its mask, unless `mask_only`.
    """
    mask = shared(layer_mask(pattern, n, layer, mask_only, inputs, _NAME), _NAME)
    rows, keys = block
    if n % rows or n % keys:
        raise FormatError(f"blocks of {rows} x {keys} do not divide n = {n}: choose divisors of it")
    tiles = mask.reshape(n // rows, rows, n // keys, keys).swapaxes(1, 2)
    seen = tiles.any((2, 3))
    indptr = np.concatenate([[0], seen.sum(1).cumsum()]).astype(np.int32)
    indices = np.nonzero(seen)[1].astype(np.int32)
    return BlockSparse(indptr, indices, n, n, rows, keys, tiles[seen])


def variable_blocks(
    pattern: Pattern,
    n: int,
    *,
    layer: int = 0,
    kv_heads: int | None = None,
    mask_only: bool = False,
    **inputs: Input,
) -> VariableBlocks:
    """The fewest rows and columns of blocks that are whole or empty, the same for all key heads.

    Raises `FormatError` where query heads of a key head differ, and where the layer is more than
    its mask, unless `mask_only`.
    """
    mask = layer_mask(pattern, n, layer, mask_only, inputs, _NAME)
    heads = kv_heads or len(mask)
    mask = by_key_head(mask, kv_heads, _NAME)
    rows, keys = (_starts(mask, axis) for axis in (1, 2))
    blocks = mask[:, rows][:, :, keys]
    sizes = [np.diff(at, append=n).astype(np.int32) for at in (rows, keys)]
    return VariableBlocks(
        np.broadcast_to(blocks, (heads, *blocks.shape[1:])).copy(),
        *(np.broadcast_to(size, (heads, len(size))).copy() for size in sizes),
    )


def _starts(mask: Bits, axis: int) -> NDArray[np.int64]:
    """Where a row (or key) differs from the one before, in any head."""
    moved = np.moveaxis(mask, axis, 0)
    differs = (moved[1:] != moved[:-1]).any((1, 2))
    return np.flatnonzero(np.concatenate([[True], differs]))


def dense_block_sparse(
    indptr: ArrayLike, indices: ArrayLike, block: tuple[int, int], n: int, mask: ArrayLike
) -> Bits:
    """Booleans [n, n] of a BSR layout."""
    rows, keys = block
    starts, columns, inner = np.asarray(indptr), np.asarray(indices), np.asarray(mask)
    tiles = np.zeros((n // rows, n // keys, rows, keys), np.bool_)
    tiles[np.repeat(np.arange(n // rows), np.diff(starts)), columns] = inner
    return np.asarray(tiles.swapaxes(1, 2).reshape(n, n))


def dense_variable(
    block_mask_map: ArrayLike, block_row_sz: ArrayLike, block_col_sz: ArrayLike
) -> Bits:
    """Booleans [kv_heads, n, n] of blocks of variable sizes; see `Pattern.from_mask`."""
    blocks, rows, keys = map(np.asarray, (block_mask_map, block_row_sz, block_col_sz))
    every = zip(blocks, rows, keys, strict=True)
    return np.stack([x.repeat(tall, 0).repeat(wide, 1) for x, tall, wide in every])
