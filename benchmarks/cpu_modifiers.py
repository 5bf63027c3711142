"""What score modifiers, dropout and float64 cost on the CPU beside plain attention, in one process.

    python benchmarks/cpu_modifiers.py [--backward]

A window of 256 keys, batch 1, 4 heads of 64, 4,096 tokens, one thread. Calls alternate; processor
time; medians of each and of the ratios of neighbouring calls, and the ratio of the least times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import click
import torch

from patternc import Pattern

Call = Callable[[], object]
WINDOW = "local(left=256)"
SIZES = (1, 4, 4096, 64)
TURNS, WARM = 12, 2
CASES = {
    "plain": ("", {}, torch.float32),
    "alibi": (" with alibi", {}, torch.float32),
    "softcap(30)": (" with softcap(30)", {}, torch.float32),
    "t5(32, 128)": (" with t5(32, 128)", {"t5_bias": torch.randn(32, 4)}, torch.float32),
    "dropout 0.1": ("", {"dropout": 0.1, "seed": 1}, torch.float32),
    "float64": ("", {}, torch.float64),
}


def called(name: str, backward: bool) -> Call:
    """One call of a case, with the gradients of q, k and v where they are asked for."""
    modifier, given, dtype = CASES[name]
    attention = Pattern.parse(WINDOW + modifier).module.attention
    parts = [torch.randn(SIZES, dtype=dtype, requires_grad=backward) for _ in range(3)]
    if not backward:
        return lambda: attention(*parts, backend="cpu", **given)
    ones = torch.ones(SIZES, dtype=dtype)
    return lambda: torch.autograd.grad(attention(*parts, backend="cpu", **given), parts, ones)


def timed(call: Call) -> float:
    start = time.process_time()
    call()
    return 1e3 * (time.process_time() - start)


@click.command()
@click.option("--backward", is_flag=True, help="With gradients.")
def main(backward: bool) -> None:
    torch.set_num_threads(1)
    calls = {name: called(name, backward) for name in CASES}
    turns = [{name: timed(call) for name, call in calls.items()} for _ in range(TURNS)][WARM:]
    for name in CASES:
        own = [turn[name] for turn in turns]
        plain = [turn["plain"] for turn in turns]
        ratio = median(x / y for x, y in zip(own, plain, strict=True))
        click.echo(f"{name:12} {median(own):8.2f} ms  {ratio:5.2f} ({min(own) / min(plain):.2f})")


if __name__ == "__main__":
    main()
