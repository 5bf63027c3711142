"""`patternc diff`: two programs side by side; exit codes are those of `diff`."""

from __future__ import annotations

import json
import sys

import click

from patternc.cli import files
from patternc.cli.arguments import all_given, defines, slotted
from patternc.progress import working


@click.command()
@click.argument("left", metavar="LEFT")
@click.argument("right", metavar="RIGHT")
@defines
@click.option(
    "-n",
    "length",
    type=click.IntRange(1, 2**31 - 1),
    help="Length at which counts and reach are compared.  [default: 4096, or the grid's size]",
)
@click.option(
    "--layers",
    type=click.IntRange(1, 2**16),
    help="Layers for reach; schedules repeat.  [default: the larger `layers` header, or 1]",
)
@slotted
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_context
def diff(
    context: click.Context,
    left: str,
    right: str,
    parameters: dict[str, str],
    length: int | None,
    layers: int | None,
    slots: dict[str, int],
    output_format: str,
) -> None:
    """Compare two programs: equal for every n, or the smallest counterexample.

    LEFT and RIGHT are files, `-` for the standard input once. Exits with 0 if they are proved
    equal, 1 if they differ, 2 if that is undecided or a program is invalid.
    """
    from patternc.language.syntax.diagnostics import PatternError
    from patternc.report import diff as difference
    from patternc.semantics.errors import InputError, LengthError

    try:
        one, other = (given.pattern() for given in all_given((left, right), None, parameters))
        with working("diff"):
            found = one.diff(other, length, layers=layers, slots=slots)
    except PatternError as error:
        click.echo(str(error).rstrip("\n"), err=True)
        sys.exit(2)
    except (files.FileError, InputError, LengthError, ValueError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    if output_format == "json":
        click.echo(json.dumps(difference.document(found), indent=2))
    else:
        click.echo(difference.text(found), nl=False)
    sys.exit({"equal": 0, "different": 1, "undecided": 2}[found.outcome])
