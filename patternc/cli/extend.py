"""`patternc extend`: a model of Transformers for longer sequences."""

from __future__ import annotations

import click

from patternc.cli.arguments import all_given, defines
from patternc.cli.lengths import Length


@click.command()
@click.argument("folder", metavar="FOLDER")
@click.argument("paths", metavar="[FILE]", nargs=-1)
@click.option("-e", "text", metavar="TEXT", help="Text of the program, instead of FILE.")
@defines
@click.option("-n", "--length", type=Length(min=1), required=True, help="Tokens.")
@click.option("-o", "--output", metavar="FOLDER", required=True, help="The new folder.")
def extend(
    folder: str,
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    length: int,
    output: str,
) -> None:
    """Make a BERT or RoBERTa one of long sequences, as Longformer was made.

    FOLDER is that of a saved model. Its position embeddings are repeated up to the length, the
    program is its attention, and projections of the program begin as copies of those of the model.
    `patternc.bridges.transformers.extend.load` gives the model of the new folder, to be trained
    further. Needs transformers.
    """
    from patternc.bridges.transformers.extend import extend as write

    programs = all_given(paths, text, parameters)
    if len(programs) != 1:
        raise click.UsageError("expected one program: FILE, or -e TEXT")
    pattern = programs[0].pattern()
    try:
        write(folder, pattern, length, output)
    except (ValueError, OSError, ImportError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{output}: {length} positions, {' '.join(pattern.text.split())}")
