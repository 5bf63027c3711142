"""The `patternc` command: arguments in, text and exit codes out.

Results go to the standard output or a file, diagnostics to the standard error. Exit codes: 0 done,
1 something is wrong with the program or a file, 2 wrong usage, 130 interrupted. Non-goals: anything
that `Pattern` cannot do. No command imports torch; only `--tune` does. What a command needs it
imports itself: help is told at once, and an interrupt finds `main` at work.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Any

import click

from patternc import __version__, files
from patternc.commands.check import check
from patternc.commands.compile import compile_command
from patternc.commands.diff import diff
from patternc.commands.report import report
from patternc.commands.shared import Rejected
from patternc.commands.show import show
from patternc.commands.suggest import suggest
from patternc.commands.texts import explain, fmt_command
from patternc.commands.why import why


class Commands(click.Group):
    """A group that turns the errors of the compiler into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        from patternc.language.diagnostics import PatternError
        from patternc.relation.errors import InputError, LengthError

        try:
            return super().invoke(ctx)
        except PatternError as error:
            raise Rejected(str(error)) from error
        except (files.FileError, InputError, LengthError) as error:
            raise Rejected(f"error: {error}") from error


def main() -> None:
    """The entry point; an interrupt exits as shells expect."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        sys.exit(commands.main(prog_name="patternc", standalone_mode=False))
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="patternc")
def commands() -> None:
    """A compiler for attention patterns.

    \b
    patternc show    -e "local(256) + global([0])"   look at a pattern
    patternc check   bigbird.pat                     find mistakes
    patternc report  bigbird.pat -n 4096             tell cost and reach
    patternc diff    a.pat b.pat                     compare two programs
    patternc why     a.pat -n 64 --query 9 --key 2   ask for the reason
    patternc suggest -n 16384 --layers 12            find parameters
    patternc compile bigbird.pat -o kernel.py        write its kernels

    FILE is a program, `-` the standard input; with `-e TEXT` the program stands on the command
    line.
    """


for command in (compile_command, check, show, report, fmt_command, explain, diff, why, suggest):
    commands.add_command(command)
