"""`patternc report`: what a program costs, and how far it sees."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from patternc.cli import files
from patternc.cli.arguments import defines, ignores, one_given, programs, slotted, typed
from patternc.progress import working

if TYPE_CHECKING:
    from patternc.report.report import Report


@click.command()
@programs("FILE")
@defines
@ignores
@click.option("-n", "length", type=click.IntRange(1, 2**31 - 1), required=True, help="Tokens.")
@click.option(
    "--layers",
    type=click.IntRange(1, 2**16),
    help="Layers; the program's repeat.  [default: as many as it has, or 1]",
)
@click.option("--head-dim", type=click.IntRange(min=1), default=64, show_default=True)
@typed("Of queries, keys and values", "bfloat16")
@click.option("--kv-heads", type=click.IntRange(min=1), help="Key heads.  [default: all heads]")
@slotted
@click.option(
    "--charts",
    metavar="FILE",
    help="Draw cost against length with matplotlib: FILE.svg, .png or .pdf.",
)
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "markdown", "html", "svg"]),
    default="text",
    show_default=True,
)
@click.option(
    "-o", "--output", metavar="FILE", default=files.STANDARD, help="[default: standard output]"
)
def report(
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    ignored: frozenset[str],
    length: int,
    layers: int | None,
    head_dim: int,
    dtype: str,
    kv_heads: int | None,
    slots: dict[str, int],
    charts: str | None,
    output_format: str,
    output: str,
) -> None:
    """Tell what a program costs at N tokens, and how far it sees.

    Counts of pairs are exact, at any length, with closed forms in n; where the call decides pairs,
    they are bounds and say so. `html` is a page with pictures, `svg` how receptive fields grow.
    """
    from patternc.semantics.errors import InputError, LengthError

    files.verify_apart(paths, {"-o": output, "--charts": charts})
    given = one_given(paths, text, parameters)
    try:
        with working("report"):
            found = given.pattern().report(
                length,
                layers,
                head_dim=head_dim,
                dtype=dtype,
                kv_heads=kv_heads,
                slots=slots,
                ignore=ignored,
            )
            told = getattr(found, output_format)()
        if charts:
            _charts(found, charts)
    except (InputError, LengthError):
        raise
    except (ValueError, ModuleNotFoundError) as error:
        raise click.UsageError(str(error)) from error
    if output == files.STANDARD:
        click.echo(told, nl=False)
    else:
        files.write(output, told)


def _charts(found: Report, path: str) -> None:
    from patternc.report.charts import curves, figure

    kind = PurePath(path).suffix.removeprefix(".").lower()
    if not kind:
        raise ValueError(f"--charts {path} has no ending; write FILE.svg, FILE.png or FILE.pdf")
    drawn = curves(found.pattern, found.facts.work, len(found.facts.layers))
    if drawn is None:
        raise ValueError("--charts: the program has a grid, so that only one length fits")
    files.write_bytes(path, figure(drawn, found.title, kind))
