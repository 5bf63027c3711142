"""The command `patternc suggest`: arguments in, a program with its numbers out.

The search is in `search`, the wording in `report.suggest`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from patternc.cli import files
from patternc.cli.arguments import one_given, programs
from patternc.cli.lengths import Length
from patternc.language.syntax.characters import visible
from patternc.language.syntax.spelling import nearest
from patternc.progress import working

if TYPE_CHECKING:
    from patternc.search import SearchQuery, Template

_VARIED = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(\S.*)", re.ASCII)
_COUNT = re.compile(r"(\d+)(?:\.(\d*))?(?:[eE]\+?(\d+))?", re.ASCII)


def _count(_context: click.Context, _option: click.Parameter, given: str | None) -> int | None:
    """A whole number from 1 on, also written as 4e6."""
    if given is None:
        return None
    found = _COUNT.fullmatch(given)
    whole, part, power = (found[1], found[2] or "", int(found[3] or 0)) if found else ("0", "", 0)
    count = int(whole + part[:power].ljust(power, "0")) if power <= 18 else 0
    if not count or len(part.rstrip("0")) > power:
        raise click.BadParameter(f"{given!r}: expected an integer, for example 4000000 or 4e6")
    return count


def _varied(
    _context: click.Context, _option: click.Parameter, given: Iterable[str]
) -> dict[str, str]:
    pairs = {item: _VARIED.fullmatch(item) for item in given}
    for item, pair in pairs.items():
        if pair is None:
            raise click.BadParameter(f"{item!r}: expected NAME=VALUES, such as w=16:512 or d=1,2,4")
    return {pair[1]: pair[2] for pair in pairs.values() if pair}


@click.command()
@programs("[FILE]")
@click.option("-n", "length", type=Length(1, 2**24), required=True, help="Tokens.")
@click.option(
    "--layers", type=click.IntRange(1, 4096), required=True, help="Maximum number of layers."
)
@click.option(
    "--pairs",
    metavar="COUNT",
    callback=_count,
    help="Maximum average number of pairs per head and layer.  [default: unlimited]",
)
@click.option(
    "--heads",
    type=click.IntRange(min=1),
    help="For programs without a `heads` header.",
)
@click.option("--causal", is_flag=True, help="Restrict every pattern to earlier keys.")
@click.option(
    "--template",
    "chosen",
    metavar="NAME|TEXT",
    multiple=True,
    help="Search only this template, or a program with parameters; repeatable.  [default: all]",
)
@click.option(
    "--vary",
    "varied",
    metavar="NAME=VALUES",
    multiple=True,
    callback=_varied,
    help="Values of a parameter: 16:512, 1,2,4, 16:n:*2 or 64:1025:64; repeatable.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    help="Maximum number of receptive fields evaluated for each template.",
)
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "-o", "--output", metavar="FILE", default=files.STANDARD, help="[default: standard output]"
)
def suggest(
    paths: tuple[str, ...],
    text: str | None,
    length: int,
    layers: int,
    pairs: int | None,
    heads: int | None,
    causal: bool,
    chosen: tuple[str, ...],
    varied: dict[str, str],
    trials: int,
    output_format: str,
    output: str,
) -> None:
    """Find parameters that connect every pair in the fewest layers.

    Templates: window, dilated, dilated_global, longformer, bigbird, strided, fixed, longnet; or a
    program of your own, as FILE, -e TEXT or --template TEXT, whose parameters --vary names. Every
    count and every receptive field is exact. The result is a program, its numbers in comments.
    """
    from patternc.report.suggest import document, nothing_fits, program
    from patternc.search import SearchQuery
    from patternc.search import suggest as search

    files.verify_apart(paths, {"-o": output})
    asked = SearchQuery(length, layers, pairs, heads, causal, trials)
    try:
        templates = _templates(paths, text, chosen, varied, asked)
        with working("suggest"):
            answer = search(asked, templates)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if output_format == "text" and answer.best is None:
        raise click.ClickException(nothing_fits(answer))
    as_json = output_format == "json"
    told = json.dumps(document(answer), indent=2) + "\n" if as_json else program(answer)
    if output == files.STANDARD:
        click.echo(told, nl=False)
    else:
        files.write(output, told)


def _chosen(name: str, known: Mapping[str, Template], asked: SearchQuery) -> Template:
    """A template by its name, or a program as text."""
    from patternc.search import Template

    if name == "longnet" and not asked.heads:
        raise click.UsageError(f"the template {name} differs between heads: add --heads 12")
    if name.isidentifier() and name not in known:
        near = nearest(name, known)
        meant = f"did you mean {near}? " if near else ""
        raise click.UsageError(f"no template {name}; {meant}expected one of {', '.join(known)}")
    return known.get(name) or Template("program", "", name + "\n", {})


def _templates(
    paths: tuple[str, ...],
    text: str | None,
    chosen: tuple[str, ...],
    varied: dict[str, str],
    asked: SearchQuery,
) -> list[Template]:
    """The user's own program, those chosen, or all that the question fits."""
    from patternc.search import Template, templates

    known = templates()
    if paths or text is not None:
        given = one_given(paths, text, {})
        found = [Template(visible(given.stem) if paths else "program", "", given.text, {})]
    elif chosen:
        found = [_chosen(each, known, asked) for each in chosen]
    else:
        found = [one for name, one in known.items() if asked.heads or name != "longnet"]
    if varied and len(found) > 1:
        raise click.UsageError("--vary needs a single template: add --template")
    return [one.varied(varied) for one in found]
