"""DeepSpeed's sparsity layouts: [heads, blocks, blocks], read from a layout or a configuration.

A layout says which blocks are computed. Within them DeepSpeed masks by what else it is given: for
`attention="unidirectional"` that is a mask of the caller's, which the layout does not hold, so
blocks on the diagonal are whole here. Source: deepspeed/ops/sparse_attention/sparsity_config.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from patternc.pattern import FromMask, Pattern


def load(layout: ArrayLike, block: int) -> FromMask:
    """The shortest program found for a layout of blocks of that many tokens."""
    blocks = np.asarray(layout)
    if blocks.ndim != 3 or blocks.shape[1] != blocks.shape[2] or not np.isin(blocks, (0, 1)).all():
        raise ValueError(
            f"layout has shape {blocks.shape}; expected 0 and 1, [heads, blocks, blocks]"
        )
    if block < 1:
        raise ValueError(f"block is {block}; expected at least 1")
    return Pattern.from_mask(blocks.astype(np.bool_).repeat(block, 1).repeat(block, 2))


def from_config(config: Any, n: int) -> FromMask:
    """The same of a `SparsityConfig`, whose `make_layout` is called; random ones are one draw."""
    return load(config.make_layout(n), config.block)
