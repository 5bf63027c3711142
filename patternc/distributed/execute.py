"""Attention over a sequence that is divided among ranks, forward and backward.

    q, k, v of a shard -> agreement -> exchange of the planned keys -> `Pattern.attention`

Each rank computes its own rows, with the masks of the whole sequence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from patternc.algebra.atoms import InRow, ListedTable
from patternc.algebra.walk import atoms_of
from patternc.distributed.agreement import agreed_rows, facts_of
from patternc.distributed.exchange import Route, gathered, route
from patternc.distributed.key_sets import KeySet, united
from patternc.distributed.placement import Placement, placement
from patternc.distributed.plan import needs_by_key_head
from patternc.ir.sources import Stream, Tree
from patternc.queries.arguments import arrays, batch_of, inputs_of_element
from patternc.relation.relation import Relation

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

    from patternc.pattern import Pattern
    from patternc.runtime.call import Backend

Keys = tuple[tuple[KeySet, ...], ...]

# Arguments of `Pattern.attention` that would mean something else for the rows of a shard.
_REFUSED = (
    "cache_lengths",
    "dropout",
    "heads",
    "key_padding",
    "positions",
    "return_lse",
    "return_weights",
    "seed",
    "start",
)


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    pattern: Pattern,
    *,
    mesh: DeviceMesh | None = None,
    group: dist.ProcessGroup | None = None,
    rows: str = "contiguous",
    layer: int = 0,
    scale: float | None = None,
    backend: Backend = "auto",
    **inputs: Any,
) -> Tensor:
    """Attention of a pattern where each rank holds some rows of the sequence.

    q [batch, heads, rows, head_dim], k and v [batch, kv_heads, rows, head_dim] are the rows of this
    rank; returns its rows of the output. `rows` says which they are: "contiguous" (shards of any
    sizes, one after the other), "head_tail" or "striped", as `Pattern.plan` describes. Run-time
    inputs are those of the whole sequence, the same on all ranks. Every rank of the `group` (of a
    `mesh` of one dimension; all processes where neither is given) calls it, and its backward
    pass. Keys and values that a rank's queries attend to are sent to it, and no others.

    Outputs and gradients are those of one process, to the order of sums; gradients of inputs that
    all ranks have, such as biases, are those of the rank's rows: add them up. Raises
    `DisagreementError` where ranks differ in pattern, dtype, shapes, inputs or version,
    `ExchangeError` where one does not answer within the timeout of the group, `ValueError` for
    patterns with searches, trees or streams, which have no division yet, and for arguments of
    `Pattern.attention` that are not divided either, such as `dropout`.
    """
    among = _group(mesh, group)
    _verify(pattern, layer, inputs)
    options = {"layer": layer, "scale": scale, "placement": rows, "backend": backend}
    same = {name: value for name, value in inputs.items() if name in _named(pattern)}
    counts = agreed_rows(facts_of((q, k, v), pattern, options, same), q.shape[2], among)
    placed = _placed(rows, tuple(counts))
    rank = dist.get_rank(among)
    keys = _keys(pattern, placed, layer, int(k.shape[1]), int(q.shape[0]), same)
    way = route(keys, placed, rank, among, q.device)
    whole = gathered(k, v, way)
    own = {name: inputs[name] for name in _projections(pattern) if name in inputs}
    inputs |= {name: (each[0], *gathered(each[1], each[2], way)) for name, each in own.items()}
    rest = {"layer": layer, "scale": scale, "backend": backend, **inputs}
    return _rows_of(pattern, q, whole, placed, way, rest)


def _named(pattern: Pattern) -> list[str]:
    """Inputs that decide which keys are attended to."""
    return [item.name for item in pattern.inputs if item.decides]


def _projections(pattern: Pattern) -> list[str]:
    """Inputs that are queries, keys and values of their own, divided as q, k and v are."""
    return [item.name for item in pattern.inputs if item.role == "projection"]


def _group(mesh: DeviceMesh | None, group: dist.ProcessGroup | None) -> dist.ProcessGroup | None:
    if mesh is None:
        return group
    if group is not None:
        raise ValueError("mesh= and group= are both given; a mesh of one dimension is a group")
    if mesh.ndim != 1:
        raise ValueError(
            f"mesh has {mesh.ndim} dimensions; pass the one of the sequence: mesh['sequence']"
        )
    return mesh.get_group()


def _verify(pattern: Pattern, layer: int, inputs: Mapping[str, Any]) -> None:
    """Refuses what the rows of one shard cannot compute by themselves."""
    refused = [f"{name}=" for name in _REFUSED if name in inputs]
    if refused:
        raise ValueError(
            f"attention over ranks takes no {', '.join(refused)}; it would not be that of one "
            "process. Documents and padding are labels: same(document)"
        )
    relations = pattern.relations(layer)
    problem = _searches(relations) or _sources(relations)
    if problem:
        raise ValueError(
            f"{problem} cannot be divided among ranks; gather k and v and call Pattern.attention "
            "with start=, the first row of the shard"
        )


def _searches(relations: Sequence[Relation]) -> str:
    branches = (branch for each in relations for branch in each.branches)
    atoms = (atom for branch in branches for atom in atoms_of(branch.predicate))
    tables = (atom.table for atom in atoms if isinstance(atom, InRow))
    found = any(isinstance(table, ListedTable) and table.found for table in tables)
    return "a pattern with a search" if found else ""


def _sources(relations: Sequence[Relation]) -> str:
    sources = (branch.source for each in relations for branch in each.branches)
    found = any(isinstance(source, Stream | Tree) for source in sources)
    return "a pattern with a stream or a tree" if found else ""


def _placed(rows: str, counts: tuple[int, ...]) -> Placement:
    n, ranks = sum(counts), len(counts)
    found = placement(rows, n, ranks)
    if tuple(map(len, map(found.positions, range(ranks)))) == counts:
        return found
    if rows != "contiguous":
        expected = [len(found.positions(rank)) for rank in range(ranks)]
        raise ValueError(f"rows={rows!r} has {expected} rows on the ranks, but got {list(counts)}")
    bounds = np.cumsum([0, *counts]).tolist()
    return Placement("documents", n, ranks, 0, tuple(bounds), tuple(range(ranks)))


def _keys(
    pattern: Pattern,
    placed: Placement,
    layer: int,
    key_heads: int,
    batch: int,
    inputs: Mapping[str, Any],
) -> Keys:
    """The keys of each key head, by rank; programs without inputs are planned once."""
    given = {name: _on_host(value) for name, value in inputs.items()}
    if given:
        return _planned(pattern, placed, layer, key_heads, batch, given)
    known = str(pattern), placed, layer, key_heads
    if known not in _KNOWN:
        if len(_KNOWN) == _MOST_KNOWN:
            del _KNOWN[next(iter(_KNOWN))]
        _KNOWN[known] = _planned(pattern, placed, layer, key_heads, 1, {})
    return _KNOWN[known]


# Plans of programs without inputs; the oldest makes room.
_KNOWN: dict[tuple[str, Placement, int, int], Keys] = {}
_MOST_KNOWN = 256


def _planned(
    pattern: Pattern,
    placed: Placement,
    layer: int,
    key_heads: int,
    batch: int,
    inputs: Mapping[str, Any],
) -> Keys:
    """The keys that any element of the batch asks for."""
    every = [
        _of_element(pattern, placed, layer, key_heads, each)
        for each in _elements(pattern, batch, inputs)
    ]
    if len(every) == 1:
        return every[0]
    heads = zip(*every, strict=True)
    return tuple(tuple(map(united, zip(*same, strict=True))) for same in heads)


def _elements(pattern: Pattern, batch: int, inputs: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The inputs of each element of a batch; one where all have the same."""
    if batch_of(arrays(inputs, pattern.inputs), pattern.inputs) == 1:
        return [inputs]
    return [inputs_of_element(inputs, pattern.inputs, element) for element in range(batch)]


def _of_element(
    pattern: Pattern, placed: Placement, layer: int, key_heads: int, inputs: Mapping[str, Any]
) -> Keys:
    tables = pattern.head_tables(placed.n, layer, **inputs)
    relations = pattern.all_relations(layer, len(tables))[: len(tables)]
    heads = key_heads if len(tables) > 1 else 1
    found = needs_by_key_head(relations, tables, heads, placed)
    keys = tuple(each.keys for each in found)
    return keys if len(keys) == key_heads else keys * key_heads


def _on_host(value: Any) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else value


def _rows_of(
    pattern: Pattern,
    q: Tensor,
    whole: tuple[Tensor, Tensor],
    placed: Placement,
    way: Route,
    rest: Mapping[str, Any],
) -> Tensor:
    """The attention of the rank's rows: a call for each run of them."""
    k, v = whole
    own = _projections(pattern)
    first, parts = 0, []
    for run in placed.runs(way.rank):
        rows = slice(first, first + len(run))
        first += len(run)
        if not len(run):
            continue
        cut = {name: (x[0][:, :, rows], *x[1:]) for name, x in rest.items() if name in own}
        where = {"start": run.start} if run.step == 1 else {"positions": way.own}
        parts.append(pattern.attention(q[:, :, rows], k, v, **{**rest, **where, **cut}))
    if parts:
        return torch.cat(parts, 2) if len(parts) > 1 else parts[0]
    # A rank without rows takes part in the backward pass of the others.
    return q.new_zeros(*q.shape[:3], v.shape[3]) + 0 * (q.sum() + k.sum() + v.sum())
