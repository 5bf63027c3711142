"""FlashAttention's arguments: `causal` and `window_size` of versions 2, 3 and 4.

`window_size=(left, right)` counts keys beside the query, -1 is all of them (None in version 4), and
queries are the last rows, as here. Masks that are no window are `flash_attention_4`'s. Source:
flash_attn 2.8 flash_attn_func; flash-attn-4 4.0.0b36 interface.py.
"""

from __future__ import annotations

from typing import TypedDict

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
