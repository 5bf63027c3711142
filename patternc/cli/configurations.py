"""Configurations of models as a command line names them."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click


def _changes(
    _context: click.Context, _option: click.Parameter, given: Iterable[str]
) -> dict[str, object]:
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip().isidentifier():
            raise click.BadParameter(f"{each!r}; expected NAME=VALUE, for example sliding_window=8")
        try:
            found[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            found[name.strip()] = value
    return found


def program_of_model(configuration: str, part: str, changes: dict[str, object]) -> str:
    """The text of a configuration's program; what is wrong with it is an error of the command."""
    from patternc.bridges.transformers.configurations import (
        ConfigurationError,
        load_configuration,
        program_of,
    )

    try:
        return program_of(load_configuration(configuration, **changes), part)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error


named = click.argument("configuration", metavar="CONFIGURATION")
of_part = click.option(
    "--part",
    type=click.Choice(["encoder", "decoder"]),
    callback=lambda _context, _option, part: part or "",
    help="Which part of a model of both, or what a model is whose configuration does not say it.",
)
changed = click.option(
    "--set",
    "changes",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_changes,
    help="Set a value of the configuration, before layers are derived; repeatable.",
)
