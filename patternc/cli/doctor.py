"""`patternc doctor`: what works on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from patternc.cli.common import Rejected
from patternc.progress import working


@click.command()
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def doctor(output_format: str) -> None:
    """Print versions, and try what works on this machine: compiler, GPU, each backend.

    Exits with 1 if something fails that should work. What a machine may lack is `absent`.
    """
    from patternc.machine.doctor import findings

    found = []
    with working("doctor"):
        for each in findings():
            found.append(each)
            if output_format == "text":
                click.echo(f"{each.state:<7} {each.name:<26} {each.told}")
    if output_format == "json":
        rows = [asdict(each) for each in found]
        click.echo(json.dumps({"format": "patternc-doctor/1", "findings": rows}, indent=2))
    failed = [each.name for each in found if each.state == "fails"]
    if failed:
        raise Rejected(f"error: {', '.join(failed)} fails")
