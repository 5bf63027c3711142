"""Arguments of `Pattern.compile`, checked."""

from __future__ import annotations

from collections.abc import Iterable

from patternc.pipeline import Options
from patternc.queries.arguments import data_type, layer_number, whole


def compile_options(
    layers: int | None,
    layer: int | None,
    dtype: object,
    head_dim: int | None,
    tiles: tuple[int, int] | None,
    backends: Iterable[str],
) -> Options:
    """What to compile of a program with that number of layers, and for what."""
    return Options(
        None if layer is None else layer_number(layer, layers),
        data_type(dtype),
        None if head_dim is None else whole("head_dim", head_dim, 1),
        tiles,
        tuple(backends),
    )
