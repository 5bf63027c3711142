"""The one length of a grid: the product of its sizes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from patternc.semantics.errors import LengthError


def verify_grid(sizes: Sequence[int], n: int) -> None:
    """Raises `LengthError` where the grid does not have n positions."""
    if prod(sizes) != n:
        message = f"the grid {list(sizes)} has {prod(sizes)} positions, n is {n}"
        raise LengthError(message, expected=prod(sizes))
