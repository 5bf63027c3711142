"""The CPU path against FlexAttention: the attention alone, and with the layout built in the call.

`python benchmarks/cpu_flex.py PATTERN N` times one call of FlexAttention with an eager mask, in a
process that gives the memory back.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from cpu_calls import CASES, HEADS, Plan, Row, bigbird, compared, drawn, measured
from patterns import longnet, longnet_score
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from patternc import Pattern

EAGER_GB = 20  # of a mask for one head at 32,768 tokens
flex = torch.compile(flex_attention)


def flex_call(
    text: str, n: int, compiled: bool | None = None
) -> tuple[Callable[[], object], dict[str, Any]]:
    """What builds FlexAttention's mask of a case, compiled if long, and its other arguments."""
    case = CASES[text]
    mask = case(n) if case is bigbird else case
    options: dict[str, Any] = {"score_mod": longnet_score} if case is longnet else {}
    compiled = n > 16384 if compiled is None else compiled
    build = torch.compile(create_block_mask) if compiled else create_block_mask
    return lambda: build(mask, None, masked_heads(text), n, n, device="cpu"), options


def masked_heads(text: str) -> int | None:
    """For how many heads there is a mask each; None where one stands for all."""
    return HEADS if CASES[text] is longnet else None


def flex_planned(text: str, n: int, compiled: bool) -> Callable[[], object]:
    """Their call with its mask built in it.

    Two shorter ones come before: at the second length torch compiles for all lengths.
    """
    for short in (n // 8, n // 4):
        build, options = flex_call(text, short, compiled)
        flex(*drawn(short), **options, block_mask=build())
    parts, (build, options) = drawn(n), flex_call(text, n, compiled)
    return lambda: flex(*parts, **options, block_mask=build())


@torch.no_grad()
def forward(text: str, n: int, plan: Plan) -> Row:
    parts, attention = drawn(n), Pattern.parse(text).attention
    build, options = flex_call(text, n)
    start = perf_counter()
    options["block_mask"] = build()
    built = perf_counter() - start
    found, other = attention(*parts), flex(*parts, **options)
    torch.testing.assert_close(found, other, rtol=1e-3, atol=1e-3)
    row = compared(lambda: attention(*parts), lambda: flex(*parts, **options), plan)
    return {"pattern": text, "n": n, **row, "their_mask_s": round(built, 2)}


def forwards(text: str, lengths: tuple[int, ...], plan: Plan) -> Iterator[Row]:
    """Lengths in order, until one takes too long."""
    for n in lengths:
        start = perf_counter()
        yield forward(text, n, plan)
        if perf_counter() - start > 2 * plan.budget:
            return


@torch.no_grad()
def planned(text: str, n: int, plan: Plan) -> Row:
    """Nothing is known of a length before a call: masks, tables and pieces are made in it.

    `other` builds its mask by compiled `create_block_mask`, `eager` as it comes.
    """
    parts, module = drawn(n), Pattern.parse(text).module
    module.attention(*parts)

    def ours() -> None:
        for cache in ("pieces", "plan", "table", "draws"):
            if hasattr(module, f"_static_{cache}"):
                getattr(module, f"_static_{cache}").cache_clear()
        module.attention(*parts)

    row = compared(ours, flex_planned(text, n, compiled=True), plan)
    return {"pattern": text, "n": n, **row, **eager(text, n, plan, row)}


def eager(text: str, n: int, plan: Plan, ours: Row) -> Row:
    """One call with a mask as it comes, in a process that gives its memory back."""
    asked, free = EAGER_GB * (masked_heads(text) or 1), available_gb()
    if not plan.eager:
        return {"eager_left_out": "--no-eager"}
    if free < asked:
        return {"eager_left_out": f"{free:.0f} GB are free, {asked} are asked"}
    command = [sys.executable, __file__, text, str(n)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"eager_left_out": done.stderr.strip().splitlines()[-1]}
    clock, busy = map(float, done.stdout.split())
    return {
        "eager_ms": round(clock, 1),
        "eager_ratio": round(clock / ours["patternc_ms"], 1),
        "eager_processor_ratio": round(busy / ours["patternc_processor_ms"], 1),
    }


def available_gb() -> float:
    """Memory that a process can have, in gigabytes."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if "MemAvailable" in line) / 2**20


@torch.no_grad()
def eager_ms(text: str, n: int) -> tuple[float, float]:
    """What one call takes. It fails rather than take the memory that others hold."""
    call = flex_planned(text, n, compiled=False)
    resource.setrlimit(resource.RLIMIT_AS, (int(available_gb() * 2**30),) * 2)
    return measured(call)


if __name__ == "__main__":
    print(*eager_ms(sys.argv[1], int(sys.argv[2])))
