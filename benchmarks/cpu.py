"""The CPU path against compiled FlexAttention, forward, fp32, in one process.

    python benchmarks/cpu.py [--length 4096 --length 8192] [--pairs 15] [--output results.json]

Calls alternate, and the medians of both stand beside their ratio. FlexAttention's block mask is
built once beforehand and timed apart; ours has none to build.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import click
import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from patternc import Pattern

HEADS, HEAD_DIM = 4, 64


def local(b, h, i, j):
    return (i - j <= 256) & (j - i <= 256)


def dilated(b, h, i, j):
    return (i - j <= 2048) & (j - i <= 2048) & ((i - j) % 8 == 0)


def longformer(b, h, i, j):
    return local(b, h, i, j) | (i == 0) | (j == 0)


def strided(b, h, i, j):
    return (j <= i) & ((i - j <= 127) | ((i - j) % 128 == 0))


CASES = {
    "local(256)": local,
    "local(256, dilation=8)": dilated,
    "local(256) + global([0])": longformer,
    "(local(left=127) + strided(128)) & causal": strided,
}


def seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def measure(text: str, length: int, pairs: int, flex: Callable[..., torch.Tensor]) -> dict:
    """Medians in milliseconds of interleaved calls, after checking that both agree."""
    q, k, v = torch.randn(3, 1, HEADS, length, HEAD_DIM)
    pattern = Pattern.parse(text)
    start = perf_counter()
    mask = create_block_mask(CASES[text], None, None, length, length, device="cpu")
    built = perf_counter() - start
    torch.testing.assert_close(
        pattern.attention(q, k, v), flex(q, k, v, block_mask=mask), rtol=1e-4, atol=1e-4
    )
    both = [
        (
            seconds(lambda: pattern.attention(q, k, v)),
            seconds(lambda: flex(q, k, v, block_mask=mask)),
        )
        for _ in range(pairs)
    ]
    ours, theirs = (1e3 * median(column) for column in zip(*both, strict=True))
    return {
        "pattern": text,
        "n": length,
        "patternc_ms": round(ours, 1),
        "flex_ms": round(theirs, 1),
        "ratio": round(theirs / ours, 2),
        "flex_mask_s": round(built, 2),
    }


@click.command()
@click.option("--length", "lengths", multiple=True, default=(4096, 8192), type=int, help="Tokens.")
@click.option("--pairs", default=15, show_default=True, help="Interleaved calls of each.")
@click.option("--output", type=click.Path(), help="Also write JSON here.")
def main(lengths: tuple[int, ...], pairs: int, output: str | None) -> None:
    """Print one row per pattern and length."""
    torch.manual_seed(0)
    flex = torch.compile(flex_attention)
    rows = []
    with torch.no_grad():
        for text in CASES:
            for length in lengths:
                rows.append(measure(text, length, pairs, flex))
                print(rows[-1], flush=True)
    if output:
        record = {"machine": platform.machine(), "torch": torch.__version__, "rows": rows}
        Path(output).write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
