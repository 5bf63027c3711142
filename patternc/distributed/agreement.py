"""What all ranks of a call must agree on, compared before anything else is sent.

A rank that calls with another pattern, length, dtype or version would wait for messages that never
come, or take rows for others. All ranks raise the same error instead. Does not send keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor

from patternc.version import __version__

if TYPE_CHECKING:
    from patternc.pattern import Pattern

Facts = Mapping[str, object]


class DisagreementError(ValueError):
    """Ranks of one call were called with different things."""


def facts_of(
    tokens: Sequence[Tensor],
    pattern: Pattern,
    options: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> Facts:
    """What is compared."""
    q, k, v = tokens
    facts: dict[str, object] = {
        "version of patternc": __version__,
        "pattern": str(pattern),
        **options,
        "dtype": str(q.dtype),
        "batch size": q.shape[0],
        "query heads": q.shape[1],
        "key heads": k.shape[1],
        "head_dim": q.shape[3],
        "head_dim of v": v.shape[3],
        "need of gradients": torch.is_grad_enabled() and any(x.requires_grad for x in tokens),
    }
    return facts | {f"input {name}": _digest(value) for name, value in sorted(inputs.items())}


def _digest(value: Any) -> str:
    """Equal for equal contents, whatever device they are on."""
    if isinstance(value, tuple | list):
        return ",".join(map(_digest, value))
    if not isinstance(value, Tensor):
        return repr(value)
    flat = value.detach().cpu().contiguous()
    content = flat.flatten().view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return f"{flat.dtype} {tuple(flat.shape)} {hashlib.sha256(content).hexdigest()[:16]}"


def agreed_rows(facts: Facts, rows: int, group: dist.ProcessGroup | None) -> list[int]:
    """The rows of every rank, once all facts are equal. Raises `DisagreementError`."""
    every: list[Any] = [None] * dist.get_world_size(group)
    dist.all_gather_object(every, (dict(facts), rows), group=group)
    first = every[0][0]
    for name in dict.fromkeys(name for own, _ in every for name in own):
        others = [rank for rank, (own, _) in enumerate(every) if own.get(name) != first.get(name)]
        if others:
            rank = others[0]
            told = f"{first.get(name)!r} on rank 0 and {every[rank][0].get(name)!r} on rank {rank}"
            raise DisagreementError(f"the {name} differs between ranks: {told}")
    return [count for _, count in every]
