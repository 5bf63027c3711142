"""The longest program of each launch: how many tiles it visits, whole and with long lines cut.

    python benchmarks/programs.py [--length 131072] [--example NAME]

Nothing runs: the lists of tiles that the kernels would take are made and counted. A program along a
row finds the output and dq, one down a column dk and dv; tiles are those that the cost model
chooses. The longest program is the least time that a launch takes, however wide the device.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import click
import torch

from patternc import Pattern
from patternc.runtime.load import load_module

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ("longformer", "bigbird", "led_encoder", "streaming_llm")
CPU = torch.device("cpu")


class Program(NamedTuple):
    """Tiles that programs of a launch visit; `pieces` of a head at most."""

    side: str
    median: int
    whole: int
    cut: int
    pieces: int


def programs(module: ModuleType, n: int) -> Iterator[Program]:
    """Those of the first layer's launches along rows and down columns."""
    for group in module._GROUPS[0]:
        members = module._heads_of(group, module.HEADS or 1)
        for launch in group.passes:
            for rows in (True, False):
                yield _programs(module, launch, members, rows, n)


def _programs(module: ModuleType, launch: Any, members: tuple[int, ...], rows: bool, n: int):
    size = module._Size(n, n, launch.sourced)
    tables = module._tables(launch, size, (), 0, members, CPU)
    call = launch, tables, 0, size, CPU
    plan = module._make_plan(*call) if rows else module._make_columns(*call)
    cut = module._Cutting(rows, False, 1, module._every(members))(*call)
    split = launch.split_rows if rows else launch.split_columns
    visits = _visits(module, plan)
    short = max(int(_visits(module, lists).max()) for lists in (cut.short, *cut.long))
    pieces = sum(len(lists.pieces) for lists in cut.long) // len(members)
    whole, side = int(visits.max()), "rows" if rows else "columns"
    return Program(side, int(visits.median()), whole, *((short, pieces) if split else (whole, 0)))


def _visits(module: ModuleType, lists: Any) -> torch.Tensor:
    return module._visits(lists.full) + module._visits(lists.partial)


@click.command(help=__doc__)
@click.option("--length", default=131072, show_default=True)
@click.option("--example", "examples", multiple=True, default=EXAMPLES)
def main(length: int, examples: tuple[str, ...]) -> None:
    click.echo("| example | pass | programs | median | longest, whole | cut | pieces of a head |")
    click.echo("|---|---|---|---|---|---|---|")
    for example in examples:
        pattern = Pattern.load(ROOT / "examples" / f"{example}.pat")
        module = load_module(
            pattern.compile(layer=0 if pattern.layers else None, backends=("all",), native=True)
        )
        for number, found in enumerate(programs(module, length)):
            cells = (example, number // 2, *found)
            click.echo("| " + " | ".join(f"{x:,}" if type(x) is int else x for x in cells) + " |")


if __name__ == "__main__":
    main()
