"""`patternc stages`: what the stages of a program are, cost, and how far they see."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from patternc.cli import files
from patternc.cli.arguments import counted, defines
from patternc.cli.lengths import Length
from patternc.progress import working

if TYPE_CHECKING:
    from patternc.staged import Stage, Stages

_LENGTH = re.compile(r"([A-Za-z_]\w*)=(\d+)", re.ASCII)


def _lengths(
    _context: click.Context, _option: click.Parameter, given: Iterable[str]
) -> dict[str, int]:
    return counted(given, _LENGTH, "SEQUENCE=COUNT, for example target=128")


@click.command("stages")
@click.argument("path", metavar="FILE")
@defines
@click.option("-n", "length", type=Length(1, 2**24), required=True, help="Tokens.")
@click.option(
    "--sequence",
    "others",
    metavar="SEQUENCE=COUNT",
    multiple=True,
    callback=_lengths,
    help="Length of a sequence that the model gives, in place of N; repeatable.",
)
def stages_command(
    path: str, parameters: dict[str, str], length: int, others: dict[str, int]
) -> None:
    """Report rows, pairs and receptive fields of every stage.

    `reads` is how many of the N tokens a row depends on after its stage, through those before it.
    One stage alone is FILE::NAME for all other commands.
    """
    from patternc.staged import Stages

    stages = Stages(files.read(path), name=path, parameters=parameters)
    lengths = dict.fromkeys(stages.sequences, length)
    for name in others:
        if name not in lengths:
            raise click.UsageError(f"--sequence {name}: expected {', '.join(lengths)}")
    with working("stages"):
        click.echo(_table(stages, {**lengths, **others}), nl=False)


def _table(stages: Stages, lengths: dict[str, int]) -> str:
    rows, reads = stages.rows(lengths), _reads(stages, lengths)
    head = ("stage", "of", "rows", "layers", "pairs", "reads")
    lines = [
        (
            stage.name,
            stage.states + (f", {stage.encoder}" if stage.encoder else ""),
            _rows(stage, rows[stage.name]),
            str(stage.pattern.layers or 1),
            _pairs(stages, stage, lengths),
            reads[stage.name],
        )
        for stage in stages
    ]
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    padded = (zip(line, widths, strict=True) for line in [head, *lines])
    return "".join("  ".join(part.ljust(w) for part, w in line).rstrip() + "\n" for line in padded)


def _rows(stage: Stage, rows: int) -> str:
    if stage.unfold is None:
        return f"{rows:,}"
    windows = stage.windows(rows)
    return f"{rows:,} in {len(windows):,} windows of {windows[0]:,}"


def _pairs(stages: Stages, stage: Stage, lengths: dict[str, int]) -> str:
    """Where run-time inputs decide, nothing is counted here."""
    from patternc.semantics.errors import InputError

    try:
        return f"{stages.pairs_of(stage, lengths):,}"
    except (InputError, TypeError):
        return "at call time"


def _reads(stages: Stages, lengths: dict[str, int]) -> dict[str, str]:
    from patternc.semantics.errors import InputError

    try:
        found = stages.reach(lengths)
    except (InputError, TypeError):
        return dict.fromkeys((stage.name for stage in stages), "at call time")
    except ValueError as error:
        return dict.fromkeys((stage.name for stage in stages), f"({error})")
    return {
        name: f"{each.least:,}"
        if each.least == each.most
        else f"{each.least:,} to {each.most:,}, median {each.median:,}"
        for name, each in found.items()
    }
