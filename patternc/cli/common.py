"""What several commands do with a program and their options."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click

from patternc.cli.arguments import Given
from patternc.language.syntax.characters import visible_lines
from patternc.progress import working

if TYPE_CHECKING:
    from patternc.pattern import Pattern


class Rejected(click.ClickException):
    """What is wrong is reported in full already: no prefix, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(visible_lines(self.message.rstrip("\n")), err=True)


def load_pattern(given: Given, ignored: frozenset[str], length: int | None = None) -> Pattern:
    """The pattern of a program; its warnings are reported, with a length also what it brings."""
    from patternc.language.syntax.diagnostics import render

    pattern = given.pattern()
    with working("check"):
        found = pattern.warnings if length is None else pattern.check(length)
    found = tuple(warning for warning in found if warning.code not in ignored)
    if found:
        click.echo(render(found, given.source), err=True)
    return pattern


def check_range(option: str, index: int, count: int | None) -> None:
    if index >= (count or index + 1):
        last = (count or 1) - 1
        raise click.UsageError(
            f"{option} {index} is out of range: the last is {last}, counted from 0"
        )
