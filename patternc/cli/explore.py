"""`patternc explore`: the page on which a pattern is typed and looked at."""

from __future__ import annotations

import webbrowser
from urllib.parse import quote, urlencode

import click

from patternc.cli.arguments import one_given, programs
from patternc.cli.lengths import Length

DEFAULT = "local(256) + global([0])"


@click.command()
@programs("[FILE]")
@click.option("-n", "length", type=Length(1, 2**31 - 1), help="Tokens.  [default: 4096]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="[default: any free one]")
@click.option("--browser/--no-browser", default=True, help="Open the page.  [default: yes]")
def explore(
    paths: tuple[str, ...],
    text: str | None,
    length: int | None,
    port: int,
    browser: bool,
) -> None:
    """Open a page on which a pattern is typed, zoomed into, pointed at and compared.

    The page is served to this machine alone, at an address with a token, until Ctrl-C. FILE is
    read, and never written.
    """
    from patternc.explore.server import Server
    from patternc.explore.worker import Workers

    given = one_given(paths, text, {}).text if paths or text is not None else DEFAULT
    with Workers() as workers:
        try:
            server = Server(workers.answer, port)
        except OSError as error:
            raise click.ClickException(f"--port {port}: {error.strerror}") from error
        with server:
            shown = {"text": given, "n": length or 4096}
            address = f"{server.url}#{urlencode(shown, quote_via=quote)}"
            click.echo(f"{address}\nCtrl-C ends it")
            if browser:
                webbrowser.open(address)
            server.serve_forever()
