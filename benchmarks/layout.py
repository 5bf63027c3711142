"""Layouts at a million tokens: time and memory of `layout`, `counts()` and single rows.

    python benchmarks/layout.py [--length 1048576] [--output results.json]

Each example runs in a process of its own, so that peak memory is its own and nothing is cached.
Targets: layout and counts together within 1 s and 1 GB, any row within a millisecond.
"""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import click

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ("longformer", "bigbird", "sparse_transformer_strided", "longnet")
ROWS = 200


def measure(example: str, length: int, block: int) -> dict[str, object]:
    """One example in this process: seconds, bytes and the counts that were found."""
    from patternc import Pattern

    pattern = Pattern.load(ROOT / "examples" / f"{example}.pat")
    start = perf_counter()
    layout = pattern.layout(length, block=block)
    counts = layout.counts()
    built = perf_counter() - start
    rows = [_row_seconds(layout, number * (length // block - 1) // ROWS) for number in range(ROWS)]
    return {
        "example": example,
        "layout_and_counts_s": round(built, 3),
        "row_median_ms": round(1e3 * median(rows), 3),
        "row_slowest_ms": round(1e3 * max(rows), 3),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "full_tiles": counts.full[0],
        "partial_tiles": counts.partial[0],
    }


def _row_seconds(layout, row: int) -> float:
    times = []
    for _ in range(3):
        start = perf_counter()
        layout.row(0, row)
        times.append(perf_counter() - start)
    return median(times)


@click.command()
@click.option("--length", default=1 << 20, show_default=True, help="Tokens.")
@click.option("--block", default=128, show_default=True, help="Tile size in tokens.")
@click.option("--output", type=click.Path(), help="Also write JSON here.")
@click.option("--only", hidden=True)
def main(length: int, block: int, output: str | None, only: str | None) -> None:
    """Print one row per example."""
    if only:
        print(json.dumps(measure(only, length, block)))
        return
    results = []
    for example in EXAMPLES:
        command = [
            sys.executable,
            __file__,
            "--only",
            example,
            f"--length={length}",
            f"--block={block}",
        ]
        results.append(json.loads(subprocess.check_output(command, text=True)))
        print(results[-1])
    if output:
        record = {"machine": platform.machine(), "length": length, "block": block, "rows": results}
        Path(output).write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
