"""`patternc plan`: what ranks exchange where a sequence is divided among them."""

from __future__ import annotations

from typing import Any

import click

from patternc.cli import files
from patternc.cli.arguments import defines, one_given, programs, sized, slotted
from patternc.cli.input_files import with_inputs
from patternc.cli.lengths import Length
from patternc.progress import working


@click.command()
@programs("FILE")
@defines
@click.option("-n", "length", type=Length(min=1), required=True, help="Tokens, such as 4k or 1e9.")
@click.option("--ranks", type=click.IntRange(1, 2**16), required=True, help="Devices.")
@click.option(
    "--placement",
    type=click.Choice(["contiguous", "head_tail", "striped"]),
    default="contiguous",
    show_default=True,
    help="Which rows a rank holds.",
)
@click.option("--device", metavar="NAME", help="Adds times: A100, H100, H200, B200, MI300X, CPU.")
@sized
@slotted
@with_inputs
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "-o", "--output", metavar="FILE", default=files.STANDARD, help="[default: standard output]"
)
def plan(
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    length: int,
    ranks: int,
    placement: str,
    device: str | None,
    layers: int | None,
    head_dim: int,
    dtype: str,
    kv_heads: int | None,
    slots: dict[str, int],
    inputs: dict[str, Any],
    batch_element: int | None,
    output_format: str,
    output: str,
) -> None:
    """Plan what RANKS devices exchange in each layer.

    N tokens are divided among them. Keys and values that the queries of a rank attend to and
    others hold follow from the pattern in closed form, at any length.
    """
    from patternc.semantics.errors import InputError, LengthError

    files.verify_apart(paths, {"-o": output})
    given = one_given(paths, text, parameters)
    try:
        with working("plan"):
            found = given.pattern().plan(
                length,
                ranks,
                placement=placement,
                device=device,
                layers=layers,
                head_dim=head_dim,
                dtype=dtype,
                kv_heads=kv_heads,
                slots=slots,
                batch_element=batch_element,
                **inputs,
            )
    except (InputError, LengthError):
        raise
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    told = found.json() if output_format == "json" else f"{found!r}\n"
    if output == files.STANDARD:
        click.echo(told, nl=False)
    else:
        files.write(output, told)
