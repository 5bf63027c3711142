"""`patternc completion`: the script by which a shell completes commands, options and files."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from patternc.cli import files

_VARIABLE = "_PATTERNC_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.option("--install", is_flag=True, help="Write it where the shell looks for it.")
@click.pass_context
def completion(context: click.Context, shell: str | None, install: bool) -> None:
    """Print the completion script of SHELL, that of $SHELL by default, or install it."""
    shell = shell or _of_environment()
    found = get_completion_class(shell)
    assert found is not None
    script = found(context.find_root().command, {}, "patternc", _VARIABLE).source()
    if not install:
        click.echo(script)
        return
    place = _place(shell)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.FileError(f"cannot write {place}: {error.strerror}") from error
    files.write(str(place), script)
    click.echo(f"written to {place}; new shells complete patternc")
    if shell == "zsh":
        click.echo(f"in ~/.zshrc, before `compinit`: fpath+=({place.parent})")


def _of_environment() -> str:
    shell = Path(os.environ.get("SHELL", "")).name
    if shell not in SHELLS:
        raise click.UsageError(f"$SHELL is none of {', '.join(SHELLS)}: name one of them")
    return shell


def _place(shell: str) -> Path:
    """A folder in which the shell looks by itself; of zsh, one that is to be named."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    match shell:
        case "bash":
            return data / "bash-completion" / "completions" / "patternc"
        case "zsh":
            return data / "zsh" / "site-functions" / "_patternc"
        case _:
            return settings / "fish" / "completions" / "patternc.fish"
