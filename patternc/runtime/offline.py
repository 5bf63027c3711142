"""Kernels of a generated module compiled for a GPU that is not there.

From a module, a target, a dtype and a head size to what the compiled binaries use. The tools are
those of the triton wheel; the arguments are specialised as a launch with contiguous tensors would.
Non-goals: running kernels, choosing tiles.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

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
class Binary:
    """What one compiled kernel of a kind ("forward", "d_queries", "d_keys", ..) uses.

    Kinds "delta" and "collected" multiply no matrices; a kernel that takes pieces of long lines
    counts twice.
    `products` counts the instructions that multiply matrices, of `instructions` in all. `spills`
    counts the instructions that access local memory, on hip the registers kept there.
    """

    kernel: str
    kind: str
    registers: int
    spills: int
    shared_bytes: int
    tensor_core: str
    products: int
    instructions: int


def compile_offline(
    module: ModuleType,
    target: str,
    dtype: str = "bfloat16",
    head_dim: int = 64,
    known: set[str] | None = None,
) -> tuple[Binary, ...]:
    """Every distinct kernel of `module`, compiled for one of `TARGETS`; needs no GPU.

    Kernels whose text is `known` from other modules are left out, and new ones added to it.
    """
    import triton

    known = set() if known is None else known
    binaries = []
    for launch, sizes in _launches(module, target, dtype, head_dim):
        text = _text(launch, sizes)
        if text not in known:
            known.add(text)
            binaries.append(_compiled(launch, sizes, target, triton))
    return tuple(binaries)


def _text(launch: Any, sizes: Mapping[str, object]) -> str:
    """What makes a kernel: its source and that of the functions it calls, flags and sizes."""
    kernel, flags = launch.kernel, _flags(launch)
    called = [
        value.src
        for name, value in sorted(kernel.fn.__globals__.items())
        if name in kernel.src and name.startswith("_allowed_") and hasattr(value, "src")
    ]
    # Numbers in the names of kernels are those of a module.
    return re.sub(r"_\d+_kernel", "_kernel", "\n".join([kernel.src, *called, str((flags, sizes))]))


def _flags(launch: Any) -> tuple[bool, ...]:
    return tuple(argument for argument in launch.arguments if isinstance(argument, bool))


def _launches(
    module: ModuleType, target: str, dtype: str, head_dim: int
) -> list[tuple[Any, Mapping[str, object]]]:
    """Each distinct launch of a call and of its backward pass, and the compile-time sizes.

    Lines of two tiles count as long, or calls as short as this one would cut none in pieces.
    """
    import torch

    if hasattr(module, "_most_visits"):
        module._most_visits = lambda *lines: 1  # type: ignore[attr-defined]
    n, kind = 4 * module.QUERY_TILE, getattr(torch, dtype)
    q, k, v, inputs = module._sample_call(n, n, head_dim)
    q, k, v = (part.to(kind) for part in (q, k, v))
    moved = {name: module._moved(value, "cpu", kind) for name, value in inputs.items()}
    layers = range(module.LAYERS or 1)
    parts, rest = dict.fromkeys(layers, (q, k, v)), (0.125, 0.0, 0)
    for rows, layer in itertools.product(getattr(module, "_ROWS", ()), layers):
        own, *tokens, _ = module._sample_call(n, n, head_dim, rows=rows)
        parts[module._layer_of(rows, layer)] = tuple(part.to(kind) for part in (own, *tokens))
    found: dict[tuple[object, ...], Any] = {}
    every = (module._calls(*part, moved, layer, *rest) for layer, part in parts.items())
    for call in itertools.chain.from_iterable(every):
        out, lse = torch.zeros_like(call.q[0]), torch.zeros(call.q[0].shape[:3])
        totals = module._Totals.of(call, module._learnable(call))
        backward = module._backward_launches(call, out, lse, out, lse, totals)
        for launch in itertools.chain(module._launches(call, out, lse), backward):
            found.setdefault((launch.kernel.fn.__name__, *_flags(launch)), launch)
    sizes = kind, q.shape[3], v.shape[3], SHARED_MEMORY[target], TARGETS[target][0] == "hip"
    return [
        (launch, module._launch_sizes(*launch[3:], *sizes))
        for launch in found.values()
    ]


def _compiled(launch: Any, sizes: Mapping[str, object], target: str, triton: Any) -> Binary:
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    kernel = launch.kernel
    if not hasattr(kernel, "params"):
        raise RuntimeError("kernels loaded under TRITON_INTERPRET=1 cannot be compiled")
    names = [parameter.name for parameter in kernel.params]
    values = {
        **dict(zip(names, launch.arguments, strict=False)),
        **{k: sizes[k] for k in names if k in sizes},
    }
    signature, constants, attributes = _specialised(kernel.params, values)
    source = ASTSource(kernel, signature, constants, attributes)
    options = {name: value for name, value in sizes.items() if name not in names}
    compiled = triton.compile(source, target=GPUTarget(*TARGETS[target]), options=options)
    return _measured(kernel.fn.__name__, launch.kind, compiled, target)


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


def _measured(name: str, kind: str, compiled: Any, target: str) -> Binary:
    shared = int(compiled.metadata.shared)
    if target.startswith("gfx"):
        text = compiled.asm["amdgcn"]
        registers = int(_found(r"\.vgpr_count:\s+(\d+)", text))
        spills = int(_found(r"\.vgpr_spill_count:\s+(\d+)", text))
        products, lines = text.count("v_mfma"), len(re.findall(r"^\t[sv]_\w+", text, re.MULTILINE))
        unit = "MFMA" if products else ""
        return Binary(name, kind, registers, spills, shared, unit, products, lines)
    usage, code = _disassembled(compiled.asm["cubin"])
    registers = int(_found(r"REG:(\d+)", usage))
    spills = len(re.findall(r"\b(?:STL|LDL)\b", code))
    units = [unit for unit in ("HGMMA", "UTCHMMA", "HMMA") if unit in code]
    unit = units[0] if units else ""
    products, lines = code.count(unit) if unit else 0, len(re.findall(r"/\*[0-9a-f]{4,}\*/", code))
    return Binary(name, kind, registers, spills, shared, unit, products, lines)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"the tools of triton print no {pattern}")
    return match[1]


def _disassembled(binary: bytes) -> tuple[str, str]:
    """What cuobjdump says of a cubin: resource usage, machine code."""
    tool = next(_tools("cuobjdump"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(binary)
        usage, code = (
            subprocess.run([tool, option, path], capture_output=True, text=True, check=True).stdout
            for option in ("-res-usage", "-sass")
        )
    return usage, code


def _tools(name: str) -> Iterator[Path]:
    import triton

    yield from Path(triton.__file__).parent.glob(f"backends/nvidia/bin/{name}")
