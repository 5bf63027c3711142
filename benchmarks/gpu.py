"""The kernels on a GPU against compiled FlexAttention and dense attention, bf16.

    python benchmarks/gpu.py write DIR              # modules, where patternc is installed
    python benchmarks/gpu.py run DIR -o FILE.json   # torch and triton suffice

`run` first holds every module to its own reference, forward and backward, and stops if one differs;
then all processors compile side by side what will be measured (caches on disk keep it), and then it
measures, in the order of interest, until `--budget` seconds are spent, and names what it left out.
Each ratio compares calls of one process. `--device cpu` is a rehearsal.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from pathlib import Path
from statistics import geometric_mean

import click
import torch
from gpu_calls import HEADS, Row, error_of, loaded, measure, module_path, overhead_us, warm
from patterns import CASES

LENGTHS = (131072, 8192, 32768)
ROOFLINES = ("A100", "H100", "H200", "B200", "MI300X")  # devices that reports know
DILATED = ("local(256, dilation=8)", "longnet")
WARM_SHARE = 0.4  # of the budget, at most, for compiling beforehand
GREATEST_ERROR = 0.03
Job = tuple[str, int, int]


def compared(row: Row) -> dict[str, float]:
    """Ratios to the peers: above 1 patternc is faster."""
    return {
        f"{peer}_{kind}": round(row[f"{peer}_{kind}_ms"] / row[f"patternc_{kind}_ms"], 3)
        for peer in ("flex", "flash", "dense")
        for kind in ("forward", "both")
        if f"{peer}_{kind}_ms" in row and f"patternc_{kind}_ms" in row
    }


def of_one_sequence(row: Row) -> Row:
    """What `patternc report` shows beside its prediction."""
    if "patternc_both_ms" not in row:
        return {}
    forward = row["patternc_forward_ms"] / row["batch"]
    backward = row["patternc_both_ms"] / row["batch"] - forward
    told = {"example": row["pattern"], "dtype": "bfloat16"}
    return {**told, "forward_ms": forward, "backward_ms": backward}


def useful(row: Row, count: int | None) -> Row:
    """TFLOP/s of the forward pass over the pattern's own pairs, and their share of dense pairs."""
    if count is None or "patternc_forward_ms" not in row:
        return {}
    products = 4 * row["head_dim"] * count * row["batch"]
    whole = HEADS * row["n"] ** 2 / (2 if CASES[row["pattern"]].causal else 1)
    rate = products / row["patternc_forward_ms"] / 1e9
    return {"tflops": round(rate, 1), "density": count / whole}


def measured(job: Job, folder: Path, pairs: dict[str, int], device: str) -> Row:
    name, n, head_dim = job
    row = measure(name, loaded(module_path(folder, name, head_dim)), n, head_dim, device)
    return {**row, **compared(row), **of_one_sequence(row), **useful(row, pairs.get(f"{name} {n}"))}


def jobs(lengths: tuple[int, ...], head_dims: tuple[int, ...]) -> Iterator[Job]:
    for n in lengths:
        for head_dim in head_dims:
            for name in CASES:
                yield name, n, head_dim


def about(device: str) -> dict[str, str]:
    import triton

    name = torch.cuda.get_device_name() if device == "cuda" else device
    short = next((known for known in ROOFLINES if known in name), name)
    versions = {"torch": torch.__version__, "triton": triton.__version__}
    return {"device": short, "name": name, **versions, "date": time.strftime("%Y-%m-%d")}


def table(rows: list[Row]) -> Iterator[str]:
    columns = ("pattern", "n", "head_dim", "patternc_forward_ms", "patternc_both_ms", "tflops")
    columns += ("flex_forward", "flex_both", "flash_forward", "dense_forward", "dense_both")
    yield "| " + " | ".join(columns) + " |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        cells = (row.get(column) for column in columns)
        shown = (f"{cell:.3g}" if isinstance(cell, float) else str(cell or "-") for cell in cells)
        yield "| " + " | ".join(shown) + " |"


def asked(what: str, least: float, found: list[float], whole: bool = False) -> str:
    """One target: the geometric mean of what was found, or the least of it."""
    if not found:
        return f"{what}: asked {least}, not measured"
    got = geometric_mean(found) if whole else min(found)
    verdict = "reached" if got >= least else "MISSED"
    return f"{what}: asked {least}, got {got:.2f} over {len(found)} ({verdict})"


def targets(rows: list[Row]) -> Iterator[str]:
    """What is asked of the kernels, and what this run gives."""
    for kind in ("forward", "both"):
        ratios = [row[f"flex_{kind}"] for row in rows if f"flex_{kind}" in row]
        apart = [
            row[f"flex_{kind}"]
            for row in rows
            if f"flex_{kind}" in row and row["pattern"] in DILATED
        ]
        yield asked(f"FlexAttention, {kind}, geometric mean", 1.3, ratios, whole=True)
        yield asked(f"FlexAttention, {kind}, least", 1.0, ratios)
        yield asked(f"FlexAttention, {kind}, dilated and LongNet, least", 4.0, apart)
        share = [
            row[f"dense_{kind}"] * row["density"]
            for row in rows
            if f"dense_{kind}" in row and "density" in row
        ]
        yield asked(f"dense, {kind}, share of 1/density, least", 0.35, share)
    rates = [row.get("tflops", 0.0) for row in rows if row["pattern"] == "causal local(2048)"]
    yield asked("useful TFLOP/s of causal local(2048), most", 350, [max(rates)] if rates else [])


def precompile(todo: list[Job], folder: Path, device: str, limit_s: float) -> None:
    """Compile side by side; what fails or is late is compiled, and told, where it is measured."""
    workers = max(1, min(12, (os.cpu_count() or 1) - 2))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        paths = ((job, module_path(folder, job[0], job[2])) for job in todo)
        started = [pool.submit(warm, path, *job, device) for job, path in paths]
        wait(started, timeout=limit_s)
        pool.shutdown(wait=True, cancel_futures=True)


@click.group()
def main() -> None:
    """Kernels on a GPU against their peers."""


length_option = click.option("--length", "lengths", multiple=True, type=int, default=LENGTHS)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@length_option
def write(folder: Path, lengths: tuple[int, ...]) -> None:
    """Write the modules and the numbers of their pairs into FOLDER."""
    from patternc import Pattern

    folder.mkdir(parents=True, exist_ok=True)
    pairs = {}
    for name, case in CASES.items():
        pattern = Pattern.parse(case.text)
        for head_dim in (64, 128):
            text = pattern.compile(dtype="bfloat16", head_dim=head_dim)
            module_path(folder, name, head_dim).write_text(text, encoding="utf-8")
        for n in lengths:
            pairs[f"{name} {n}"] = sum(pattern.pairs(n)) * (1 if pattern.heads else HEADS)
    (folder / "pairs.json").write_text(json.dumps(pairs, indent=1), encoding="utf-8")


def checked(folder: Path, head_dims: tuple[int, ...], device: str) -> Row:
    """Errors of all modules against their references, and the host's share of a call."""
    errors, overheads = {}, {}
    for name, head_dim in ((name, head_dim) for name in CASES for head_dim in head_dims):
        module, key = loaded(module_path(folder, name, head_dim)), f"{name} {head_dim}"
        errors[key] = error_of(module, 1000, head_dim, device)
        overheads[key] = overhead_us(module, head_dim, device)
    wrong = {key: error for key, error in errors.items() if not error < GREATEST_ERROR}
    if wrong:
        sys.exit(f"differs from the reference: {wrong}")
    return {"errors": errors, "call_us": overheads}


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@length_option
@click.option("--head-dim", "head_dims", multiple=True, type=int, default=(64, 128))
@click.option("--budget", default=450.0, show_default=True, help="Seconds for all of it.")
@click.option("--device", default="cuda", type=click.Choice(["cuda", "cpu"]))
def run(
    folder: Path,
    output: Path,
    lengths: tuple[int, ...],
    head_dims: tuple[int, ...],
    budget: float,
    device: str,
) -> None:
    """Check, compile, measure, print a table with what was asked, and write JSON."""
    start = time.monotonic()
    pairs = json.loads((folder / "pairs.json").read_text(encoding="utf-8"))
    todo, rows = list(jobs(lengths, head_dims)), []
    record: Row = {**about(device), **checked(folder, head_dims, device)}
    print(json.dumps(record, indent=1), f"checked in {time.monotonic() - start:.0f} s", flush=True)
    precompile(todo, folder, device, WARM_SHARE * budget)
    print(f"compiled by {time.monotonic() - start:.0f} s", flush=True)
    while todo and time.monotonic() - start < budget:
        rows.append(measured(todo.pop(0), folder, pairs, device))
        print(rows[-1], flush=True)
        told = {**record, "rows": rows, "targets": list(targets(rows)), "left_out": todo}
        output.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(*table(rows), *targets(rows), f"left out: {todo}", sep="\n")


if __name__ == "__main__":
    main()
