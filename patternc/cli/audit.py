"""`patternc audit`: a model's attention against a program."""

from __future__ import annotations

import sys

import click

from patternc.cli.arguments import all_given, defines
from patternc.cli.configurations import changed, named, of_part
from patternc.cli.lengths import Length


@click.command()
@named
@click.argument("paths", metavar="[FILE]", nargs=-1)
@click.option("-e", "text", metavar="TEXT", help="Text of the program, instead of FILE.")
@defines
@of_part
@changed
@click.option("-n", "length", type=Length(12, 4096), default=24, show_default=True)
@click.option(
    "--attention",
    default="eager",
    show_default=True,
    help="The attention implementation of Transformers that is looked at.",
)
def audit(
    configuration: str,
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    part: str,
    changes: dict[str, object],
    length: int,
    attention: str,
) -> None:
    """Compare the pairs that act in a model with a program.

    CONFIGURATION is a config.json, a folder with one, or a name of the local cache. A small model
    of it with random weights runs whole, padded, and with its cache; widths of layers are made
    small, their number and windows stay (`--set sliding_window=8` makes them small, too). Without a
    program it is compared with what `patternc import` writes. Exits with 1 at the first wrong pair.
    """
    from patternc.bridges.transformers.audit import audit as compare
    from patternc.bridges.transformers.configurations import (
        ConfigurationError,
        load_configuration,
        program_of,
    )
    from patternc.bridges.transformers.small_models import small_model, small_values
    from patternc.pattern import Pattern

    try:
        sizes = small_values(load_configuration(configuration).to_dict())
        found = load_configuration(configuration, **{**sizes, **changes})
        if paths or text is not None:
            _verify_no_part(part)
            pattern = all_given(paths, text, parameters)[0].pattern()
        else:
            pattern = Pattern.parse(program_of(found, part))
        model = small_model(found, attention)
        if part == "encoder" and getattr(found, "is_encoder_decoder", False):
            model = model.get_encoder()  # type: ignore[operator]  # typed as a submodule
        seen = compare(model, pattern, length)
    except (ConfigurationError, ValueError, ImportError) as error:
        raise click.ClickException(str(error)) from error
    if seen.wrong is not None:
        click.echo(str(seen.wrong))
        sys.exit(1)
    click.echo(f"{seen.layers} layers agree: {'; '.join(seen.situations)}")


def _verify_no_part(part: str) -> None:
    if part:
        raise click.UsageError("--part chooses the program of CONFIGURATION; a program is given")
