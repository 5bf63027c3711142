"""Exactly the planned rows of keys and values, from the ranks that hold them; gradients back.

    k, v of a shard, sets of keys by head and rank -> k, v of all positions, zeros where not asked

One message for each pair of ranks holds the rows of k of every head in order, then those of v.
Gradients take the same way back and are added in the order of ranks, so that sums are the same in
every run. The transport is torch.distributed's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from patternc.distributed.key_sets import Integers, KeySet
from patternc.distributed.placement import Placement

Rows = tuple[Tensor, ...]
"""Indices of rows for each key head."""


class ExchangeError(RuntimeError):
    """A rank did not answer."""


@dataclass(frozen=True)
class Route:
    """What one rank sends and gets: rows of its shard for each rank, positions from each rank."""

    rank: int
    n: int
    own: Tensor
    gives: tuple[Rows, ...]
    gets: tuple[Rows, ...]
    peers: tuple[int, ...]
    group: dist.ProcessGroup | None

    @property
    def others(self) -> Iterable[int]:
        return (rank for rank in range(len(self.gives)) if rank != self.rank)


def route(
    keys: Sequence[Sequence[KeySet]],
    placed: Placement,
    rank: int,
    group: dist.ProcessGroup | None,
    device: torch.device,
) -> Route:
    """The route of one rank; `keys` are those of each key head, by rank."""
    own, ranks = placed.positions(rank), range(placed.ranks)
    wanted = [[each[other] & placed.rows[rank] for each in keys] for other in ranks]
    asked = [[each[rank] & placed.rows[other] for each in keys] for other in ranks]

    def local(held: KeySet) -> Integers:
        return np.searchsorted(own, held.positions())

    def moved(rows: Integers) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows)).to(device)

    peers = tuple(other if group is None else dist.get_global_rank(group, other) for other in ranks)
    return Route(
        rank,
        placed.n,
        moved(own),
        tuple(tuple(moved(local(one)) for one in heads) for heads in wanted),
        tuple(tuple(moved(one.positions()) for one in heads) for heads in asked),
        peers,
        group,
    )


def gathered(k: Tensor, v: Tensor, way: Route) -> tuple[Tensor, Tensor]:
    """Keys and values of all positions that the rank's queries attend to, the others zero."""
    found: tuple[Tensor, Tensor] = _Exchange.apply(k, v, way)  # type: ignore[no-untyped-call]
    return found


class _Exchange(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, k: Tensor, v: Tensor, way: Route) -> tuple[Tensor, Tensor]:
        ctx.way = way
        whole = [x.new_zeros(*x.shape[:2], way.n, x.shape[3]) for x in (k, v)]
        for full, x in zip(whole, (k, v), strict=True):
            full[:, :, way.own] = x
        received = _swapped((k, v), way.gives, way.gets, way)
        for rank in way.others:
            _put(whole, received[rank], way.gets[rank])
        return whole[0], whole[1]

    @staticmethod
    def backward(ctx: Any, dk: Tensor, dv: Tensor) -> tuple[Tensor, Tensor, None]:
        way: Route = ctx.way
        received = _swapped((dk, dv), way.gets, way.gives, way)
        own = [x[:, :, way.own] for x in (dk, dv)]
        for rank in way.others:
            _put(own, received[rank], way.gives[rank], add=True)
        return own[0], own[1], None


def _swapped(
    tensors: Sequence[Tensor], gives: Sequence[Rows], gets: Sequence[Rows], way: Route
) -> dict[int, Tensor]:
    """Sends rows of tensors to every rank, and gives what came from each."""
    sent = {rank: _taken(tensors, gives[rank]) for rank in way.others}
    found = {rank: tensors[0].new_empty(_size(tensors, gets[rank])) for rank in way.others}
    calls = [dist.P2POp(dist.irecv, found[r], way.peers[r], way.group) for r in _some(found)]
    calls += [dist.P2POp(dist.isend, sent[r], way.peers[r], way.group) for r in _some(sent)]
    try:
        for work in dist.batch_isend_irecv(calls) if calls else []:
            work.wait()
    except RuntimeError as error:
        ranks = ", ".join(map(str, sorted({*_some(found), *_some(sent)})))
        raise ExchangeError(
            f"rank {way.rank} waited for keys of ranks {ranks}, one of which ended or stalled: "
            f"{error}"
        ) from error
    COUNTED["bytes"] += sum(each.numel() * each.element_size() for each in sent.values())
    COUNTED["messages"] += len(_some(sent))
    return found


COUNTED = {"bytes": 0, "messages": 0}
"""What this process has sent since its start."""


def _some(buffers: dict[int, Tensor]) -> list[int]:
    return [rank for rank, each in buffers.items() if each.numel()]


def _size(tensors: Sequence[Tensor], rows: Rows) -> int:
    count = sum(map(len, rows))
    return sum(int(x.shape[0]) * count * int(x.shape[3]) for x in tensors)


def _taken(tensors: Sequence[Tensor], rows: Rows) -> Tensor:
    parts = [x[:, head, at].flatten() for x in tensors for head, at in enumerate(rows)]
    return torch.cat(parts)


def _put(tensors: Sequence[Tensor], flat: Tensor, rows: Rows, add: bool = False) -> None:
    """Writes what `_taken` made, or adds it."""
    first = 0
    for x in tensors:
        for head, at in enumerate(rows):
            shape = int(x.shape[0]), len(at), int(x.shape[3])
            part = flat[first : first + shape[0] * shape[1] * shape[2]].view(shape)
            first += part.numel()
            x[:, head, at] = x[:, head, at] + part if add else part
