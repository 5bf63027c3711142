"""The `patternc` command: arguments in, text and exit codes out.

Results go to the standard output or a file, diagnostics to the standard error. Exit codes: 0 done,
1 something is wrong with the program or a file, 2 wrong usage, 70 an internal error, 130
interrupted. Does nothing that `Pattern` cannot do. No command imports torch; only `--tune` and
masks of FILE.pt do. What a command needs it imports itself, so that help is fast. Interrupts before
`main` are those of `__main__`.
"""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from errno import EBADF
from importlib import import_module
from io import TextIOBase, TextIOWrapper
from pathlib import Path
from typing import Any

import click

from patternc.cli import arguments as programs
from patternc.cli import files
from patternc.cli.common import Rejected
from patternc.exit_codes import INTERRUPTED
from patternc.language.syntax.characters import visible_lines
from patternc.version import __version__

_INTERRUPTED = 130
"""As in `patternc.__main__`."""
_INTERNAL = 70
"""EX_SOFTWARE of sysexits.h."""
# Characters of a program in a report of an internal error.
_ATTACHED = 4_000


_COMMANDS = {
    "audit": "audit:audit",
    "bench": "bench:bench",
    "cache": "cache:cache",
    "check": "check:check",
    "compile": "compile:compile_command",
    "completion": "completion:completion",
    "diff": "diff:diff",
    "doctor": "doctor:doctor",
    "explain": "fmt_explain:explain",
    "explore": "explore:explore",
    "extend": "extend:extend",
    "fmt": "fmt_explain:fmt_command",
    "from-mask": "from_mask:from_mask",
    "import": "import_:import_command",
    "lsp": "lsp:lsp",
    "new": "new:new",
    "plan": "plan:plan",
    "report": "report:report",
    "selftest": "selftest:selftest_command",
    "show": "show:show",
    "stages": "stages:stages_command",
    "suggest": "suggest:suggest",
    "why": "why:why",
}


class Commands(click.Group):
    """Imports the command that is called, and turns errors of the compiler into messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        found: click.Command = getattr(import_module(f"patternc.cli.{module}"), name)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        from patternc.language.syntax.diagnostics import PatternError
        from patternc.semantics.errors import InputError, LengthError

        try:
            return super().invoke(ctx)
        except PatternError as error:
            raise Rejected(str(error)) from error
        except (files.FileError, InputError, LengthError) as error:
            raise Rejected(f"error: {error}") from error
        except KeyboardInterrupt as error:
            raise click.Abort from error


def main() -> None:
    """The command with the arguments of the process, which ends here."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    if sys.stdout is None:
        sys.stdout = _Closed()
    programs.READ.clear()
    code = _guarded(lambda: _run(sys.argv[1:]))
    written = _guarded(_flush)
    if written:
        # Nothing more can be written there, also not at the interpreter's end.
        sys.stdout = None
    # All is written: an interrupt from here on changes nothing.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code or written)


class _Closed(TextIOBase):
    """The standard output where it is closed: a result that goes there is an error."""

    def write(self, _text: str) -> int:
        raise OSError(EBADF, "the standard output is closed")


def _run(arguments: Sequence[str]) -> int:
    try:
        # No value is a success; a number is what `Context.exit` was given.
        return commands.main(arguments, prog_name="patternc", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code


def _flush() -> int:
    if sys.stdout is not None:
        sys.stdout.flush()
    return 0


def _guarded(work: Callable[[], int]) -> int:
    """The exit code of what is done; uncaught errors are reported here, once."""
    try:
        return work()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except (click.Abort, KeyboardInterrupt):
        _tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    except OSError as error:
        _tell(f"error: {(error.strerror or str(error)).lower()}")
        return 1
    except MemoryError:
        _tell("error: not enough memory")
        return 1
    except Exception as error:
        _tell(internal_error(error))
        return _INTERNAL


def internal_error(error: Exception) -> str:
    """What a report of it needs: the error, where it came from, and the programs."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    lines = [f"internal error, please report: {said} (patternc {__version__}, {place})"]
    for given in programs.READ:
        lines.append(f"the program {given.name}, with {given.parameters}:")
        lines += [f"    {line}" for line in given.text[:_ATTACHED].splitlines()]
    return visible_lines("\n".join(lines))


def _tell(text: str) -> None:
    with suppress(OSError, ValueError):
        click.echo(text, err=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="patternc")
def commands() -> None:
    """A compiler for attention patterns.

    \b
    patternc new     bigbird                         a program to start from
    patternc show    -e "local(256) + global([0])"   look at a pattern
    patternc check   bigbird.pat                     find mistakes
    patternc report  bigbird.pat -n 4096             cost and reach
    patternc plan    gemma.pat -n 1e9 --ranks 1024   what ranks exchange
    patternc diff    a.pat b.pat                     compare two programs
    patternc why     a.pat -n 64 --query 9 --key 2   explain a pair
    patternc suggest -n 16384 --layers 12            find parameters
    patternc from-mask mask.npy                      find a mask's program
    patternc compile bigbird.pat -o kernel.py        write its kernels
    patternc bench   bigbird.pat -n 4k               time it on this machine
    patternc doctor                                  what works on this machine

    FILE is a program, `-` the standard input; `-e TEXT` passes the program as text.
    """
