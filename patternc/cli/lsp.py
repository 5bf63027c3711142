"""`patternc lsp`: the language server, for editors to start."""

from __future__ import annotations

import click


@click.command()
def lsp() -> None:
    """Speak the Language Server Protocol on the standard input and output, for editors.

    Diagnostics, hover, completion, formatting, definitions, references and rename. Needs
    `pip install "patternc[lsp]"`.
    """
    try:
        from patternc.editors.server import server
    except ModuleNotFoundError as error:
        if error.name not in ("pygls", "lsprotocol"):
            raise
        message = 'needs pygls: pip install "patternc[lsp]"'
        raise click.ClickException(message) from error
    server.start_io()
