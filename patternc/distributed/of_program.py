"""The plan of a program: `Pattern.plan`, with its arguments checked."""

from __future__ import annotations

from collections.abc import Sequence

from patternc.algebra.work_budget import allowance
from patternc.analysis.cost.layer_cost import Workload
from patternc.analysis.cost.roofline import Device, devices
from patternc.distributed.placement import KINDS, Placement, placement
from patternc.distributed.plan import LayerPlan, Plan, layer_plan
from patternc.frontend import Frontend
from patternc.ir.sources import TOKENS
from patternc.queries.arguments import data_type, layers_looked_at, tokens, whole
from patternc.queries.call import Inputs, Slots, stack
from patternc.queries.sizes import fixed
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables

MOST_RANKS = 1 << 16


def plan_of(
    frontend: Frontend,
    n: int,
    ranks: int,
    where: str | Placement,
    device: str | None,
    layers: int | None,
    head_dim: int,
    dtype: object,
    kv_heads: int | None,
    document_lengths: Sequence[int] | None,
    slots: Slots,
    title: str,
    inputs: Inputs,
    exchange_heads: bool = True,
) -> Plan:
    """What `Pattern.plan` gives."""
    n, ranks = tokens(n), _ranks(ranks)
    work = Workload(
        n,
        whole("head_dim", head_dim, 1),
        data_type(dtype) or "bfloat16",
        None if kv_heads is None else whole("kv_heads", kv_heads, 1),
    )
    placed = placement(where, n, ranks, document_lengths) if isinstance(where, str) else where
    frontend, inputs = fixed(frontend, inputs, "a plan")
    count = layers_looked_at(layers, frontend.program.layers)
    each, tables = stack(frontend, n, count, {"encoder": n, **(slots or {})}, inputs)
    with allowance():
        known = _layers(each, tables, work, placed, exchange_heads)
    plans = tuple(known[layer % len(known)] for layer in range(count))
    return Plan(title, work, placed, _device(device), plans)


def _layers(
    each: Sequence[Sequence[Relation]],
    tables: Sequence[Sequence[HeadTables]],
    work: Workload,
    placed: Placement,
    exchange_heads: bool,
) -> list[LayerPlan]:
    """Layers of equal relations without tables share one plan."""
    found: list[LayerPlan] = []
    alone: dict[tuple[Relation, ...], LayerPlan] = {}
    for relations, own in zip(each, tables, strict=True):
        heads = tuple(one for one in relations if one.rows == TOKENS)[: len(own)]
        plain = not any(branch.conjuncts for head in heads for branch in head.branches)
        made = alone.get(heads) if plain else None
        made = made or layer_plan(heads, own, work, placed, exchange_heads)
        alone[heads] = made
        found.append(made)
    return found


def _ranks(ranks: object) -> int:
    number = whole("ranks", ranks, 1)
    if number > MOST_RANKS:
        raise ValueError(f"ranks is {number}; expected at most {MOST_RANKS:,}")
    return number


def _device(name: str | None) -> Device | None:
    if name is None:
        return None
    known = {device.name.lower(): device for device in devices()}
    if name.lower() not in known:
        raise ValueError(f"device is {name!r}; expected one of {', '.join(sorted(known))}")
    return known[name.lower()]


__all__ = ["KINDS", "plan_of"]
