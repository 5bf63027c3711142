"""`patternc new`: a program to start from, in a file of its own."""

from __future__ import annotations

import re
from pathlib import Path

import click

from patternc.cli import files

START = """\
# {name}: which keys each query of an attention sees.
#
#   patternc show {file}             look at it
#   patternc check {file}            find mistakes
#   patternc report {file} -n 4096   cost and reach
#   patternc compile {file} -o kernel.py

# A number that a call may change: patternc show {file} -D window=8
param window = 256

# No query sees a later key. A model that reads both ways leaves the line out.
causal

# What a query sees: `+` is either, `&` both, `-` without. Here the window before it, its own
# position included, and the first four tokens.
local(left=window) + columns([0:4])

# Heads and layers may differ. In place of the rule above:
#
#   heads 12
#   layers 6
#   layer % 6 == 5 -> full
#   head < 2       -> local(left=window, dilation=2)
#   else           -> local(left=window) + columns([0:4])
#
# More words: same(document) for packed documents, segment(128) for chunks, strided(64),
# global([0]), blocks(64) {{ random(3) }}, with alibi, with softcap(30).
# Published patterns: patternc new --from bigbird
"""


@click.command()
@click.argument("name", default="pattern")
@click.option("--from", "example", metavar="EXAMPLE", help="A published pattern in place of it.")
def new(name: str, example: str | None) -> None:
    """Write a commented program NAME.pat to start from; `-` is the standard output.

    A file that exists is never replaced.
    """
    file = name if name == files.STANDARD or name.endswith(".pat") else f"{name}.pat"
    text = _published(example) if example is not None else _start(file)
    if file == files.STANDARD:
        click.echo(text, nl=False)
        return
    if Path(file).exists():
        raise files.FileError(f"{file} exists; choose another NAME")
    files.write(file, text)
    click.echo(f"{file}: try patternc show {file}", err=True)


def _start(file: str) -> str:
    given = "pattern.pat" if file == files.STANDARD else Path(file).name
    named = re.sub(r"[^ -~]", "?", given)
    return START.format(name=named.removesuffix(".pat"), file=named)


def _published(example: str) -> str:
    from patternc.zoo import published

    try:
        return published(example.removesuffix(".pat"))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--from") from error
