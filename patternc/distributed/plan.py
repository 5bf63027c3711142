"""Plans: what each rank sends and receives for a layer, and in which way.

    needs of the heads, workload, placement -> rows by pair of ranks, bytes, messages, seconds

`keys` sends the keys and values that others' queries attend to, those of each key head by
themselves: a halo where they are intervals beside the shards, a set otherwise. `heads` exchanges
sequence for heads and back (Jacobs et al. 2023, "DeepSpeed Ulysses"), where each rank gets whole
heads. The cheaper of both in bytes is taken. Times are lower bounds: products at a device's peak,
bytes at its slower link. Does not send anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from patternc.algebra.intervals import Interval, Sizes, filter_of
from patternc.algebra.row_sums import summed
from patternc.algebra.simplify import TRUE
from patternc.algebra.work_budget import EffortError
from patternc.analysis.cost.layer_cost import FORWARD, LSE_BYTES, Workload
from patternc.analysis.cost.roofline import Device
from patternc.distributed.key_sets import Integers, KeySet, united
from patternc.distributed.needs import Needs, needs
from patternc.distributed.placement import Placement
from patternc.printed import Printed
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.tiling.key_runs import key_runs

FORMAT = "patternc.plan/1"
Way = Literal["nothing", "halo", "keys", "heads"]
# Sums over rows that are worth their time: runs of all heads times ends of pieces.
MOST_SUMS = 1 << 13


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """One layer: `received[r, s]` are rows of key heads that rank r gets from rank s.

    `keys` are those of each key head, by rank; with `way` "heads" they are not sent. `pairs` are
    those of the rows of each rank in all heads, None where no closed form tells them cheaply.
    Where there is a `bound`, rows that no query attends to may be sent as well.
    """

    way: Way
    reason: str
    bound: str
    keys: tuple[tuple[KeySet, ...], ...]
    received: Integers
    bytes_received: Integers
    messages: Integers
    pairs: Integers | None

    @property
    def bytes(self) -> int:
        """Of all ranks in the forward pass; the backward pass returns as many, the gradients."""
        return int(self.bytes_received.sum())

    @property
    def balance(self) -> float | None:
        """The pairs of the busiest rank over those of the mean one."""
        if self.pairs is None or not self.pairs.sum():
            return None
        return float(self.pairs.max() / self.pairs.mean())


@dataclass(frozen=True, repr=False)
class Plan(Printed):
    """The plan of all layers, by their numbers; equal layers are one plan."""

    printer: ClassVar[str] = "report.plan_text:text"

    title: str
    work: Workload
    placement: Placement
    device: Device | None
    layers: tuple[LayerPlan, ...]

    @property
    def ranks(self) -> int:
        return self.placement.ranks

    @cached_property
    def total_bytes(self) -> int:
        """Bytes of all layers and ranks in the forward pass."""
        return sum(layer.bytes for layer in self.layers)

    def seconds(self, layer: LayerPlan) -> tuple[float | None, float] | None:
        """The least time of the products and of the bytes of the busiest rank."""
        if self.device is None:
            return None
        pairs = None if layer.pairs is None else int(layer.pairs.max())
        products = None if pairs is None else 2 * FORWARD * pairs * self.work.head_dim
        peak = self.device.peak(self.work.dtype)
        sent = int(layer.bytes_received.max(initial=0))
        moving = sent / self.device.bytes_between(self.ranks)
        return None if products is None else products / peak, moving

    @property
    def bytes_of_all_keys(self) -> int:
        """Bytes where every rank gets all keys and values of all layers."""
        heads = sum(len(layer.keys) for layer in self.layers)
        return heads * (self.ranks - 1) * self.work.n * 2 * self.work.vector

    def document(self) -> Mapping[str, object]:
        """The plan as plain numbers, format "patternc.plan/1"."""
        work = self.work
        return {
            "format": FORMAT,
            "name": self.title,
            "n": work.n,
            "ranks": self.ranks,
            "placement": self.placement.kind,
            "device": self.device.name if self.device else None,
            "head_dim": work.head_dim,
            "dtype": work.dtype,
            "kv_heads": work.kv_heads,
            "layers": [self._layer(layer) for layer in self.layers],
            "bytes": self.total_bytes,
            "bytes_of_all_keys": self.bytes_of_all_keys,
        }

    def _layer(self, layer: LayerPlan) -> Mapping[str, object]:
        times = self.seconds(layer)
        return {
            "way": layer.way,
            "reason": layer.reason,
            "bound": layer.bound or None,
            "bytes_received": layer.bytes_received.tolist(),
            "messages": layer.messages.tolist(),
            "pairs": None if layer.pairs is None else layer.pairs.tolist(),
            "balance": layer.balance,
            "seconds": None if times is None else {"compute": times[0], "send": times[1]},
        }

    def json(self) -> str:
        return json.dumps(self.document(), indent=2) + "\n"


def layer_plan(
    relations: Sequence[Relation],
    tables: Sequence[HeadTables],
    work: Workload,
    placed: Placement,
    exchange_heads: bool = True,
) -> LayerPlan:
    """The plan of one layer; `exchange_heads` says whether whole heads may be exchanged."""
    every = needs_by_key_head(relations, tables, work.kv_heads, placed)
    bound = ", ".join(dict.fromkeys(each.reason for each in every if each.reason))
    keys = tuple(each.keys for each in every)
    received = sum(
        (_received(one, times, placed) for one, times in _counted(keys)),
        np.zeros((placed.ranks, placed.ranks), np.int64),
    )
    pairs = _pairs(relations, tables, placed)
    if exchange_heads and _heads_are_cheaper(received, len(relations), len(keys), work, placed):
        return _by_heads(len(relations), len(keys), keys, work, placed, pairs)
    way, reason = _way(keys, received, placed)
    bytes_received = received.sum(1) * 2 * work.vector
    messages = (received > 0).sum(1)
    return LayerPlan(way, reason, bound, keys, received, bytes_received, messages, pairs)


def _counted(keys: tuple[tuple[KeySet, ...], ...]) -> list[tuple[tuple[KeySet, ...], int]]:
    found: dict[tuple[KeySet, ...], int] = {}
    for one in keys:
        found[one] = found.get(one, 0) + 1
    return list(found.items())


def needs_by_key_head(
    relations: Sequence[Relation],
    tables: Sequence[HeadTables],
    kv_heads: int | None,
    placed: Placement,
) -> list[Needs]:
    """What the query heads that share a key head ask of others."""
    count = kv_heads or len(relations)
    if len(relations) % count:
        raise ValueError(f"{len(relations)} heads are no multiple of {count} key heads")
    share = len(relations) // count
    alone: dict[Relation, Needs] = {}
    every = [_of_head(one, own, placed, alone) for one, own in zip(relations, tables, strict=True)]
    return [_shared(every[at : at + share], placed) for at in range(0, len(every), share)]


def _of_head(
    relation: Relation, tables: HeadTables, placed: Placement, alone: dict[Relation, Needs]
) -> Needs:
    """Heads without tables of their own ask for the same where their relations are equal."""
    if any(branch.conjuncts for branch in relation.branches):
        return needs(relation, tables, placed)
    if relation not in alone:
        alone[relation] = needs(relation, tables, placed)
    return alone[relation]


def _shared(found: Sequence[Needs], placed: Placement) -> Needs:
    distinct = list(dict.fromkeys(found))
    if len(distinct) == 1:
        return distinct[0]
    reasons = dict.fromkeys(each.reason for each in distinct if each.reason)
    keys = (united(each.keys[rank] for each in distinct) for rank in range(placed.ranks))
    return Needs(tuple(keys), ", ".join(reasons))


def _received(keys: Sequence[KeySet], times: int, placed: Placement) -> Integers:
    return np.stack([placed.counts(each) for each in keys]) * times


# --- ways -------------------------------------------------------------------------------------


def _way(
    keys: Sequence[Sequence[KeySet]], received: Integers, placed: Placement
) -> tuple[Way, str]:
    if not received.any():
        return "nothing", "every query attends to keys of its own shard alone"
    few = (received > 0).sum(1).max() <= 2
    if few and placed.kind in ("contiguous", "documents") and _are_halos(keys, placed):
        return "halo", "the keys beyond a shard are an interval at its ends"
    most = len(keys) * (placed.n - np.asarray([rows.count for rows in placed.rows]))
    share = received.sum() / max(int(most.sum()), 1)
    return "keys", f"{share:.2%} of the other shards' keys are attended to"


def _are_halos(keys: Sequence[Sequence[KeySet]], placed: Placement) -> bool:
    bounds = placed.bounds
    return all(
        piece.period == 1 and (piece.stop == bounds[rank] or piece.start == bounds[rank + 1])
        for head in dict.fromkeys(map(tuple, keys))
        for rank, own in enumerate(head)
        for piece in own.pieces
    )


def _head_bytes(heads: int, key_heads: int, work: Workload, placed: Placement) -> Integers:
    """Bytes that each rank gets: q, k and v of its heads from all, then its rows of the output."""
    rows = np.asarray([own.count for own in placed.rows], np.int64)
    each, keys = heads // placed.ranks, key_heads // placed.ranks
    there = (placed.n - rows) * (each + 2 * keys) * work.vector
    back = rows * (heads - each) * (work.vector + LSE_BYTES)
    return there + back


def _heads_are_cheaper(
    received: Integers, heads: int, key_heads: int, work: Workload, placed: Placement
) -> bool:
    if heads % placed.ranks or key_heads % placed.ranks or placed.ranks == 1:
        return False
    other = _head_bytes(heads, key_heads, work, placed).sum()
    return bool(other < received.sum() * 2 * work.vector)


def _by_heads(
    heads: int,
    key_heads: int,
    keys: tuple[tuple[KeySet, ...], ...],
    work: Workload,
    placed: Placement,
    pairs: Integers | None,
) -> LayerPlan:
    moved = _head_bytes(heads, key_heads, work, placed)
    there = np.where(moved > 0, 2 * (placed.ranks - 1), 0)
    reason = "whole heads of all rows are fewer bytes than the keys that are attended to"
    none = np.zeros((placed.ranks, placed.ranks), np.int64)
    total = None if pairs is None else np.full(placed.ranks, pairs.sum() // placed.ranks)
    return LayerPlan("heads", reason, "", keys, none, moved, there, total)


# --- work -------------------------------------------------------------------------------------


def _pairs(
    relations: Sequence[Relation], tables: Sequence[HeadTables], placed: Placement
) -> Integers | None:
    """The pairs of each rank's rows, from the closed runs of rows."""
    if placed.kind == "striped":
        return None
    counted: dict[tuple[Interval, Sizes], int] = {}
    for relation, own in zip(relations, tables, strict=True):
        for branch in relation.branches:
            runs = None if branch.conjuncts else key_runs(branch.formula, branch.keys)
            if runs is None or any(filter_of(run) != TRUE for run in runs):
                return None
            sizes = own.of(branch.source).sizes
            for run in runs:
                counted[run, sizes] = counted.get((run, sizes), 0) + branch.multiplicity
    if len(counted) * len(placed.bounds) > MOST_SUMS:
        return None
    found = np.zeros(placed.ranks, np.int64)
    with suppress(EffortError):
        for (run, sizes), times in counted.items():
            below = [summed(run, bound, sizes) if bound else 0 for bound in placed.bounds]
            np.add.at(found, np.asarray(placed.owners), times * np.diff(below))
        return found
    return None
