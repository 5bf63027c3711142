"""FlashMask's `startend_row_indices`: for every key the rows that do not see it, in intervals.

[batch, kv_heads or 1, n, bounds] int32, as PaddlePaddle's flashmask_attention defines it. Causal: 1
bound r has rows >= r masked, 2 bounds have rows [r1, r2) masked, and rows before the key always.
Not causal: 2 bounds have rows >= r1 and rows < r2 masked, 4 bounds rows [r1, r2) and [r3, r4). What
has more gaps in a column (dilation, strides, draws) is refused. Source: FlashMask (Wang et al.
2024), and `flashmask_to_densemask` in its documentation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from patternc.bridges.layer_masks import (
    Bits,
    FormatError,
    Int32,
    by_key_head,
    layer_mask,
    run_edges,
)
from patternc.pattern import FromMask, Pattern
from patternc.queries.arguments import Input

_NAME = "startend_row_indices"


class FlashMask(NamedTuple):
    """`startend_row_indices` [1, kv_heads or 1, n, bounds], and the `causal` that it goes with."""

    startend_row_indices: Int32
    causal: bool


def export(
    pattern: Pattern,
    n: int,
    *,
    layer: int = 0,
    kv_heads: int | None = None,
    mask_only: bool = False,
    **inputs: Input,
) -> FlashMask:
    """The bounds of a layer at n tokens; of the fewest bounds that hold it.

    Heads that differ need `kv_heads` (as many as query heads unless given). Raises `FormatError`
    where a key has more gaps than bounds, and where the layer is more than its mask, unless
    `mask_only`.
    """
    mask = layer_mask(pattern, n, layer, mask_only, inputs, _NAME)
    mask = by_key_head(mask, kv_heads, _NAME)
    causal = not np.triu(mask, 1).any()
    bounds = [_causal(each) if causal else _two_sided(each) for each in mask]
    width = max(each.shape[1] for each in bounds)
    return FlashMask(np.stack([_widened(x, width, n) for x in bounds])[None], causal)


def dense(startend_row_indices: ArrayLike, causal: bool) -> Bits:
    """Booleans [batch, kv_heads or 1, n, n], True where a query attends. Raises `ValueError`."""
    bounds = np.asarray(startend_row_indices)
    widths = (1, 2) if causal else (2, 4)
    if bounds.ndim != 4 or bounds.shape[3] not in widths or bounds.dtype.kind not in "iu":
        raise ValueError(
            f"{_NAME} is {bounds.dtype} of shape {bounds.shape}; expected integers [batch, "
            f"kv_heads, n, {widths[0]} or {widths[1]}] where causal={causal}"
        )
    n = bounds.shape[2]
    row, parts = np.arange(n)[:, None], [bounds[:, :, None, :, k] for k in range(bounds.shape[3])]
    if causal:
        masked = (row >= parts[0]) & ((row < parts[1]) if len(parts) == 2 else True)
        return np.asarray(~masked & (row >= np.arange(n)[None, :]))
    if len(parts) == 2:
        return np.asarray(~((row >= parts[0]) | (row < parts[1])))
    lower, upper = ((row >= parts[k]) & (row < parts[k + 1]) for k in (0, 2))
    return np.asarray(~(lower | upper))


def load(startend_row_indices: ArrayLike, causal: bool) -> FromMask:
    """The shortest program found for the bounds of one batch element: see `Pattern.from_mask`."""
    return Pattern.from_mask(dense(startend_row_indices, causal))


def _causal(mask: Bits) -> Int32:
    """[n, 1 or 2]: the rows from the key on that do not see it."""
    n = len(mask)
    hidden = ~mask.T & (np.arange(n)[None, :] >= np.arange(n)[:, None])
    key, start, stop = run_edges(hidden)
    _verify_gaps(key, 1, n)
    bounds = np.full((n, 2), n, np.int32)
    bounds[key, 0], bounds[key, 1] = start, stop
    return bounds[:, :1] if (bounds[:, 1] == n).all() else bounds


def _two_sided(mask: Bits) -> Int32:
    """[n, 2 or 4]: the rows below and above that do not see a key."""
    n = len(mask)
    key, start, stop = run_edges(~mask.T)
    _verify_gaps(key, 2, n)
    bounds = np.tile(np.array([n, n, 0, 0], np.int32), (n, 1))
    first = np.diff(key, prepend=-1) > 0
    alone = np.bincount(key, minlength=n)[key] == 1
    # The second gap is below the first; one alone is where it ends, or on its side of the key.
    below = ~first | (alone & ((stop == n) | ((start > 0) & (start > key))))
    for held, at in ((below, 0), (~below, 2)):
        bounds[key[held], at], bounds[key[held], at + 1] = start[held], stop[held]
    if (bounds[:, 1] == n).all() and (bounds[:, 2] == 0).all():
        return bounds[:, [0, 3]]
    return bounds


def _verify_gaps(key: np.ndarray[tuple[int], np.dtype[np.int64]], most: int, n: int) -> None:
    gaps = np.bincount(key, minlength=n)
    if gaps.max(initial=0) > most:
        at = int((gaps > most).argmax())
        raise FormatError(
            f"key {at} is hidden from {gaps[at]} separate runs of rows; {_NAME} holds {most}"
            f"{' from the key on' if most == 1 else ''}: strides, dilation and draws have more"
        )


def _widened(bounds: Int32, width: int, n: int) -> Int32:
    """The same in more bounds: of one head where another needs them."""
    if bounds.shape[1] == width:
        return bounds
    if width == 2:
        return np.column_stack([bounds, np.full(len(bounds), n, np.int32)])
    full = np.tile(np.array([n, n, 0, 0], np.int32), (len(bounds), 1))
    full[:, [0, 3]] = bounds
    return full
