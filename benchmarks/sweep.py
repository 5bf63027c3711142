"""Every kernel of every example compiled for GPUs that are not there, and what the binaries use.

    python benchmarks/sweep.py [--target sm_90] [--head-dim 64] [--example NAME] [--dtype float32]
                               [--output FILE.json]

Per kernel: registers, instructions that access local memory, bytes of shared memory, instructions
that multiply matrices, that wait for products, and all; a page of them (.md) stands beside the
output. Kernels of equal text are compiled once, and what was measured is kept (`--kept`), so that a
run that was stopped goes on where it was. On sm_90 a spill, products off the tensor cores and
products that wait for each other are named at the end, as is too much shared memory anywhere, and
the exit code is 1. Hours, when nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from itertools import product
from pathlib import Path

import click
from sweep_page import Row, page

from patternc import Pattern
from patternc.runtime.compile_offline import SHARED_MEMORY, TARGETS, Variant, compiled, variants
from patternc.runtime.cubin_stats import CubinStats
from patternc.runtime.load import load_module

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.pat"))
KEPT = ROOT / "build" / "sweep.jsonl"


@dataclass(frozen=True, slots=True)
class Kept:
    """Measurements by key, one line each; a line is written as soon as it is known."""

    path: Path
    found: dict[str, CubinStats]

    @classmethod
    def at(cls, path: Path) -> Kept:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        entries = (json.loads(line) for line in lines)
        return cls(path, {key: CubinStats(**values) for key, values in entries})

    def measured(self, found: Sequence[Variant], target: str) -> list[CubinStats]:
        """What the kernels use, those that are new compiled."""
        keys = [_key(variant, target) for variant in found]
        new = [number for number, key in enumerate(keys) if key not in self.found]
        binaries = compiled([found[number] for number in new], target)
        for number, binary in zip(new, binaries, strict=True):
            self._keep(keys[number], binary)
        return [self.found[key] for key in keys]

    def _keep(self, key: str, binary: CubinStats) -> None:
        self.found[key] = binary
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([key, asdict(binary)]) + "\n")


def _key(variant: Variant, target: str) -> str:
    import triton

    return hashlib.sha256(
        "\n".join([triton.__version__, target, variant.text]).encode()
    ).hexdigest()


def rows(examples: Sequence[str], target: str, head_dim: int, dtype: str, kept: Kept) -> list[Row]:
    """The distinct kernels, each with the examples that have it."""
    found: dict[str, Row] = {}
    for example, variant, binary in _binaries(examples, target, head_dim, dtype, kept):
        row = Row(target, head_dim, (), binary)
        before = found.get(variant.text, row)
        found[variant.text] = Row(target, head_dim, (*before.examples, example), before.binary)
    return list(found.values())


def _binaries(
    examples: Sequence[str], target: str, head_dim: int, dtype: str, kept: Kept
) -> Iterator[tuple[str, Variant, CubinStats]]:
    title = f"{target}, {dtype}, head size {head_dim:>3}"
    with click.progressbar(examples, label=title, file=sys.stderr, show_pos=True) as shown:
        for example in shown:
            pattern = Pattern.load(ROOT / "examples" / f"{example}.pat")
            module = load_module(pattern.compile(dtype=dtype, head_dim=head_dim))
            found = variants(module, target, dtype, head_dim)
            for variant, binary in zip(found, kept.measured(found, target), strict=True):
                yield example, variant, binary


def faults(row: Row) -> list[str]:
    """How a kernel breaks what is asked of it."""
    binary, on_hopper = row.binary, row.target == "sm_90"
    found = []
    if binary.shared_bytes > SHARED_MEMORY[row.target]:
        found.append(f"{binary.shared_bytes:,} bytes of shared memory")
    if not binary.tensor_core and not binary.kind.startswith(("delta", "collected")):
        found.append("products off the tensor cores")
    elif on_hopper and binary.tensor_core not in ("HGMMA", ""):
        found.append(f"products by {binary.tensor_core}")
    if on_hopper and binary.in_turn:
        found.append("products that wait for each other")
    if on_hopper and binary.spills:
        found.append(f"{binary.spills} accesses of local memory")
    return found


def as_data(found: Sequence[Row], dtype: str) -> dict[str, object]:
    import triton

    header = {"date": f"{date.today()}", "triton": triton.__version__, "dtype": dtype}
    kernels = [
        {"target": row.target, "head_dim": row.head_dim, "examples": row.examples}
        | {field.name: getattr(row.binary, field.name) for field in fields(row.binary)}
        for row in found
    ]
    return {**header, "kernels": kernels}


@click.command(help=__doc__)
@click.option("--target", "targets", multiple=True, default=tuple(TARGETS))
@click.option("--head-dim", "head_dims", multiple=True, type=int, default=(64, 96, 128))
@click.option("--example", "examples", multiple=True, default=tuple(EXAMPLES))
@click.option("--dtype", default="bfloat16", show_default=True)
@click.option("--output", type=click.Path(path_type=Path))
@click.option("--kept", type=click.Path(path_type=Path), default=KEPT)
def main(
    targets: tuple[str, ...],
    head_dims: tuple[int, ...],
    examples: tuple[str, ...],
    dtype: str,
    output: Path | None,
    kept: Path,
) -> None:
    known = Kept.at(kept)
    found = [
        row
        for target, head_dim in product(targets, head_dims)
        for row in rows(examples, target, head_dim, dtype, known)
    ]
    data = as_data(found, dtype)
    if output is not None:
        output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        output.with_suffix(".md").write_text(page(found, data), encoding="utf-8")
    wrong = [(row, fault) for row in found for fault in faults(row)]
    for row, fault in wrong:
        where = f"{row.target}, head size {row.head_dim}, {row.examples[0]}"
        click.echo(f"{where}, {row.binary.kernel}: {fault}")
    click.echo(f"{len(found)} kernels, {len(wrong)} faults")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
