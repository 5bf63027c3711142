"""What a generated module launches for a short call, to be compiled without a GPU.

Maps a module, a target's memory, a dtype and a head size to launches with their compile-time sizes.
Reads names inside of the generated text, as `generated` does. Does not launch anything.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch

from patternc.runtime.selftest import with_self_test

HEADS, KEY_HEADS, SEQUENCES, PAGES = 8, 2, 4, 8
Launch = tuple[Any, Mapping[str, object]]


def launches_of(
    module: ModuleType, shared_memory: int, is_hip: bool, dtype: str, head_dim: int
) -> list[Launch]:
    """Each distinct launch of a call and of its backward pass, and the compile-time sizes.

    Lines of two tiles count as long meanwhile, or so short a call would cut none in pieces.
    """
    kind = getattr(torch, dtype)
    if hasattr(module, "paged_attention"):
        return _paged(module, kind, head_dim)
    cuts = hasattr(module, "_limits")
    rule = patch.object(module, "_limits", lambda *lines: (1, 1)) if cuts else nullcontext()
    with rule:
        found: dict[tuple[object, ...], Any] = {}
        every = _every(module, kind, head_dim)
        for launch in itertools.chain.from_iterable(map(_of_any_length, every)):
            found.setdefault((launch.kernel.fn.__name__, launch.kind, *_kinds(launch)), launch)
        sizes = kind, head_dim, head_dim, shared_memory, is_hip
        known = [(each, module._launch_sizes(*each[3:], *sizes)) for each in found.values()]
        return [*known, *_scans(module, kind, head_dim, is_hip)]


def _of_any_length(launch: Any) -> Iterator[Any]:
    """A launch, and the one that is made where the last tile of queries is cut."""
    yield launch
    names = [parameter.name for parameter in launch.kernel.params]
    if "CUT" in names and not launch.arguments[names.index("CUT")]:
        arguments = list(launch.arguments)
        arguments[names.index("CUT")] = True
        yield launch._replace(arguments=arguments)


def _kinds(launch: Any) -> tuple[object, ...]:
    """The flags of a launch and the data types of its tensors."""
    return tuple(
        argument if isinstance(argument, bool) else argument.dtype
        for argument in launch.arguments
        if isinstance(argument, bool) or hasattr(argument, "dtype")
    )


def _every(module: ModuleType, kind: torch.dtype, head_dim: int) -> Iterator[Any]:
    takes_tables = "tables" in inspect.signature(module._backward_launches).parameters
    for call in _calls(module, kind, head_dim):
        out, lse = torch.zeros_like(call.q[0]), torch.zeros(call.q[0].shape[:3])
        learned = [table.learned for table in getattr(module, "_SCORE_TABLES", ())]
        tables = [module._table_total(number, call, held) for number, held in enumerate(learned)]
        gradients = module._sums(call), *([tables] if takes_tables else [])
        yield from module._launches(call, out, lse)
        yield from module._backward_launches(call, out, lse, out, lse, *gradients)


def _calls(module: ModuleType, kind: torch.dtype, head_dim: int) -> Iterator[Any]:
    """The calls of one layer of each kind, and of other rows."""
    n = 4 * module.QUERY_TILE
    q, k, v, inputs = with_self_test(module)._sample_call(n, n, head_dim)
    moved = {name: module._moved(value, "cpu", kind) for name, value in inputs.items()}
    if hasattr(module, "_by_role"):
        moved = {
            name: module._by_role(module.INPUTS[name][0], name, value, *q.shape[:2], q.device)
            for name, value in moved.items()
        }
    layers = _typical_layers(module)
    parts = dict.fromkeys(layers, tuple(part.to(kind) for part in (q, k, v)))
    for rows, layer in itertools.product(getattr(module, "_ROWS", ()), layers):
        own, *tokens, _ = module._sample_call(n, n, head_dim, rows=rows)
        parts[module._layer_of(rows, layer)] = tuple(part.to(kind) for part in (own, *tokens))
    for layer, part in parts.items():
        yield from module._calls(*part, moved, layer, 0.125)


def _scans(module: ModuleType, kind: torch.dtype, head_dim: int, is_hip: bool) -> Iterator[Launch]:
    """The launches of the causal sums of feature maps, and of their gradients."""
    if not hasattr(module, "_scan_launches"):
        return
    q = with_self_test(module)._sample_call(*[4 * module.QUERY_TILE] * 2, head_dim)[0].to(kind)
    layers = _typical_layers(module)
    every = (launch.features for layer in layers for launch, _ in module._featured(layer, q))
    for features in dict.fromkeys(each for each in every if each.causal):
        keys, values = (
            q.new_empty(*q.shape[:3], width).float()
            for width in (features.count or head_dim, head_dim + 1)
        )
        logs = keys[..., 0] if features.gate else keys.new_empty(0)
        for reverse, parts in itertools.product((False, True), ((keys, values), (values, keys))):
            key, value = parts
            yield from module._scan_launches(key, key, value, logs, value, reverse, is_hip)


def _typical_layers(module: ModuleType) -> list[int]:
    """One layer of each kind: equal layers differ in what is drawn, not in their kernels."""
    kinds = module._GROUP_OF_LAYER[: module.LAYERS or 1]
    return sorted({kind: layer for layer, kind in enumerate(kinds)}.values())


def _paged(module: ModuleType, kind: torch.dtype, head_dim: int) -> list[Launch]:
    """Of the paged backend: each launch of every distinct layer, and the one that merges."""
    heads = module.HEADS or HEADS
    q = torch.zeros(SEQUENCES, heads, head_dim, dtype=kind)
    shape = PAGES, module.PAGE, KEY_HEADS if heads % KEY_HEADS == 0 else 1, head_dim
    k, v = (torch.zeros(shape, dtype=kind) for _ in range(2))
    starts, lengths = (torch.zeros(SEQUENCES + more, dtype=torch.int32) for more in (1, 0))
    call = q, k, v, starts, lengths, torch.zeros(SEQUENCES, PAGES, dtype=torch.int32)
    partial = torch.zeros(SEQUENCES, heads, 2, head_dim)
    weights = torch.zeros(SEQUENCES, heads, 2)
    found = [
        module._launch(branch, call, partial, weights, 0.125, 2, (0, heads))
        for layer in module._LAYERS
        for branch in layer.branches
    ]
    found.append(module._merge_launch(partial, weights, weights, q, weights[..., 0]))
    return [(launch, launch.sizes) for launch in found]
