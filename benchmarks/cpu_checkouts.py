"""The CPU path beside that of another checkout, and beside torch's own attention, in one process.

    python benchmarks/cpu_checkouts.py FOLDER [--threads 1] [--dtype bfloat16] [--backward]

FOLDER is a checkout of another commit. 4 heads of 64; calls alternate, medians of each and of the
ratios of neighbouring calls; processor time with one thread, wall time with more.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import click
import torch

from patternc.runtime.load import load_module

Call = Callable[[], torch.Tensor]
# Pattern, batch, queries, keys.
CASES = [
    *(("causal", 16, n, n) for n in (16, 64, 128)),
    *(("causal", batch, n, n) for batch, n in ((8, 512), (1, 1024), (1, 2048), (1, 8192))),
    ("local(256)", 1, 4096, 4096),
    ("causal", 1, 1, 4097),
    ("local(256)", 1, 1, 4097),
]
EMIT = "import sys; from patternc import Pattern; print(Pattern.parse(sys.argv[1]).compile("
EMIT += "backends=('cpu',), native=True))"


def emitted(folder: Path, text: str) -> str:
    command = [sys.executable, "-c", EMIT, text]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.check_output(command, env=environment, cwd="/", text=True)


def dense(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    several = q.shape[2] > 1
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=several)


def with_gradients(run: Call, leaves: list[torch.Tensor]) -> Call:
    return lambda: torch.autograd.grad(run().sum(), leaves)[0]


def measured(calls: list[Call], clock: Callable[[], float], pairs: int) -> list[list[float]]:
    found: list[list[float]] = [[] for _ in calls]
    for _ in range(pairs + 3):
        for call, taken in zip(calls, found, strict=True):
            start = clock()
            call()
            taken.append(1e3 * (clock() - start))
    return [taken[3:] for taken in found]


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--threads", default=1)
@click.option("--dtype", default="float32")
@click.option("--backward", is_flag=True)
@click.option("--pairs", default=15)
def main(folder: Path, threads: int, dtype: str, backward: bool, pairs: int) -> None:
    """Milliseconds of this checkout, the other and torch's; both over this one's."""
    torch.set_num_threads(threads)
    clock = time.perf_counter if threads > 1 else time.process_time
    for text, batch, queries, n in CASES:
        sizes = [(batch, 4, queries, 64), (batch, 4, n, 64), (batch, 4, n, 64)]
        q, k, v = (torch.randn(size, dtype=getattr(torch, dtype)) for size in sizes)
        for part in (q, k, v):
            part.requires_grad_(backward)
        ours, other = (
            load_module(emitted(place, text)).attention
            for place in (Path(__file__).parents[1], folder)
        )
        runs = [ours, other, dense] if text == "causal" or queries == 1 else [ours, other]
        calls: list[Call] = [partial(run, q, k, v) for run in runs]
        if backward:
            calls = [with_gradients(call, [q, k, v]) for call in calls]
        found = measured(calls, clock, pairs)
        times = "".join(f"{median(taken):10.3f}" for taken in found)
        ratios = [
            median(y / x for x, y in zip(found[0], taken, strict=True)) for taken in found[1:]
        ]
        click.echo(f"{text:11s}{batch:3d}{n:6d}{times} |{''.join(f'{x:7.2f}' for x in ratios)}")


if __name__ == "__main__":
    main()
