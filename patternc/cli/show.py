"""`patternc show`: a picture of a pattern."""

from __future__ import annotations

import shutil
from typing import Any

import click

from patternc.cli import files
from patternc.cli.arguments import Given, defines, ignores, one_given, programs
from patternc.cli.common import check_range, load_pattern
from patternc.cli.configurations import of_part, program_of_model
from patternc.cli.input_files import length_of, with_inputs
from patternc.cli.lengths import Length
from patternc.progress import working


@click.command()
@programs("FILE")
@defines
@ignores
@click.option(
    "-n",
    "length",
    type=Length(1, 2**24),
    help="Tokens.  [default: chosen automatically]",
)
@click.option("--layer", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--head", type=click.IntRange(min=0), help="Only this head.  [default: all]")
@click.option("--rows", metavar="NAME", default="", help="Query set: a stream by name, or `tree`.")
@click.option(
    "--model", metavar="CONFIGURATION", help="Draw the program of a model: see `patternc import`."
)
@of_part
@with_inputs
@click.option("--svg", "drawing", metavar="FILE", help="Write the picture to FILE as SVG.")
def show(
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    ignored: frozenset[str],
    length: int | None,
    layer: int,
    head: int | None,
    rows: str,
    model: str | None,
    part: str,
    inputs: dict[str, Any],
    batch_element: int | None,
    drawing: str | None,
) -> None:
    """Draw a pattern, with its pairs, density and tiles.

    Run-time inputs are made up, unless `--input NAME=FILE` gives them. `--rows NAME` draws what the
    slots of a stream attend to, or the spans of a tree.
    """
    from patternc.algebra.work_budget import EffortError
    from patternc.report.drawing import MOST_PANELS, fitting_panels
    from patternc.report.drawing import drawing as drawn
    from patternc.semantics.dense_strips import SizeError

    if drawing == files.STANDARD:
        raise click.UsageError("--svg needs a file name")
    files.verify_apart(paths, {"--svg": drawing})
    if part and model is None:
        raise click.UsageError("--part is of a --model")
    if model is not None:
        given = _of_model(model, part, paths, text, parameters)
    else:
        given = one_given(paths, text, parameters)
    pattern = load_pattern(given, ignored, length)
    length = length or length_of(inputs, pattern.inputs)
    check_range("--layer", layer, pattern.layers)
    check_range("--head", head or 0, pattern.heads)
    if rows and rows not in pattern.rows:
        listed = ", ".join(pattern.rows) or "only the tokens"
        raise click.UsageError(f"--rows {rows}: this pattern has {listed}")
    most = MOST_PANELS if drawing else fitting_panels(shutil.get_terminal_size().columns)
    asked = length, layer, head, rows, inputs, batch_element, most
    try:
        with working("show"):
            found = drawn(pattern, given.title, *asked)
    except (EffortError, SizeError) as error:
        raise click.ClickException(f"cannot be drawn at this length: {error}") from error
    click.echo(f"{found.title}: {found.caption}")
    if drawing:
        files.write(drawing, found.svg())
    else:
        click.echo(found.blocks)
    if found.more:
        click.echo(f"other heads differ; --head 0 to --head {(pattern.heads or 1) - 1} shows one")
    click.echo(found.numbers)
    if not rows and pattern.rows:
        click.echo(f"more query sets: --rows {' or --rows '.join(pattern.rows)}")


def _of_model(
    model: str, part: str, paths: tuple[str, ...], text: str | None, parameters: dict[str, str]
) -> Given:
    """The program of a configuration, in the place of a file."""
    if paths or text is not None:
        raise click.UsageError("--model replaces FILE and -e TEXT; remove one of them")
    return Given(model, program_of_model(model, part, {}), parameters)
