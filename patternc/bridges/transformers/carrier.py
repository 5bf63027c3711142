"""What the mask function of a forward pass tells the attention function: positions and labels.

The mask that Transformers passes on to every layer is an int64 tensor [batch, 1, 1, keys + 2]:
for every position from the first token on the number of its sequence, -1 for padding and for
slots of a cache that are not filled; behind them the positions of the first query and of the first
key. It cannot be taken for a mask by anything else, since no dimension fits. None says that all
keys are tokens of one sequence, and the queries the last of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from patternc.runtime.packing import PADDING

_TAIL = 2


@dataclass(frozen=True, slots=True)
class Placed:
    """Labels [batch, positions], and the positions of the first query and the first key."""

    labels: Tensor
    first_query: int
    first_key: int


def carrier(labels: Tensor, first_query: int | Tensor, first_key: int | Tensor) -> Tensor:
    """The mask that carries all of them."""
    ends = [torch.as_tensor(each, device=labels.device) for each in (first_query, first_key)]
    tail = torch.stack([end.to(torch.int64).reshape(()) for end in ends])
    return torch.cat([labels, tail.expand(len(labels), _TAIL)], dim=1)[:, None, None, :]


def is_carrier(mask: Any) -> bool:
    return isinstance(mask, Tensor) and mask.dtype == torch.int64 and mask.shape[1:3] == (1, 1)


def placed(mask: Tensor) -> Placed:
    """What a carrier says; waits for a GPU."""
    rows = mask[:, 0, 0, :].cpu()
    first_query, first_key = rows[0, -_TAIL:].tolist()
    return Placed(rows[:, :-_TAIL], first_query, first_key)


def everything(batch: int, queries: int, keys: int, device: torch.device) -> Tensor:
    """The carrier of what None says."""
    labels = torch.zeros(batch, keys, dtype=torch.int64, device=device)
    return carrier(labels, keys - queries, 0)


def labels_of(real: Tensor | None, documents: Tensor | None, batch: int, n: int) -> Tensor:
    """Labels [batch, n] from booleans or numbers of documents, of which there may be fewer."""
    if documents is not None:
        return documents.to(torch.int64).expand(batch, n)
    assert real is not None
    padded = torch.nn.functional.pad(real[:, :n], (0, max(0, n - real.shape[1])))
    return torch.zeros_like(padded, dtype=torch.int64).masked_fill(~padded, PADDING)
