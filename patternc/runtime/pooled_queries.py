"""Pooled queries (Funnel Transformer): states of fewer rows, and back to as many as before.

    states [batch, n, dim] -> pooled [batch, rows, dim] -> layers -> repeated [batch, n, dim]

The first layer of a stage attends from pooled rows to the states before pooling, `full on encoder`;
the layers behind it have pooled rows alone.

    >>> import torch
    >>> from patternc.ir.stages import QueryPool
    >>> pooled = pool(torch.arange(8.0).reshape(1, 8, 1), QueryPool(2, "mean", 2, 1, "truncate"))
    >>> pooled.flatten().tolist()
    [0.0, 1.5, 3.5, 5.5]
    >>> repeat(pooled, QueryPool(2, "mean", 2, 1, "truncate"), 8).flatten().tolist()
    [0.0, 1.5, 1.5, 3.5, 3.5, 5.5, 5.5, 5.5]
"""

from __future__ import annotations

import torch
from torch import Tensor

from patternc.ir.stages import QueryPool


def pool(states: Tensor, how: QueryPool) -> Tensor:
    """[batch, n, ..] to [batch, rows, ..]: a row for each of `how.windows(n)`."""
    windows = how.windows(states.shape[1])
    if not windows:
        return states[:, :0]
    place = torch.tensor([[min(x, w.stop - 1) for x in _slots(w, windows)] for w in windows])
    held = torch.tensor([[x < w.stop for x in _slots(w, windows)] for w in windows])
    place, held = place.to(states.device), held.to(states.device)
    parts = states[:, place]
    held = held.view(1, *held.shape, *[1] * (states.dim() - 2))
    if how.operation == "max":
        return parts.masked_fill(~held, -torch.inf).amax(2)
    total = parts.masked_fill(~held, 0).sum(2)
    return total if how.operation == "sum" else total / held.sum(2)


def _slots(window: range, windows: tuple[range, ...]) -> range:
    """As many places for every window as the longest has."""
    return range(window.start, window.start + max(map(len, windows)))


def repeat(states: Tensor, how: QueryPool, n: int) -> Tensor:
    """[batch, rows, ..] to [batch, n, ..]: each of n rows has the state of its last window.

    Rows of no window, which `drop` and `truncate` leave out, have that of the last one.
    """
    row = torch.zeros(n, dtype=torch.int64)
    for number, window in enumerate(how.windows(n)):
        row[window.start :] = number
    return states[:, row.to(states.device)]
