"""Reports: their time and memory; and, with --sweep, their counts against masks.

    python benchmarks/analysis.py [--sweep] [--example NAME] [--output results.json]

Every report runs in a process of its own, after imports. Asked: each example at its published
length within 2 s; LongNet, Longformer and a window with sinks at 10^9 tokens within 5 s and 500 MB;
BigBird at 2^24 within 60 s. With --sweep counts and closed forms are compared with masks at every n
to 512 and some to 4,096, as `pytest -m sweep tests/analysis/cost/test_pair_counts.py` does.
"""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
from pathlib import Path
from time import perf_counter, process_time

import click

ROOT = Path(__file__).resolve().parent.parent
LONG = {"longnet": 10**9, "longformer": 10**9, "streaming_llm": 10**9, "bigbird": 1 << 24}


def measure(example: str, length: int) -> dict[str, object]:
    """One report in this process: seconds by the clock and of the processor, and bytes."""
    import patternc.report.report
    from patternc import Pattern

    assert patternc.report.report
    start, busy = perf_counter(), process_time()
    document = Pattern.load(ROOT / "examples" / f"{example}.pat").report(length).document()
    return {
        "example": example,
        "n": length,
        "layers": len(document["layers"]),
        "seconds": round(perf_counter() - start, 2),
        "cpu_seconds": round(process_time() - busy, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "reach_exact": all(layer["reach"]["exact"] for layer in document["layers"]),
        "full_at": document["full_at"],
    }


def swept(example: str) -> dict[str, object]:
    """The tests of one example at all lengths; they pass over what the call or a grid decides."""
    name = f"test_every_length_to_512_and_some_to_4096[{example}]"
    test = ROOT / "tests" / "analysis" / "test_counts.py"
    command = [sys.executable, "-m", "pytest", "-q", "-m", "sweep", f"{test}::{name}"]
    start = perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    told = done.stdout.strip().splitlines()[-1].split(" in ")[0]
    return {"example": example, "told": told, "seconds": round(perf_counter() - start, 1)}


def _in_a_process(example: str, length: int) -> dict[str, object]:
    command = [sys.executable, __file__, "--one", example, "--length", str(length)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _published() -> dict[str, int]:
    sys.path.insert(0, str(ROOT))
    from examples.table import examples

    return {example.path.stem: example.length for example in examples()}


@click.command()
@click.option("--sweep", is_flag=True, help="Compare with masks at every length.")
@click.option("--example", "only", multiple=True, help="Only these.")
@click.option("--output", type=click.Path(), help="Also write JSON here.")
@click.option("--one", hidden=True)
@click.option("--length", type=int, hidden=True)
def main(
    sweep: bool, only: tuple[str, ...], output: str | None, one: str | None, length: int | None
) -> None:
    """Print one row per report, or per example of the sweep."""
    if one and length:
        print(json.dumps(measure(one, length)))
        return
    chosen = {name: n for name, n in _published().items() if not only or name in only}
    rows = []
    if sweep:
        for name in chosen:
            rows.append(swept(name))
            print(rows[-1], flush=True)
    else:
        for name, n in [*chosen.items(), *((name, LONG[name]) for name in chosen if name in LONG)]:
            rows.append(_in_a_process(name, n))
            print(rows[-1], flush=True)
    if output:
        record = {"machine": platform.machine(), "rows": rows}
        Path(output).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
