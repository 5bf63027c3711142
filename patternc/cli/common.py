"""What several commands do with a program and their options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

import click

from patternc.cli.arguments import Given
from patternc.language.syntax.characters import visible_lines
from patternc.progress import working

if TYPE_CHECKING:
    from patternc.frontend import Frontend
    from patternc.language.syntax.diagnostics import Diagnostic
    from patternc.pattern import Pattern


class Rejected(click.ClickException):
    """What is wrong is reported in full already: no prefix, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(visible_lines(self.message.rstrip("\n")), err=True)


def load_frontend(given: Given, ignored: frozenset[str]) -> Frontend:
    """A program, checked; its warnings are reported."""
    found = given.frontend()
    found.verify_cases()
    _report(given, found.program.warnings, ignored)
    return found


def load_pattern(given: Given, ignored: frozenset[str], length: int | None = None) -> Pattern:
    """The pattern of a program; its warnings are reported, with a length also what it brings."""
    pattern = given.pattern()
    with working("check"):
        found = pattern.warnings if length is None else pattern.check(length)
    _report(given, found, ignored)
    return pattern


def _report(given: Given, found: Iterable[Diagnostic], ignored: frozenset[str]) -> None:
    from patternc.language.syntax.diagnostics import render

    meant = tuple(warning for warning in found if warning.code not in ignored)
    if meant:
        click.echo(render(meant, given.source), err=True)


def check_range(option: str, index: int, count: int | None) -> None:
    if index >= (count or index + 1):
        last = (count or 1) - 1
        raise click.UsageError(
            f"{option} {index} is out of range: the last is {last}, counted from 0"
        )
