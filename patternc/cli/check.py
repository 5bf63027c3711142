"""`patternc check`: mistakes of programs, and what they need at call time."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from patternc.cli.arguments import Given, Unread, defines, each_given, formed, ignores, programs
from patternc.cli.lengths import Length
from patternc.progress import steps

if TYPE_CHECKING:
    from patternc.language.syntax.diagnostics import PatternError
    from patternc.report.check import Report


@click.command()
@programs("FILE...")
@defines
@ignores
@click.option(
    "-n",
    "length",
    type=Length(1, 2**24),
    help="Length at which to check empty rows and causality.  [default: 4096, or the grid's size]",
)
@click.option(
    "--teach",
    is_flag=True,
    help="Also print performance hints and positions never connected.",
)
@formed
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
)
def check(
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    ignored: frozenset[str],
    length: int | None,
    teach: bool,
    when: str | None,
    output_format: str,
) -> None:
    """Find mistakes, and list the run-time inputs of a program.

    Of a program of stages those of each, FILE::NAME.

    Exits with 1 if a program has an error, or a file cannot be read. Warnings do not count.
    """
    from patternc.report.check import document, findings, summary

    given = [part for each in each_given(paths, text, parameters) for part in _parts(each)]
    reports = [_checked(each, length, ignored, teach, when) for each in steps(given, "check")]
    if output_format == "json":
        click.echo(json.dumps(document(reports), indent=2))
    elif output_format == "sarif":
        from patternc.report.sarif import sarif

        click.echo(json.dumps(sarif(reports), indent=2))
    else:
        for report in reports:
            click.echo(findings(report), err=True, nl=False)
            click.echo(summary(report))
    if any(report.failed for report in reports):
        sys.exit(1)


def _parts(given: Given | Unread) -> Iterator[Given | Unread | PatternError]:
    """The program; of a program of stages each by itself, or how they are misjoined."""
    from patternc.language.stages import has_stages, stages_of
    from patternc.language.syntax.diagnostics import PatternError

    if isinstance(given, Unread) or not has_stages(given.text, given.name):
        yield given
        return
    try:
        for stage in stages_of(given.text, given.name, given.parameters):
            parameters = {name: str(value) for name, value in stage.parameters.items()}
            yield Given(f"{given.name}::{stage.name}", stage.text, parameters)
    except PatternError as error:
        yield error


def _checked(
    given: Given | Unread | PatternError,
    length: int | None,
    ignored: frozenset[str],
    teach: bool,
    when: str | None,
) -> Report:
    from patternc.language.syntax.diagnostics import Diagnostic, PatternError
    from patternc.language.syntax.source import SourceText
    from patternc.report.check import Report

    if isinstance(given, Unread):
        return Report(SourceText.of("", given.name), (Diagnostic("P000", given.reason),))
    if isinstance(given, PatternError):
        return Report(given.source, given.diagnostics)
    try:
        pattern = given.pattern()
    except PatternError as error:
        return Report(error.source, error.diagnostics)
    try:
        found = pattern.check(length, ignore=ignored, teach=teach, when=when)
    except ValueError as error:
        if when is None:
            raise
        raise click.UsageError(str(error)) from error
    return Report(given.source, found, pattern.inputs, pattern.heads, pattern.layers)
