"""Block sparse rows of scipy and torch: blocks of a mask with the pairs in them, lossless.

Values are booleans of every block that holds a pair. Source: scipy.sparse.bsr_array,
torch.sparse_bsr_tensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from patternc.bridges.flashinfer import block_sparse, dense_block_sparse
from patternc.pattern import FromMask, Pattern

if TYPE_CHECKING:
    import torch


def to_scipy(pattern: Pattern, n: int, block: tuple[int, int] = (64, 64), **options: Any) -> Any:
    """A `scipy.sparse.bsr_array` [n, n]; options and errors are `flashinfer.block_sparse`'s."""
    from scipy.sparse import bsr_array

    found = block_sparse(pattern, n, block, **options)
    return bsr_array((found.mask, found.indices, found.indptr), shape=(n, n))


def to_torch(
    pattern: Pattern, n: int, block: tuple[int, int] = (64, 64), **options: Any
) -> torch.Tensor:
    """A torch tensor [n, n] of layout sparse_bsr; indices are int64, as torch's default is."""
    import torch

    found = block_sparse(pattern, n, block, **options)
    indptr, indices = (part.astype(np.int64) for part in (found.indptr, found.indices))
    return torch.sparse_bsr_tensor(
        torch.from_numpy(indptr),
        torch.from_numpy(indices),
        torch.from_numpy(found.mask),
        size=(n, n),
        check_invariants=True,
    )


def load(matrix: Any) -> FromMask:
    """The shortest program found for a BSR array or tensor; values that are not 0 are pairs."""
    if hasattr(matrix, "crow_indices"):
        parts = (matrix.crow_indices(), matrix.col_indices(), matrix.values() != 0)
        indptr, indices, held = (part.cpu().numpy() for part in parts)
    else:
        indptr, indices, held = matrix.indptr, matrix.indices, matrix.data != 0
    n = matrix.shape[0]
    return Pattern.from_mask(dense_block_sparse(indptr, indices, held.shape[1:], n, held))
