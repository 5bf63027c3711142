"""Calls of a generated module, as `Pattern.attention` makes them; torch is imported when needed.

Chooses between the module's own `attention` and the calls of `padded`. Does not check tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    Positions = Tensor | Sequence[int] | Sequence[Sequence[int]]
    Lengths = Tensor | Sequence[int]
    RunTimeTensors = Tensor | tuple[Tensor, ...] | list[Tensor]
    Backend = Literal["auto", "triton", "cpu", "reference"]

# Others than those of layers, rows and softmaxes, or a head of one layer drops what another of the
# next does.
_HEAD_STEP = 0x27D4EB2F
_PADDED = ("positions", "cache_lengths", "key_padding")


def attend(
    module: ModuleType,
    q: Tensor,
    k: Tensor | None,
    v: Tensor | None,
    placed: Mapping[str, Any],
    options: dict[str, Any],
) -> Any:
    """`attention` of a module, with what is given of `placed`: where the queries and keys stand."""
    placed = {name: value for name, value in placed.items() if value is not None}
    if "positions" in placed and "positions" in module.INPUTS:
        options["positions"] = placed.pop("positions")
    padding = {name: placed.pop(name) for name in _PADDED if name in placed}
    if not padding:
        return module.attention(q, k, v, **placed, **options)
    if placed:
        _refuse_both(next(iter(placed)), next(iter(padding)))
    if "return_weights" in options:
        from patternc.runtime.weights import with_padded_weights

        return with_padded_weights(_padded(), module, (q, k, v), padding, options)
    return _padded()(module, q, k, v, **padding, **options)


def _padded() -> Callable[..., Any]:
    import torch

    if torch.compiler.is_compiling():
        from patternc.runtime import padded_operator

        return padded_operator.attention
    from patternc.runtime import padded

    return padded.attention


def _refuse_both(one: str, other: str) -> None:
    hint = ", the slots of which are all asked" if one == "rows" else ""
    raise ValueError(
        f"{one}= and {other}= cannot be given together{hint}; positions= says where each query "
        "stands in its sequence"
    )


def seed_of_heads(
    first: int, dropout: float, seed: int | Tensor | None, device: torch.device
) -> int | Tensor | None:
    """The seed of the heads from `first` on: ranks with one seed drop other weights."""
    if not dropout or not first:
        return seed
    if seed is None:
        import torch

        seed = torch.randint(1 << 32, (), device=device)
    return (seed + first * _HEAD_STEP) % (1 << 32)


def refuse_unknown_heads(heads: slice) -> NoReturn:
    """For programs without `heads`, of which a rank cannot know how many there are in all."""
    raise ValueError(
        f"heads={heads}: the slopes of `alibi` follow from the number of all heads; write it in "
        "the pattern, as `heads 32`"
    )


def has_alibi(module: ModuleType) -> bool:
    """Do scores depend on how many heads there are in all?"""
    return any(table.kind == "alibi" for table in getattr(module, "_SCORE_TABLES", ()))
