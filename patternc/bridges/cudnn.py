"""cuDNN's Flex Attention endpoints: the keys of every query as [0, F0), [F1, F2), [F3, F4), ..

`mask_func` [1 or query heads, endpoints, batch * queries], int32, as `create_mask_plan` takes it:
an odd number of endpoints, nondecreasing, within 0..n. Every mask has them; dilation, strides and
draws have many. Source: cudnn-frontend 1.32, flex_attention (an experimental API).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from patternc.bridges.layer_masks import Bits, FormatError, Int32, layer_mask, run_edges
from patternc.pattern import FromMask, Pattern
from patternc.queries.arguments import Input

_NAME = "cuDNN Flex Attention"
_MOST = 255


def export(
    pattern: Pattern,
    n: int,
    *,
    layer: int = 0,
    batch: int = 1,
    most: int = _MOST,
    mask_only: bool = False,
    **inputs: Input,
) -> Int32:
    """The endpoints of a layer at n tokens, the same for each batch element.

    Raises `FormatError` where a query needs more than `most` endpoints, and where the layer is more
    than its mask, unless `mask_only`.
    """
    mask = layer_mask(pattern, n, layer, mask_only, inputs, _NAME)
    mask = mask[:1] if (mask == mask[:1]).all() else mask
    heads = len(mask)
    row, start, stop = run_edges(mask.reshape(heads * n, n))
    # A run at key 0 is the first interval, which others leave empty.
    first = np.diff(row, prepend=-1) > 0
    counts = np.bincount(row, minlength=heads * n)
    at_zero = np.zeros(heads * n, np.bool_)
    at_zero[row[first]] = start[first] == 0
    width = 1 + 2 * int((counts - at_zero).max(initial=0))
    if width > most:
        raise FormatError(
            f"a query needs {width} endpoints, and most is {most}: strides, dilation and draws are "
            "not made of few intervals"
        )
    ends = np.full((heads * n, width), n, np.int32)
    ends[:, 0] = 0
    order = np.arange(len(row)) - (counts.cumsum() - counts)[row] + ~at_zero[row]
    ends[row, 2 * order] = stop
    later = order > 0
    ends[row[later], 2 * order[later] - 1] = start[later]
    found = ends.reshape(heads, n, width).swapaxes(1, 2)
    return np.ascontiguousarray(np.tile(found, (1, 1, batch)))


def dense(mask_func: ArrayLike, n: int, batch: int = 1) -> Bits:
    """Booleans [batch, heads, queries, n]. Raises `ValueError` for what are no endpoints."""
    ends = np.asarray(mask_func)
    if ends.ndim != 3 or ends.dtype.kind not in "iu" or ends.shape[1] % 2 == 0:
        raise ValueError(
            f"mask_func is {ends.dtype} of shape {ends.shape}; expected integers [heads, an odd "
            "number of endpoints, batch * queries]"
        )
    if (np.diff(ends, axis=1) < 0).any() or ends.min() < 0 or ends.max() > n:
        raise ValueError(f"endpoints of a query are not nondecreasing within 0..{n}")
    if ends.shape[2] % batch:
        raise ValueError(f"{ends.shape[2]} rows are not those of {batch} batch elements")
    key = np.arange(n)
    held = key < ends[:, 0, :, None]
    for at in range(1, ends.shape[1], 2):
        held |= (key >= ends[:, at, :, None]) & (key < ends[:, at + 1, :, None])
    return np.asarray(held.reshape(len(ends), batch, -1, n).swapaxes(0, 1))


def load(mask_func: ArrayLike, n: int) -> FromMask:
    """The shortest program found for the endpoints of one batch element."""
    return Pattern.from_mask(dense(mask_func, n))
