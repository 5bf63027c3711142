"""`patternc diff`: two programs or masks side by side; exit codes are those of `diff`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from patternc.cli import files
from patternc.cli.arguments import (
    READ,
    Given,
    defines,
    formed,
    slotted,
    text_given,
    verify_read_once,
)
from patternc.cli.from_mask import MASKS, read_mask
from patternc.cli.input_files import given_inputs
from patternc.cli.lengths import Length
from patternc.frozen import frozen
from patternc.progress import working


@click.command()
@click.argument("paths", metavar="[LEFT] [RIGHT]", nargs=-1)
@click.option(
    "-e", "texts", metavar="TEXT", multiple=True, help="Text of a program; repeatable, after FILEs."
)
@defines
@click.option(
    "-n",
    "length",
    type=Length(1, 2**31 - 1),
    help="Length at which counts and reach are compared.  [default: 4096, or the grid's size]",
)
@click.option(
    "--layers",
    type=click.IntRange(1, 2**16),
    help="Layers for reach; schedules repeat.  [default: the larger `layers` header, or 1]",
)
@click.option(
    "--layer", type=click.IntRange(0), default=0, help="The layer to compare with a mask."
)
@formed
@slotted
@given_inputs
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def diff(
    paths: tuple[str, ...],
    texts: tuple[str, ...],
    parameters: dict[str, str],
    length: int | None,
    layers: int | None,
    layer: int,
    when: str | None,
    slots: dict[str, int],
    inputs: dict[str, Any],
    output_format: str,
) -> None:
    """Compare two programs: equal for every n, or the smallest counterexample.

    LEFT and RIGHT are files, `-` for the standard input once, or -e TEXT. A mask, FILE.npy or
    FILE.pt, is compared with a layer of a program, or another mask, at its own length. Exits with 0
    if they are proved equal, 1 if they differ, 2 if that is undecided or a program is invalid.
    """
    from patternc.language.syntax.diagnostics import PatternError
    from patternc.semantics.errors import InputError, LengthError

    try:
        one, other = _sides(paths, texts, parameters)
        with working("diff"):
            found = _compared(one, other, length, layers, layer, when, slots, inputs)
    except PatternError as error:
        click.echo(str(error).rstrip("\n"), err=True)
        sys.exit(2)
    except (files.FileError, InputError, LengthError, TypeError, ValueError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    if output_format == "json":
        click.echo(json.dumps(found.document(), indent=2))
    else:
        click.echo(found.text(), nl=False)
    sys.exit({"equal": 0, "different": 1, "undecided": 2}[found.outcome])


def _sides(
    paths: tuple[str, ...], texts: tuple[str, ...], parameters: dict[str, str]
) -> list[Given | str]:
    """The two sides: programs, and names of files with masks."""
    verify_read_once(paths)
    if len(paths) + len(texts) != 2:
        raise click.UsageError(
            f"expected two sides, FILE or -e TEXT; got {len(paths) + len(texts)}"
        )
    found: list[Given | str] = [
        path if path.endswith(MASKS) else Given(path, files.read(path), parameters)
        for path in paths
    ]
    found += [text_given(text, parameters) for text in texts]
    READ.extend(each for each in found if isinstance(each, Given))
    return found


@frozen
class _Found:
    """What was found, and how it is printed."""

    outcome: str
    text: Callable[[], str]
    document: Callable[[], dict[str, object]]


def _compared(
    one: Given | str,
    other: Given | str,
    n: int | None,
    layers: int | None,
    layer: int,
    when: str | None,
    slots: dict[str, int],
    inputs: dict[str, Any],
) -> _Found:
    from functools import partial

    if isinstance(one, Given) and isinstance(other, Given):
        from patternc.report import diff as difference

        if layer:
            raise ValueError("--layer is for masks: two programs are compared in all layers")
        if inputs:
            raise ValueError("--input is for masks: two programs are compared for all inputs")
        found = one.pattern().diff(other.pattern(), n, layers=layers, slots=slots, when=when)
        printed = partial(difference.text, found), partial(difference.document, found)
        return _Found(found.outcome, *printed)
    from patternc.report import mask_diff

    if when is not None:
        raise ValueError("--when is for two programs: a mask has one length")
    if layers is not None:
        raise ValueError("--layers is for two programs: a mask is compared with one --layer")
    masked = _with_mask(one, other, n, layer, slots, inputs)
    return _Found(
        masked.outcome, partial(mask_diff.text, masked), partial(mask_diff.document, masked)
    )


def _with_mask(
    one: Given | str,
    other: Given | str,
    n: int | None,
    layer: int,
    slots: dict[str, int],
    inputs: dict[str, Any],
) -> Any:
    from patternc.queries.given_masks import given_mask
    from patternc.queries.mask_diff import diff_of_masks

    if isinstance(one, Given):
        assert isinstance(other, str)
        return one.pattern().diff(read_mask(other), n, layer=layer, slots=slots, **inputs)
    left = given_mask(read_mask(one), n)
    if isinstance(other, Given):
        return other.pattern().diff(left, n, layer=layer, slots=slots, **inputs).swapped()
    return diff_of_masks(left, given_mask(read_mask(other), n))
