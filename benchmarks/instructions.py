"""What binaries issue: our kernels and FlexAttention's own, compiled without a GPU.

Per 64 x 64 pairs of a full and of a partial tile: instructions that a multiprocessor issues (warp
instructions over its four schedulers) and cycles of its tensor cores; per kernel registers,
instructions that access spilled registers, and shared memory. `python benchmarks/instructions.py
[sm_90|sm_100] [64|128] [PATTERN ..]`. A branch within a loop counts as not taken. Latency is not
in it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from flex_binaries import flex_binaries

from patternc import Pattern
from patternc.runtime.compile_offline import binary, variants
from patternc.runtime.cubin_stats import code_of, listing, registers_of
from patternc.runtime.load import load_module

UNITS = ("HGMMA", "UTCHMMA")
SCHEDULERS, PAIRS = 4, 64 * 64
FLOPS = 4096  # of tensor cores of sm_90, a cycle
PASSES = {"forward": 2, "d_queries": 3, "d_keys": 4}  # the products of each
DOCUMENTS = torch.zeros(4096, dtype=torch.int32)
MASKS = {
    "local(256)": lambda _b, _h, i, j: (i - j <= 256) & (j - i <= 256),
    "causal": lambda _b, _h, i, j: j <= i,
    "same(document)": lambda _b, _h, i, j: DOCUMENTS[i] == DOCUMENTS[j],
}
# Pairs of a step of FlexAttention's loops: its sizes of tiles, which depend on the head size.
FLEX_PAIRS = {("forward", 64): 128 * 128, ("forward", 128): 128 * 64}
FLEX_BACKWARD = 64 * 128


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop over tiles: what a multiprocessor issues, and its tensor cores' cycles (sm_90)."""

    issued: float
    tensor: float
    products: int


@dataclass(frozen=True, slots=True)
class Kernel:
    """What one pass uses; without full tiles, `full` is `partial`."""

    full: Loop
    partial: Loop
    registers: int
    spills: int
    shared: int


def main(target: str, head_dim: int, texts: Sequence[str]) -> None:
    print(f"{target}, bf16, head size {head_dim}, Triton and torch {torch.__version__}")
    print("| pattern | pass | full: ours / Flex | partial: ours / Flex | tensor | registers |")
    print("| --- | --- | --- | --- | --- | --- |")
    for text in texts:
        own, theirs = ours(text, target, head_dim), flex(text, target, head_dim)
        for kind in PASSES:
            print(row(text, kind, own[kind], theirs[kind]), flush=True)


def row(text: str, kind: str, own: Kernel, their: Kernel) -> str:
    loops = [(own.full, their.full), (own.partial, their.partial)]
    ratios = [f"{a.issued:.0f} / {b.issued:.0f} ({a.issued / b.issued:.2f})" for a, b in loops]
    used = f"{own.registers} / {their.registers}"
    used += f"; spills {own.spills} / {their.spills}; KB {own.shared >> 10} / {their.shared >> 10}"
    return f"| `{text}` | {kind} | {' | '.join(ratios)} | {own.full.tensor:.0f} | {used} |"


def ours(text: str, target: str, head_dim: int) -> dict[str, Kernel]:
    """Our kernels by pass: of each, the one with most instructions in its loops."""
    file = Pattern.parse(text).compile(dtype="bfloat16", head_dim=head_dim)
    found: dict[str, Kernel] = {}
    for item in variants(load_module(file), target, "bfloat16", head_dim):
        if item.kind in PASSES and item.kind not in found:
            pairs = int(str(item.constants["BLOCK_M"])) * int(str(item.constants["BLOCK_N"]))
            warps = int(str(item.options["num_warps"]))
            done = binary(item, target)
            every = [loop for _, loop in loops(done, target, warps, pairs)]
            found[item.kind] = kernel(done, every[:2], target)
    return found


def flex(text: str, target: str, head_dim: int) -> dict[str, Kernel]:
    (warps, forward), (more, backward) = flex_binaries(
        MASKS[text], int(target.removeprefix("sm_")) // 10, head_dim
    )
    pairs = FLEX_PAIRS["forward", head_dim]
    first = [loop for _, loop in loops(forward, target, warps, pairs)]
    both = [loop for _, loop in loops(backward, target, more, FLEX_BACKWARD)]
    by_work = sorted(both, key=lambda loop: (loop.tensor, loop.products))
    found = {"forward": kernel(forward, first, target)}
    for kind, two in (("d_queries", by_work[:2]), ("d_keys", by_work[-2:])):
        found[kind] = kernel(backward, two, target)
    return found


def kernel(done: Any, found: Sequence[Loop], target: str) -> Kernel:
    issued = sorted(found, key=lambda loop: loop.issued)
    (lines,) = listing([code_of(done.asm["cubin"])], target)
    spills = sum(line.startswith(("LDL", "STL")) for line in lines)
    used = registers_of(done.asm["cubin"]), spills, int(done.metadata.shared)
    return Kernel(issued[0], issued[-1], *used)


def loops(done: Any, target: str, warps: int, pairs: int) -> list[tuple[int, Loop]]:
    """Where each innermost loop that multiplies matrices begins, and what it issues."""
    (lines,) = listing([code_of(done.asm["cubin"])], target)
    return [
        (start, loop_of(lines[start : stop + 1], warps, pairs))
        for start, stop in sorted(innermost(lines))
    ]


def innermost(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Places of the shortest loops with products that share no instruction."""
    taken: list[tuple[int, int]] = []
    for start, stop in sorted(backward_branches(lines), key=lambda ends: ends[1] - ends[0]):
        apart = all(stop < first or start > last for first, last in taken)
        if apart and any(line.startswith(UNITS) for line in lines[start : stop + 1]):
            taken.append((start, stop))
            yield start, stop


def backward_branches(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    for place, line in enumerate(lines):
        target = re.match(r"BRA\b.*?0x([0-9a-f]+)", line)
        if target and int(target[1], 16) // 16 < place:
            yield int(target[1], 16) // 16, place


def loop_of(lines: Sequence[str], warps: int, pairs: int) -> Loop:
    share = PAIRS / pairs
    products = [line for line in lines if line.startswith(UNITS)]
    shapes = (re.match(r"HGMMA\.(\d+)x(\d+)x(\d+)", line) for line in products)
    flops = sum(2 * int(m[1]) * int(m[2]) * int(m[3]) for m in shapes if m)
    issued = len(lines) * warps / SCHEDULERS * share
    return Loop(issued, flops * warps / 4 / FLOPS * share, len(products))


if __name__ == "__main__":
    target, size, *texts = [*sys.argv[1:], "sm_90", "64"][: max(2, len(sys.argv) - 1)]
    main(target, int(size), texts or list(MASKS))
