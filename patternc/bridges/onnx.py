"""ONNX's `Attention`: window attributes of opset 25, or a mask for what is not a window.

`left_window_size` and `right_window_size` count keys beside the query, -1 is all of them; queries
are the last rows, as here. A mask [1, heads, n, n] is of one length. Source: the operator's page of
opset 25 (onnx 1.23).
"""

from __future__ import annotations

from typing import NamedTuple

from patternc.bridges.layer_masks import Bits, FormatError, layer_mask
from patternc.bridges.layer_windows import Window, window_of
from patternc.pattern import Pattern
from patternc.queries.arguments import Input

_NAME = "ONNX Attention"


class Attention(NamedTuple):
    """Attributes of the node, and its input `attn_mask` [1, heads, n, n]; None without one."""

    attributes: dict[str, int]
    attn_mask: Bits | None


def window(pattern: Pattern, *, layer: int = 0, mask_only: bool = False) -> dict[str, int]:
    """The attributes of a layer that is a window, right for every n; else `FormatError`."""
    found = window_of(pattern, layer, mask_only, _NAME)
    causal = found.right == 0
    right = -1 if causal or found.right is None else found.right
    left = -1 if found.left is None else found.left
    return {"is_causal": int(causal), "left_window_size": left, "right_window_size": right}


def attention(
    pattern: Pattern, n: int, *, layer: int = 0, mask_only: bool = False, **inputs: Input
) -> Attention:
    """The attributes of a window, or a mask of n tokens for any other layer.

    Raises `FormatError` where the layer is more than its mask, unless `mask_only`.
    """
    mask = layer_mask(pattern, n, layer, mask_only, inputs, _NAME)
    try:
        return Attention(window(pattern, layer=layer, mask_only=mask_only), None)
    except FormatError:
        return Attention({}, mask[None])


def load(*, is_causal: int = 0, left_window_size: int = -1, right_window_size: int = -1) -> Pattern:
    """The pattern of a node's attributes. Raises `ValueError` for sides below -1."""
    if min(left_window_size, right_window_size) < -1:
        raise ValueError(
            f"the window is {left_window_size}, {right_window_size}; expected -1 (all keys) or more"
        )
    right = 0 if is_causal else right_window_size
    sides = (None if side < 0 else side for side in (left_window_size, right))
    return Pattern.parse(Window(*sides).text)
