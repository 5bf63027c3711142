"""Cases of the CPU benchmarks, and how calls are timed."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time
from typing import Any, NamedTuple

import torch
from patterns import SEGMENTS, dilated, local, longformer, longnet, strided

from patternc import Pattern

HEADS, HEAD_DIM = 4, 64
Row = dict[str, Any]


class Plan(NamedTuple):
    """So many pairs of calls, for at most so many seconds a case; are `eager` masks asked?"""

    pairs: int
    budget: float
    eager: bool = True


Tensor = torch.Tensor
BLOCKS = "local(1) + global([0, -1]) + random(3, pool=1:16)"


def bigbird(n: int) -> Callable[..., Tensor]:
    blocks = Pattern.parse(BLOCKS).module.mask(n // 64)[0]
    return lambda b, h, i, j: blocks[i // 64, j // 64]


LONGNET = ", ".join(
    f"segment({width}, dilation={rate}, offset=head % {rate})" for width, rate in SEGMENTS
)
CASES = {
    "local(256)": local,
    "local(256, dilation=8)": dilated,
    f"causal\nheads {HEADS}\nmix({LONGNET})": longnet,
    "causal\nlocal(left=127) + strided(128)": strided,
    "local(256) + global([0])": longformer,
    f"blocks(64) {{ {BLOCKS} }}": bigbird,
}


def seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def measured(call: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock, and of the processor."""
    start, before = perf_counter(), process_time()
    call()
    return 1e3 * (perf_counter() - start), 1e3 * (process_time() - before)


def compared(ours: Callable[[], object], theirs: Callable[[], object], plan: Plan) -> Row:
    """Medians of interleaved calls."""
    both: list[tuple[float, ...]] = []
    end = perf_counter() + plan.budget
    while not both or (len(both) < plan.pairs and perf_counter() < end):
        both.append((*measured(ours), *measured(theirs)))
    one, one_busy, other, other_busy = (median(column) for column in zip(*both, strict=True))
    return {
        "patternc_ms": round(one, 1),
        "other_ms": round(other, 1),
        "ratio": round(other / one, 2),
        "patternc_processor_ms": round(one_busy, 1),
        "other_processor_ms": round(other_busy, 1),
        "processor_ratio": round(other_busy / one_busy, 2),
        "pairs": len(both),
    }


def drawn(n: int, queries: int | None = None) -> tuple[Tensor, ...]:
    shapes = [(1, HEADS, rows, HEAD_DIM) for rows in (queries or n, n, n)]
    return tuple(torch.randn(shape) for shape in shapes)
