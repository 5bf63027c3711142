"""Every kernel of every example compiled for GPUs that are not there, and what the binaries use.

    python benchmarks/sweep.py [--target sm_90] [--head-dim 64] [--example NAME] [--output FILE]

Per kernel: registers, instructions that access local memory, bytes of shared memory, instructions
that multiply matrices and all instructions (bf16). Kernels of equal text are compiled once. On
sm_90 a spill or a product off the tensor cores is named at the end, and the exit code is 1. Hours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from patternc import Pattern
from patternc.runtime.load import load_module
from patternc.runtime.offline import SHARED_MEMORY, TARGETS, compile_offline

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.pat"))
Row = dict[str, object]


def rows(examples: tuple[str, ...], target: str, head_dim: int) -> Iterator[Row]:
    known: set[str] = set()
    for example in examples:
        pattern = Pattern.load(ROOT / "examples" / f"{example}.pat")
        module = load_module(pattern.compile(dtype="bfloat16", head_dim=head_dim))
        for binary in compile_offline(module, target, "bfloat16", head_dim, known):
            yield {"example": example, "target": target, "head_dim": head_dim, **asdict(binary)}


def is_wrong(row: Row) -> bool:
    """Does a kernel break what is asked of it?"""
    target = str(row["target"])
    crowded = int(str(row["shared_bytes"])) > SHARED_MEMORY[target]
    unit = row["tensor_core"] if row["kind"] != "delta" else "none"
    slow = unit == "" or (target == "sm_90" and unit not in ("HGMMA", "none"))
    return crowded or slow or (target == "sm_90" and row["spills"] != 0)


@click.command(help=__doc__)
@click.option("--target", "targets", multiple=True, default=tuple(TARGETS))
@click.option("--head-dim", "head_dims", multiple=True, type=int, default=(64, 96, 128))
@click.option("--example", "examples", multiple=True, default=tuple(EXAMPLES))
@click.option("--output", type=click.Path(path_type=Path))
def main(
    targets: tuple[str, ...],
    head_dims: tuple[int, ...],
    examples: tuple[str, ...],
    output: Path | None,
) -> None:
    found = []
    for target in targets:
        for head_dim in head_dims:
            for row in rows(examples, target, head_dim):
                found.append(row)
                click.echo("  ".join(f"{value}" for value in row.values()))
    if output is not None:
        output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    wrong = [row for row in found if is_wrong(row)]
    click.echo(f"{len(found)} kernels, {len(wrong)} that break what is asked")
    for row in wrong:
        click.echo("  ".join(f"{value}" for value in row.values()))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
