"""Kernels of a generated module compiled for a GPU that is not there.

Maps a module, a target, a dtype and a head size to what the compiled binaries use. The tools are
those of the triton wheel; the arguments are specialised as a launch with contiguous tensors would.
Does not run kernels or choose tile sizes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from patternc.runtime.cubin_stats import CubinStats, measured
from patternc.runtime.kernel_launches import launches_of

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
    memory, is_hip = SHARED_MEMORY[target], TARGETS[target][0] == "hip"
    launches = launches_of(module, memory, is_hip, dtype, head_dim)
    every = (_variant(*found) for found in launches)
    return tuple({variant.text: variant for variant in every}.values())


def compiled(found: Sequence[Variant], target: str) -> tuple[CubinStats, ...]:
    """What the binaries of kernels use; they are compiled for the target first."""
    kernels = [(item.launch.kernel.fn.__name__, item.kind, binary(item, target)) for item in found]
    return measured(kernels, target) if kernels else ()


def binary(item: Variant, target: str) -> Any:
    """A kernel as triton compiles it for the target."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    source = ASTSource(item.launch.kernel, item.signature, item.constants, item.attributes)
    return triton.compile(source, target=GPUTarget(*TARGETS[target]), options=item.options)


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
