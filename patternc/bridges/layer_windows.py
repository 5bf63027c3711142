"""The window of a layer, proved for every n, for libraries that are given two sides.

Does not know any library.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from patternc.algebra.lengths import EVERY_LENGTH
from patternc.analysis.equivalence.compare import compared
from patternc.bridges.layer_masks import FormatError, verify_mask
from patternc.pattern import Pattern
from patternc.semantics.errors import InputError, LengthError

# Sides are looked for up to these lengths; one that is found nowhere is unlimited, or not there.
_LEFT = 1 << 17
_RIGHT = 1 << 11


@dataclass(frozen=True, slots=True)
class Window:
    """Keys before and after the query, which is not counted; None is all of them."""

    left: int | None
    right: int | None

    @property
    def text(self) -> str:
        """The relation of the language."""
        match self.left, self.right:
            case None, None:
                return "full"
            case None, 0:
                return "causal"
            case None, right:
                return f"where(j <= i + {right})"
            case left, None:
                return f"where(j >= i - {left})"
            case left, right:
                return f"local(left={left}, right={right})"


def window_of(pattern: Pattern, layer: int, mask_only: bool, name: str) -> Window:
    """The window that all heads of a layer have at every n. Raises `FormatError` without one."""
    verify_mask(pattern, layer, mask_only, name)
    relations = list(dict.fromkeys(pattern.relations(layer)))
    try:
        for window in dict.fromkeys(_candidates(pattern, layer)):
            wanted = Pattern.parse(window.text).relations()
            parts = compared([relations], [wanted], 1, EVERY_LENGTH)
            if all(part.outcome == "equal" for part in parts):
                return window
    except (InputError, LengthError) as error:
        raise FormatError(f"{name} is given a window; this layer is not one: {error}") from error
    raise FormatError(
        f"{name} is given a window of all heads; no window is proved equal to layer {layer} at "
        "every n"
    )


def _candidates(pattern: Pattern, layer: int) -> Iterator[Window]:
    """Windows with the left side of the last row, and the right side of the first."""
    left, right = _left(pattern, layer), _right(pattern, layer)
    yield Window(left, right)
    if left is not None:
        # A side too far to be looked for is often the other one.
        yield Window(left, left)


def _left(pattern: Pattern, layer: int) -> int | None:
    n = 64
    while n <= _LEFT:
        keys = np.flatnonzero(pattern.mask(n, 1, layer)[0, 0])
        if not len(keys) or keys[0] > 0:
            return n - 1 - int(keys[0]) if len(keys) else 0
        n *= 2
    return None


def _right(pattern: Pattern, layer: int) -> int | None:
    n = 64
    while n <= _RIGHT:
        keys = np.flatnonzero(pattern.mask(n, layer=layer)[0, 0])
        if not len(keys) or keys[-1] < n - 1:
            return int(keys[-1]) if len(keys) else 0
        n *= 2
    return None
