"""The generated FlexAttention file of a pattern, loaded: one for each shape of tiles.

The text is the flex backend's. A program of which flex cannot hold some layers is compiled layer by
layer. Does not call FlexAttention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from patternc.emit.backend import UnsupportedError
from patternc.queries.arguments import tokens
from patternc.runtime import generated
from patternc.runtime.module_cache import Built, ensure
from patternc.schedule.tile_sizes import SIZES

# A layer, or None where one module holds all layers, and its tiles.
Variant = tuple[int | None, tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class FlexModules:
    """Modules by layer and tiles."""

    built: Built[Variant]
    layers: int | None

    def of(
        self, layer: int, tiles: tuple[int, int] | None = None
    ) -> tuple[ModuleType, dict[str, int]]:
        """A module that holds the layer, and the argument that names it there.

        Raises `UnsupportedError` where flex cannot hold the layer.
        """
        if self.layers is not None and not 0 <= layer < self.layers:
            raise ValueError(f"layer is {layer}; this pattern has layers 0 to {self.layers - 1}")
        if (layer, tiles) not in self.built.modules:
            try:
                return self._loaded((None, tiles)), {"layer": layer}
            except UnsupportedError:
                if (self.layers or 1) == 1:
                    raise
        return self._loaded((layer, tiles)), {}

    def _loaded(self, variant: Variant) -> ModuleType:
        ensure(self.built.key, variant)
        return self.built.modules[variant]


def block_tiles(block_size: int | tuple[int, int]) -> tuple[int, int]:
    """Tiles whose closed forms give blocks of that size: those that divide it, where some do."""
    sides = (block_size, block_size) if isinstance(block_size, int) else block_size
    try:
        rows, keys = (int(side) for side in sides)
    except (TypeError, ValueError):
        raise TypeError(
            f"block_size is {block_size!r}; expected an int or two, (queries, keys)"
        ) from None
    return _tile(rows), _tile(keys)


def _tile(block: int) -> int:
    if block < 1:
        raise ValueError(f"block_size has a side of {block}; expected at least 1")
    dividing = [size for size in SIZES if block % size == 0]
    within = dividing or [size for size in SIZES if size <= block] or [min(SIZES)]
    return max(within)


def length(n: object, inputs: Mapping[str, object]) -> int:
    """The length n. Raises `TypeError` for what is none, and for torch's name of an argument."""
    if "BLOCK_SIZE" in inputs:
        raise TypeError("unexpected argument 'BLOCK_SIZE': it is block_size= of block_mask")
    return tokens(n)


def score_mod(
    module: ModuleType, n: int, scale: float | None, layer: int, options: dict[str, Any]
) -> Callable[..., Any] | None:
    """The layer's `score_mod`, where it is all that the layer does beside its mask.

    Raises `ValueError` where the layer has more: sinks, or another scale than the call has.
    """
    found = generated.flex_layer(module, layer)
    if found.sinks:
        raise ValueError(
            "`sink` adds a logit to the denominator, which no score_mod can: call `attention` of "
            'the file that Pattern.compile(backends=["flex"]) writes, or leave `sink` out and '
            "apply it to the lse yourself"
        )
    if found.scale is not None and (scale is None or float(scale) != float(found.scale)):
        raise ValueError(
            f"this layer scales products by {found.scale}, and a score_mod gets them scaled: call "
            f"flex_attention(.., scale={found.scale}), and write score_mod(.., scale="
            f"{found.scale}) here"
        )
    made: Callable[..., Any] | None = module.make_score_mod(n, **options)
    return made
