"""What compiled kernels use, read from their binaries.

Maps kernels compiled by triton to counts of registers, spills, shared memory and instructions. The
code of many cubins is disassembled at once: the tool takes longer to start than to do that. Does
not compile or run anything.
"""

from __future__ import annotations

import itertools
import re
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_INSTRUCTION_BYTES = 16
# Instructions of tensor cores, the best first.
_UNITS = ("HGMMA", "UTCHMMA", "HMMA")
_ARCHITECTURES = {"sm_80": "SM80", "sm_90": "SM90a", "sm_100": "SM100a"}


@dataclass(frozen=True, slots=True)
class CubinStats:
    """What one compiled kernel of a kind ("forward", "d_queries", "d_keys", ..) uses.

    Kinds "delta" and "collected.." multiply no matrices. A kernel that takes pieces of long lines
    too counts twice. `products` counts the instructions that multiply matrices, of `instructions`
    in all. `spills` counts the instructions that access local memory, on hip the registers kept
    there; `waits` those that begin or await Hopper's asynchronous products: more of them than
    `products` tell of a compiler that found each product to depend on the one before it.
    """

    kernel: str
    kind: str
    registers: int
    spills: int
    shared_bytes: int
    tensor_core: str
    products: int
    instructions: int
    waits: int = 0

    @property
    def in_turn(self) -> bool:
        """Does each product wait for the one before it?"""
        return self.waits > self.products


def measured(kernels: Sequence[tuple[str, str, Any]], target: str) -> tuple[CubinStats, ...]:
    """What kernels (name, kind, compiled) for one target use."""
    if target.startswith("gfx"):
        return tuple(_of_text(name, kind, compiled) for name, kind, compiled in kernels)
    cubins = [compiled.asm["cubin"] for *_, compiled in kernels]
    opcodes = _opcodes([code_of(cubin) for cubin in cubins], target)
    return tuple(
        _of_opcodes(*kernel, registers_of(cubin), found)
        for kernel, cubin, found in zip(kernels, cubins, opcodes, strict=True)
    )


def _of_text(name: str, kind: str, compiled: Any) -> CubinStats:
    """From the assembly of hip, which says what it uses."""
    text = compiled.asm["amdgcn"]
    registers = int(_found(r"\.vgpr_count:\s+(\d+)", text))
    spills = int(_found(r"\.vgpr_spill_count:\s+(\d+)", text))
    products, lines = text.count("v_mfma"), len(re.findall(r"^\t[sv]_\w+", text, re.MULTILINE))
    unit, shared = "MFMA" if products else "", int(compiled.metadata.shared)
    return CubinStats(name, kind, registers, spills, shared, unit, products, lines)


def _of_opcodes(
    name: str, kind: str, compiled: Any, registers: int, opcodes: Sequence[str]
) -> CubinStats:
    unit = next((unit for unit in _UNITS if unit in opcodes), "")
    spills = opcodes.count("STL") + opcodes.count("LDL")
    shared, products = int(compiled.metadata.shared), opcodes.count(unit)
    waits = opcodes.count("WARPGROUP")
    return CubinStats(name, kind, registers, spills, shared, unit, products, len(opcodes), waits)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"the tools of triton print no {pattern}")
    return match[1]


def registers_of(cubin: bytes) -> int:
    return int(_found(r"REG:(\d+)", _told(cubin, "cuobjdump", "-res-usage")))


def code_of(cubin: bytes) -> bytes:
    """The machine code of the only kernel in a cubin (ELF, 64 bits)."""
    (table,) = struct.unpack_from("<Q", cubin, 40)
    size, count, names = struct.unpack_from("<HHH", cubin, 58)
    sections = [struct.unpack_from("<IIQQQQII", cubin, table + size * i) for i in range(count)]
    for name, _, _, _, start, length, *_ in sections:
        if cubin.startswith(b".text.", sections[names][4] + name):
            return cubin[start : start + length]
    raise RuntimeError("a cubin of triton has no code")


def listing(codes: Sequence[bytes], target: str) -> list[list[str]]:
    """The instructions of each piece of code, as text without predicates, in order."""
    printed = _told(b"".join(codes), "nvdisasm", "-ndf", "-c", "-b", _ARCHITECTURES[target])
    lines = re.findall(r"/\*[0-9a-f]{4,}\*/\s+\{?\s*(?:@!?\w+\s+)?(\w[^;]*)", printed)
    ends = [0, *itertools.accumulate(len(code) // _INSTRUCTION_BYTES for code in codes)]
    if len(lines) != ends[-1]:
        raise RuntimeError(f"nvdisasm lists {len(lines)} of {ends[-1]} instructions")
    return [lines[start:end] for start, end in itertools.pairwise(ends)]


def _opcodes(codes: Sequence[bytes], target: str) -> list[list[str]]:
    """The opcode of every instruction of each piece of code, without its modifiers."""
    return [[re.split(r"\W", line)[0] for line in lines] for lines in listing(codes, target)]


def _told(data: bytes, tool: str, *options: str) -> str:
    """What one of the tools in the wheel of triton prints about a file of these bytes."""
    import triton

    path = Path(triton.__file__).parent / "backends/nvidia/bin" / tool
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "code"
        file.write_bytes(data)
        command = [str(path), *options, str(file)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
