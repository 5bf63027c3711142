"""`patternc import`: the program of a model's configuration."""

from __future__ import annotations

import click

from patternc.cli import files
from patternc.cli.configurations import changed, named, of_part, program_of_model


@click.command(name="import")
@named
@of_part
@changed
@click.option("-o", "output", metavar="FILE", default=files.STANDARD, help="Write to FILE.")
def import_command(configuration: str, part: str, changes: dict[str, object], output: str) -> None:
    """Write the program of a Transformers configuration.

    CONFIGURATION is a config.json, a folder with one, or the name of a model in the local cache;
    nothing is downloaded. Needs transformers.
    """
    from patternc.pattern import Pattern

    text = program_of_model(configuration, part, changes)
    Pattern.parse(text)
    if output == files.STANDARD:
        click.echo(text, nl=False)
    else:
        files.write(output, text)
