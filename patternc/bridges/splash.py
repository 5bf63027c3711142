"""A `Mask` of JAX's splash attention that answers from a pattern, tile by tile.

`make_splash_mha(mask=MultiHeadMask([..]), ..)` asks for tiles: none of them is larger than asked
for, so no n x n array is made, as `NumpyMask` needs one. Importing this needs jax. Source:
jax.experimental.pallas.ops.tpu.splash_attention, jax 0.10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask as jax_masks

from patternc.bridges.layer_masks import Bits, verify_mask
from patternc.ir.sources import TOKENS
from patternc.pattern import Pattern
from patternc.queries.arguments import Input

_NAME = "splash attention"


class PatternMask(jax_masks.Mask):  # type: ignore[misc]
    """One head of a layer at n queries and keys.

    Raises `FormatError` where the layer is more than its mask, unless `mask_only`.
    """

    def __init__(
        self,
        pattern: Pattern,
        n: int,
        *,
        layer: int = 0,
        head: int = 0,
        mask_only: bool = False,
        inputs: Mapping[str, Input] | None = None,
    ) -> None:
        verify_mask(pattern, layer, mask_only, _NAME)
        tables = pattern.head_tables(n, layer, **(inputs or {}))
        relations = pattern.relations(layer)
        self._branches = relations[head % len(relations)].branches
        self._tables = tables[head % len(tables)].of(TOKENS)
        self._n = n
        # Equal masks are scheduled once; inputs make every one its own.
        self._key = (self._branches, n, id(self) if inputs else None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PatternMask) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def shape(self) -> tuple[int, int]:
        return self._n, self._n

    def __getitem__(self, at: Any) -> Bits:
        """The tile of two slices, rows and keys."""
        if not (isinstance(at, tuple) and len(at) == 2 and all(isinstance(x, slice) for x in at)):
            raise TypeError(f"{at!r} is not a tile; expected two slices, rows and keys")
        i, j = (np.arange(*each.indices(self._n)) for each in at)
        held = np.zeros((len(i), len(j)), np.bool_)
        for branch in self._branches:
            found = self._tables.holds(branch.predicate, {"i": i[:, None], "j": j[None, :]})
            held = held | np.broadcast_to(found, held.shape)
        return held


def multi_head(
    pattern: Pattern,
    n: int,
    *,
    layer: int = 0,
    heads: int | None = None,
    mask_only: bool = False,
    **inputs: Input,
) -> Any:
    """The `MultiHeadMask` of a layer; `heads` for programs that name none."""
    count = heads or pattern.heads or 1
    if pattern.heads not in (None, count):
        raise ValueError(f"heads is {heads}; this pattern has {pattern.heads}")
    masks = [
        PatternMask(pattern, n, layer=layer, head=head, mask_only=mask_only, inputs=inputs)
        for head in range(count)
    ]
    return jax_masks.MultiHeadMask(masks)
