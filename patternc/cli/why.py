"""`patternc why`: the reason why a query attends to a key, or does not."""

from __future__ import annotations

import json
from typing import Any

import click

from patternc.cli.arguments import defines, one_given, programs, slotted
from patternc.cli.input_files import with_inputs
from patternc.cli.lengths import Length
from patternc.progress import working


@click.command()
@programs("FILE")
@defines
@click.option("-n", "length", type=Length(1, 2**31 - 1), required=True, help="Tokens.")
@click.option("--query", type=click.IntRange(min=0), required=True, help="Counted from 0.")
@click.option("--key", type=click.IntRange(min=0), required=True, help="Counted from 0.")
@click.option("--layer", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--head", type=click.IntRange(min=0), help="Only this head.  [default: all]")
@click.option(
    "--layers",
    type=click.IntRange(min=0),
    help="Maximum number of layers of a path.  [default: the program's, or 256]",
)
@slotted
@with_inputs
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def why(
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    length: int,
    query: int,
    key: int,
    layer: int,
    head: int | None,
    layers: int | None,
    slots: dict[str, int],
    inputs: dict[str, Any],
    batch_element: int | None,
    output_format: str,
) -> None:
    """Explain why a query attends to a key, or does not, and the path that connects them.

    The terms that allow the pair, the rule that excludes it, and a shortest path over layers.
    """
    from patternc.report import why as reasons

    pattern = one_given(paths, text, parameters).pattern()
    try:
        with working("why"):
            found = pattern.why(
                length,
                query,
                key,
                layer=layer,
                head=head,
                layers=layers,
                slots=slots,
                batch_element=batch_element,
                **inputs,
            )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if output_format == "json":
        click.echo(json.dumps(reasons.document(found), indent=2))
    else:
        click.echo(reasons.text(found), nl=False)
