"""The kernels on a GPU against compiled FlexAttention and dense attention, bf16.

    python benchmarks/gpu.py write DIR              # modules, where patternc is installed
    python benchmarks/gpu.py run DIR -o FILE.json   # torch and triton suffice

`run` first holds every module to its own reference, forward and backward, and stops at the first
that differs; then it measures, in the order of interest, until `--budget` seconds are spent, and
names what it left out. Medians of CUDA events; each ratio compares calls of one process.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import geometric_mean, median
from types import ModuleType
from typing import Any

import click
import torch
from patterns import CASES, Case

HEADS = 12
TOKENS = 1 << 17  # batch * n of every measurement
FASTER_THAN_THIS_S = 5.0  # a call that takes longer is measured once
ROOFLINES = ("A100", "H100", "H200", "B200", "MI300X")  # devices that reports know
Call = Callable[[], object]


def module_path(folder: Path, name: str, head_dim: int) -> Path:
    stem = "".join(letter if letter.isalnum() else "_" for letter in name)
    return folder / f"{stem}_{head_dim}.py"


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tensors(n: int, head_dim: int, batch: int, dtype: torch.dtype = torch.bfloat16):
    shape = (batch, HEADS, n, head_dim)
    return [torch.randn(shape, device="cuda", dtype=dtype, requires_grad=True) for _ in range(3)]


def gradients(out: torch.Tensor, inputs: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(out, inputs, torch.ones_like(out), retain_graph=True)


def error_of(module: ModuleType, n: int, head_dim: int) -> float:
    """Greatest error of output and gradients, relative to the reference's greatest value."""
    inputs = tensors(n, head_dim, 1)
    exact = [part.detach().float().requires_grad_() for part in inputs]
    ours, theirs = module.attention(*inputs), module.reference(*exact)
    pairs = zip((ours, *gradients(ours, inputs)), (theirs, *gradients(theirs, exact)), strict=True)
    return max(((a.float() - b).abs().max() / b.abs().max()).item() for a, b in pairs)


def milliseconds(call: Call) -> float:
    """The median of several calls by CUDA events, after warming up."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    torch.cuda.synchronize()
    once = time.perf_counter() - start
    if once > FASTER_THAN_THIS_S:
        return once * 1e3
    for _ in range(2):
        call()
    found = []
    for _ in range(10):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        call()
        end.record()
        torch.cuda.synchronize()
        found.append(begin.elapsed_time(end))
    return median(found)


def with_backward(forward: Callable[[], torch.Tensor], inputs: list[torch.Tensor]) -> Call:
    def call() -> None:
        torch.autograd.grad(forward(), inputs, torch.ones_like(inputs[0]))

    return call


def flex_call(case: Case, module: ModuleType, inputs: list[torch.Tensor], n: int):
    """FlexAttention of the same pairs; its block mask is built here, outside the timing."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    mask, score = case.masks(module, n, "cuda")
    built = torch.compile(create_block_mask)(mask, None, HEADS, n, n, device="cuda")
    compiled = torch.compile(flex_attention, dynamic=False)
    return lambda: compiled(*inputs, block_mask=built, score_mod=score)


def dense_call(case: Case, inputs: list[torch.Tensor]):
    """Dense attention over all pairs (or all before the query), by the fastest kernel torch has."""
    sdpa = torch.nn.functional.scaled_dot_product_attention
    return lambda: sdpa(*inputs, is_causal=case.causal)


def measure(name: str, module: ModuleType, n: int, head_dim: int) -> dict[str, Any]:
    """One row: times in ms forward and with backward, and useful TFLOP/s."""
    case, batch = CASES[name], max(1, TOKENS // n)
    inputs = tensors(n, head_dim, batch)
    row: dict[str, Any] = {"pattern": name, "n": n, "batch": batch, "head_dim": head_dim}
    peers = {
        "patternc": lambda: module.attention(*inputs),
        "flex": flex_call(case, module, inputs, n),
        "dense": dense_call(case, inputs),
    }
    for peer, forward in peers.items():
        try:
            with torch.no_grad():
                row[f"{peer}_forward_ms"] = milliseconds(forward)
            row[f"{peer}_both_ms"] = milliseconds(with_backward(forward, inputs))
        except Exception as error:  # a peer that cannot run is a result
            row[f"{peer}_error"] = f"{type(error).__name__}: {error}"[:300]
    return {**row, **compared(row), **of_one_sequence(row)}


def of_one_sequence(row: dict[str, Any]) -> dict[str, Any]:
    """What `patternc report` shows beside its prediction."""
    if "patternc_both_ms" not in row:
        return {}
    forward = row["patternc_forward_ms"] / row["batch"]
    backward = row["patternc_both_ms"] / row["batch"] - forward
    told = {"example": row["pattern"], "dtype": "bfloat16"}
    return {**told, "forward_ms": forward, "backward_ms": backward}


def compared(row: dict[str, Any]) -> dict[str, float]:
    """Ratios to the peers: above 1 patternc is faster."""
    return {
        f"{peer}_{kind}": round(row[f"{peer}_{kind}_ms"] / row[f"patternc_{kind}_ms"], 3)
        for peer in ("flex", "dense")
        for kind in ("forward", "both")
        if f"{peer}_{kind}_ms" in row and f"patternc_{kind}_ms" in row
    }


def useful(row: dict[str, Any], pairs: dict[str, int]) -> float | None:
    """TFLOP/s of the forward pass, counting the pattern's own pairs only."""
    count = pairs.get(f"{row['pattern']} {row['n']}")
    if count is None or "patternc_forward_ms" not in row:
        return None
    products = 4 * row["head_dim"] * count * row["batch"]
    return round(products / row["patternc_forward_ms"] / 1e9, 1)


def jobs(lengths: tuple[int, ...], head_dims: tuple[int, ...]) -> Iterator[tuple[str, int, int]]:
    for head_dim in head_dims:
        for n in lengths:
            for name in CASES:
                yield name, n, head_dim


def device() -> dict[str, str]:
    import triton

    name = torch.cuda.get_device_name()
    short = next((known for known in ROOFLINES if known in name), name)
    day = time.strftime("%Y-%m-%d")
    return {
        "device": short,
        "name": name,
        "torch": torch.__version__,
        "triton": triton.__version__,
        "date": day,
    }


def table(rows: list[dict[str, Any]]) -> str:
    columns = ("pattern", "n", "head_dim", "patternc_forward_ms", "patternc_both_ms", "tflops")
    columns += ("flex_forward", "flex_both", "dense_forward", "dense_both")
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for row in rows:
        cells = (row.get(column) for column in columns)
        shown = (f"{cell:.3g}" if isinstance(cell, float) else str(cell or "-") for cell in cells)
        lines.append("| " + " | ".join(shown) + " |")
    for column in ("flex_forward", "flex_both"):
        ratios = [row[column] for row in rows if column in row]
        if ratios:
            lines.append(f"geometric mean of {column}: {geometric_mean(ratios):.2f}")
    return "\n".join(lines)


@click.group()
def main() -> None:
    """Kernels on a GPU against their peers."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--length", "lengths", multiple=True, type=int, default=(16384, 65536, 131072))
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
            found = pattern.pairs(n)
            pairs[f"{name} {n}"] = sum(found) * (1 if pattern.heads else HEADS)
    (folder / "pairs.json").write_text(json.dumps(pairs, indent=1), encoding="utf-8")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--length", "lengths", multiple=True, type=int, default=(16384, 65536, 131072))
@click.option("--head-dim", "head_dims", multiple=True, type=int, default=(64, 128))
@click.option("--budget", default=450.0, show_default=True, help="Seconds for all of it.")
def run(
    folder: Path,
    output: Path,
    lengths: tuple[int, ...],
    head_dims: tuple[int, ...],
    budget: float,
) -> None:
    """Check, measure, print a table and write JSON."""
    start, rows, left_out = time.monotonic(), [], []
    torch._dynamo.config.recompile_limit = 256
    pairs = json.loads((folder / "pairs.json").read_text(encoding="utf-8"))
    modules = {
        (name, head_dim): loaded(module_path(folder, name, head_dim))
        for name in CASES
        for head_dim in head_dims
    }
    errors = {f"{key[0]} {key[1]}": error_of(modules[key], 1000, key[1]) for key in modules}
    print(json.dumps(errors, indent=1), f"checked in {time.monotonic() - start:.0f} s", flush=True)
    wrong = {key: error for key, error in errors.items() if not error < 0.03}
    if wrong:
        sys.exit(f"differs from the reference: {wrong}")
    for name, n, head_dim in jobs(lengths, head_dims):
        if time.monotonic() - start > budget:
            left_out.append([name, n, head_dim])
            continue
        row = measure(name, modules[name, head_dim], n, head_dim)
        row["tflops"] = useful(row, pairs)
        rows.append(row)
        print(row, flush=True)
        record = {**device(), "errors": errors, "rows": rows, "left_out": left_out}
        output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    record = {**device(), "errors": errors, "rows": rows, "left_out": left_out}
    output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table(rows), f"left out: {left_out}", sep="\n")


if __name__ == "__main__":
    main()
