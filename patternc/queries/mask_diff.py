"""A program and a mask, or two masks, compared pair by pair at the one length that the mask has.

Nothing is said of other lengths. Does not compare scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from patternc.frontend import Frontend
from patternc.frozen import frozen
from patternc.printed import Printed
from patternc.queries import masks
from patternc.queries.arguments import Input
from patternc.queries.call import Slots
from patternc.queries.given_masks import Bits, given_mask


@frozen
class HeadMaskDifference:
    """One head: pairs that one side alone has, and the first pair (query, key) of those."""

    head: int
    only_left: int
    only_right: int
    first: tuple[int, int] | None


@dataclass(frozen=True, slots=True, repr=False)
class MaskDifference(Printed):
    """The comparison at n tokens, whose last `queries` are the rows; positions count from 0."""

    printer: ClassVar[str] = "report.mask_diff:text"

    n: int
    queries: int
    parts: tuple[HeadMaskDifference, ...]

    @property
    def outcome(self) -> Literal["equal", "different"]:
        """Equal: at this n, in every pair and head."""
        return "different" if self.witness is not None else "equal"

    @property
    def witness(self) -> HeadMaskDifference | None:
        """The first head with a difference."""
        return next((part for part in self.parts if part.first is not None), None)

    def swapped(self) -> MaskDifference:
        """The same with left and right exchanged."""
        parts = (
            replace(part, only_left=part.only_right, only_right=part.only_left)
            for part in self.parts
        )
        return replace(self, parts=tuple(parts))


def diff_with_mask(
    frontend: Frontend,
    mask: object,
    n: int | None,
    layer: int,
    slots: Slots,
    inputs: Mapping[str, Input],
) -> MaskDifference:
    """A layer of a program on the left, a mask on the right."""
    right = given_mask(mask, n, frontend.program.heads)
    _, queries, keys = right.shape
    left = masks.mask(frontend, keys, queries, layer, "", slots, inputs)
    if left.ndim == 4 or left.shape[1:] != right.shape[1:]:
        raise ValueError(
            f"the pattern has a mask of shape {left.shape}, the mask is {right.shape}; expected "
            "the tokens as keys, and one batch element"
        )
    return diff_of_masks(left, right)


def diff_of_masks(left: Bits, right: Bits) -> MaskDifference:
    """Two masks [heads, queries, n]; one of a single head stands for all heads."""
    heads = {len(left), len(right)} - {1}
    if len(heads) > 1 or left.shape[1:] != right.shape[1:]:
        raise ValueError(f"masks of shapes {left.shape} and {right.shape} cannot be compared")
    count = max(heads, default=1)
    _, queries, n = left.shape
    parts = (
        _part(head, left[head % len(left)], right[head % len(right)], n - queries)
        for head in range(count)
    )
    return MaskDifference(n, queries, tuple(parts))


def _part(head: int, left: Bits, right: Bits, first: int) -> HeadMaskDifference:
    differing = left != right
    at = None
    if differing.any():
        row, key = np.unravel_index(int(differing.argmax()), differing.shape)
        at = int(row) + first, int(key)
    return HeadMaskDifference(head, int((left & ~right).sum()), int((right & ~left).sum()), at)
