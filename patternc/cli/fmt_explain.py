"""`patternc fmt` and `patternc explain`: the text of programs and of diagnostics."""

from __future__ import annotations

import sys

import click

from patternc.cli import files
from patternc.cli.arguments import INLINE, all_given, programs
from patternc.language.syntax.characters import visible


@click.command(name="fmt")
@programs("FILE...")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file would change.")
def fmt_command(paths: tuple[str, ...], text: str | None, check: bool) -> None:
    """Format programs in the canonical style; comments are kept.

    Files are rewritten in place; the standard input and -e TEXT go to the standard output.
    """
    from patternc.language import fmt

    changed = False
    for given in all_given(paths, text):
        neat = fmt(given.text, given.name)
        changed |= neat != given.text
        if check:
            if neat != given.text:
                click.echo(f"would change {visible(given.name)}", err=True)
        elif given.name in (INLINE, files.STANDARD):
            click.echo(neat, nl=False)
        elif neat != given.text:
            files.write(given.name, neat)
    if check and changed:
        sys.exit(1)


@click.command()
@click.argument("code")
def explain(code: str) -> None:
    """Explain a diagnostic: the rule, a wrong program and a right one."""
    from patternc.language import explain as page

    click.echo(page(code.upper()), nl=False)
