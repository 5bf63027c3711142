"""Kernels of a generated module compiled for a GPU that is not there.

Maps a module, a target, a dtype and a head size to what the compiled binaries use. The tools are
those of the triton wheel; the arguments are specialised as a launch with contiguous tensors would.
Does not run kernels or choose tile sizes.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from unittest.mock import patch

from patternc.runtime.cubin_stats import CubinStats, measured
from patternc.runtime.paged_launches import paged_launches
from patternc.runtime.selftest import with_self_test

TARGETS = {
    "sm_80": ("cuda", 80, 32),
    "sm_90": ("cuda", 90, 32),
    "sm_100": ("cuda", 100, 32),
    "gfx942": ("hip", "gfx942", 64),
}
# Bytes that one program may have.
SHARED_MEMORY = {"sm_80": 163 << 10, "sm_90": 227 << 10, "sm_100": 227 << 10, "gfx942": 64 << 10}
_POINTERS = {
    "bfloat16": "*bf16",
    "float16": "*fp16",
    "float32": "*fp32",
    "int32": "*i32",
    "int64": "*i64",
    "uint8": "*u8",
}


@dataclass(frozen=True, slots=True)
class Variant:
    """A kernel with what is known of its arguments when it is compiled.

    `text` holds all of that: kernels of equal text compile to equal binaries.
    """

    launch: Any
    signature: Mapping[str, str]
    constants: Mapping[str, object]
    attributes: Mapping[tuple[int], list[list[object]]]
    options: Mapping[str, object]
    text: str

    @property
    def kind(self) -> str:
        return str(self.launch.kind)


def compile_offline(
    module: ModuleType,
    target: str,
    dtype: str = "bfloat16",
    head_dim: int = 64,
    known: set[str] | None = None,
) -> tuple[CubinStats, ...]:
    """Every distinct kernel of `module`, compiled for one of `TARGETS`; needs no GPU.

    Kernels whose text is `known` from other modules are left out, and new ones added to it.
    """
    known = set() if known is None else known
    found = [
        variant
        for variant in variants(module, target, dtype, head_dim)
        if variant.text not in known
    ]
    known.update(variant.text for variant in found)
    return compiled(found, target)


def variants(
    module: ModuleType, target: str, dtype: str = "bfloat16", head_dim: int = 64
) -> tuple[Variant, ...]:
    """The distinct kernels of `module`, none of them compiled yet."""
    every = (_variant(*found) for found in _launches(module, target, dtype, head_dim))
    return tuple({variant.text: variant for variant in every}.values())


def compiled(found: Sequence[Variant], target: str) -> tuple[CubinStats, ...]:
    """What the binaries of kernels use; they are compiled for the target first."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    kernels = []
    for item in found:
        kernel = item.launch.kernel
        source = ASTSource(kernel, item.signature, item.constants, item.attributes)
        done = triton.compile(source, target=GPUTarget(*TARGETS[target]), options=item.options)
        kernels.append((kernel.fn.__name__, item.kind, done))
    return measured(kernels, target) if kernels else ()


def _variant(launch: Any, sizes: Mapping[str, object]) -> Variant:
    kernel = launch.kernel
    if not hasattr(kernel, "params"):
        raise RuntimeError("kernels loaded under TRITON_INTERPRET=1 cannot be compiled")
    names = [parameter.name for parameter in kernel.params]
    values = {
        **dict(zip(names, launch.arguments, strict=False)),
        **{k: sizes[k] for k in names if k in sizes},
    }
    options = {name: value for name, value in sizes.items() if name not in names}
    specialised = _specialised(kernel.params, values)
    # Numbers in the names of functions are those of a module.
    text = re.sub(r"(_\w+?)_\d+(_kernel)?\b(?=\()", r"\1", _source(kernel))
    text = "\n".join([text, str(specialised), str(sorted(options.items()))])
    return Variant(launch, *specialised, options, text)


def _source(kernel: Any) -> str:
    """The text of a kernel and of all functions that it calls."""
    found, waiting = {}, [kernel]
    while waiting:
        function = waiting.pop()
        found[id(function)] = function.src
        called = (function.fn.__globals__.get(word) for word in re.findall(r"\w+", function.src))
        jitted = (value for value in called if hasattr(value, "src"))
        waiting += {id(value): value for value in jitted if id(value) not in found}.values()
    return "\n".join(found.values())


def _kinds(launch: Any) -> tuple[object, ...]:
    """The flags of a launch and the data types of its tensors."""
    return tuple(
        argument if isinstance(argument, bool) else argument.dtype
        for argument in launch.arguments
        if isinstance(argument, bool) or hasattr(argument, "dtype")
    )


def _launches(
    module: ModuleType, target: str, dtype: str, head_dim: int
) -> list[tuple[Any, Mapping[str, object]]]:
    """Each distinct launch of a call and of its backward pass, and the compile-time sizes.

    Lines of two tiles count as long meanwhile, or so short a call would cut none in pieces.
    """
    if hasattr(module, "paged_attention"):
        return paged_launches(module, dtype, head_dim)
    cuts = hasattr(module, "_limits")
    rule = patch.object(module, "_limits", lambda *lines: (1, 1)) if cuts else nullcontext()
    with rule:
        return _distinct_launches(module, target, dtype, head_dim)


def _distinct_launches(
    module: ModuleType, target: str, dtype: str, head_dim: int
) -> list[tuple[Any, Mapping[str, object]]]:
    import torch

    n, kind = 4 * module.QUERY_TILE, getattr(torch, dtype)
    q, k, v, inputs = with_self_test(module)._sample_call(n, n, head_dim)
    q, k, v = (part.to(kind) for part in (q, k, v))
    moved = {name: module._moved(value, "cpu", kind) for name, value in inputs.items()}
    layers = _typical_layers(module)
    parts, rest = dict.fromkeys(layers, (q, k, v)), (0.125, 0.0, 0)
    for rows, layer in itertools.product(getattr(module, "_ROWS", ()), layers):
        own, *tokens, _ = module._sample_call(n, n, head_dim, rows=rows)
        parts[module._layer_of(rows, layer)] = tuple(part.to(kind) for part in (own, *tokens))
    takes_tables = "tables" in inspect.signature(module._backward_launches).parameters
    found: dict[tuple[object, ...], Any] = {}
    every = (module._calls(*part, moved, layer, *rest) for layer, part in parts.items())
    for call in itertools.chain.from_iterable(every):
        out, lse = torch.zeros_like(call.q[0]), torch.zeros(call.q[0].shape[:3])
        learned = [bool(table.inputs) for table in getattr(module, "_SCORE_TABLES", ())]
        tables = [module._table_total(number, call, held) for number, held in enumerate(learned)]
        gradients = module._sums(call), *([tables] if takes_tables else [])
        backward = module._backward_launches(call, out, lse, out, lse, *gradients)
        for launch in itertools.chain(module._launches(call, out, lse), backward):
            found.setdefault((launch.kernel.fn.__name__, launch.kind, *_kinds(launch)), launch)
    sizes = kind, q.shape[3], v.shape[3], SHARED_MEMORY[target], TARGETS[target][0] == "hip"
    known = [(launch, module._launch_sizes(*launch[3:], *sizes)) for launch in found.values()]
    return [*known, *_scans(module, layers, q, sizes[-1])]


def _scans(
    module: ModuleType, layers: Sequence[int], q: Any, hip: bool
) -> Iterator[tuple[Any, Mapping[str, object]]]:
    """The launches of the causal sums of feature maps, and of their gradients."""
    if not hasattr(module, "_scan_launches"):
        return
    every = (launch.features for layer in layers for launch, _ in module._featured(layer, q))
    head_dim = q.shape[3]
    for features in dict.fromkeys(each for each in every if each.causal):
        keys, values = (
            q.new_empty(*q.shape[:3], width).float()
            for width in (features.count or head_dim, head_dim + 1)
        )
        logs = keys[..., 0] if features.gate else keys.new_empty(0)
        for reverse, parts in itertools.product((False, True), ((keys, values), (values, keys))):
            key, value = parts
            yield from module._scan_launches(key, key, value, logs, value, reverse, hip)


def _typical_layers(module: ModuleType) -> list[int]:
    """One layer of each kind: equal layers differ in what is drawn, not in their kernels."""
    kinds = module._GROUP_OF_LAYER[: module.LAYERS or 1]
    return sorted({kind: layer for layer, kind in enumerate(kinds)}.values())


def _specialised(
    parameters: Sequence[Any], values: Mapping[str, object]
) -> tuple[dict[str, str], dict[str, object], dict[tuple[int], list[list[object]]]]:
    """Types, compile-time values, and what is known to be divisible by 16."""
    signature, constants, attributes = {}, {}, {}
    for place, parameter in enumerate(parameters):
        value = values[parameter.name]
        is_one = isinstance(value, int) and value == 1 and not parameter.do_not_specialize
        if parameter.is_constexpr or is_one:
            signature[parameter.name], constants[parameter.name] = "constexpr", value
            continue
        signature[parameter.name] = _type_of(value)
        if not parameter.do_not_specialize and _is_divisible(value):
            attributes[(place,)] = [["tt.divisibility", 16]]
    return signature, constants, attributes


def _type_of(value: Any) -> str:
    match value:
        case int():
            return "i32" if abs(value) < 2**31 else "i64"
        case float():
            return "fp32"
        case _:
            return _POINTERS[str(value.dtype).removeprefix("torch.")]


def _is_divisible(value: object) -> bool:
    match value:
        case int():
            return value % 16 == 0
        case float():
            return False
        case _:
            return True
