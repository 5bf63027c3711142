"""`patternc report`: what a program costs, and how far it sees."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click

from patternc.cli import files
from patternc.cli.arguments import defines, formed, ignores, one_given, programs, sized, slotted
from patternc.cli.input_files import with_inputs
from patternc.cli.lengths import Length
from patternc.progress import working

if TYPE_CHECKING:
    from patternc.report.report import Report


@click.command()
@programs("FILE")
@defines
@ignores
@click.option("-n", "length", type=Length(1, 2**31 - 1), required=True, help="Tokens.")
@sized
@formed
@slotted
@with_inputs
@click.option(
    "--charts",
    metavar="FILE",
    help="Plot cost against length with matplotlib: FILE.svg, .png or .pdf.",
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
    when: str | None,
    slots: dict[str, int],
    inputs: dict[str, Any],
    batch_element: int | None,
    charts: str | None,
    output_format: str,
    output: str,
) -> None:
    """Report cost and receptive fields at N tokens.

    Pair counts are exact at any length, with closed forms in n; where run-time inputs decide pairs,
    they are bounds and marked as such, unless `--input NAME=FILE` gives them. `html` is a page with
    figures, `svg` shows the growth of receptive fields.
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
                when=when,
                batch_element=batch_element,
                **inputs,
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
        raise ValueError(f"--charts {path} has no extension; write FILE.svg, FILE.png or FILE.pdf")
    drawn = curves(found.pattern, found.facts.work, len(found.facts.layers))
    if drawn is None:
        raise ValueError("--charts: a program with a grid has only one valid length")
    files.write_bytes(path, figure(drawn, found.title, kind))
