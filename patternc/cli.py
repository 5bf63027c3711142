"""The `patternc` command: arguments in, text and exit codes out.

Results go to the standard output or a file, diagnostics to the standard error. Exit codes: 0 done,
1 something is wrong with the program or a file, 2 wrong usage, 130 interrupted. Non-goals: anything
that `Pattern` cannot do. No command imports torch; only `--tune` does. What a command needs it
imports itself: help is told at once, and an interrupt finds `main` at work.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from io import TextIOWrapper
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any

import click

from patternc import __version__, files
from patternc.commands.diff import diff
from patternc.commands.suggest import suggest
from patternc.commands.why import why
from patternc.pipeline import STAGES, Stage
from patternc.programs import (
    INLINE,
    Given,
    Unread,
    all_given,
    defines,
    each_given,
    ignores,
    one_given,
    programs,
    slotted,
)
from patternc.progress import steps, working
from patternc.tuning import tile_shape, tuned

if TYPE_CHECKING:
    from patternc.pattern import Pattern
    from patternc.report.findings import Report
    from patternc.report.model import ModelReport


class Rejected(click.ClickException):
    """What is wrong is told in full already: no prefix, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message.rstrip("\n"), err=True)


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


def _understood(given: Given, ignored: frozenset[str], length: int | None = None) -> Pattern:
    """The pattern of a program; its warnings are told, with a length also what it brings."""
    from patternc.language.diagnostics import render

    pattern = given.pattern()
    with working("check"):
        found = pattern.warnings if length is None else pattern.check(length)
    found = tuple(warning for warning in found if warning.code not in ignored)
    if found:
        click.echo(render(found, given.source), err=True)
    return pattern


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


@commands.command(name="compile")
@programs("FILE")
@defines
@ignores
@click.option(
    "-o", "--output", metavar="FILE", default=files.STANDARD, help="[default: standard output]"
)
@click.option("--layer", type=click.IntRange(min=0), help="Only this layer.  [default: all]")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16", "bfloat16"]),
    help="Choose tiles for this data type.",
)
@click.option("--head-dim", type=click.IntRange(min=1), help="Choose tiles for this head size.")
@click.option(
    "--tiles",
    type=tile_shape,
    metavar="QxK",
    help="Rows of a query tile and keys of a key tile, 128x64 say.  [default: by the cost model]",
)
@click.option(
    "--tune",
    "tuned_at",
    type=click.IntRange(min=1),
    metavar="N",
    help="Measure tile shapes at N tokens on this GPU; the times go into OUTPUT.tune.json.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the output is stale.")
@click.option(
    "--emit", "stage", type=click.Choice(STAGES), default=STAGES[-1], help="Stop at this stage."
)
def compile_command(
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    ignored: frozenset[str],
    output: str,
    layer: int | None,
    dtype: str | None,
    head_dim: int | None,
    tiles: tuple[int, int] | None,
    tuned_at: int | None,
    check: bool,
    stage: Stage,
) -> None:
    """Write a Python file with the attention of a program.

    The file needs torch and triton only, serves every length and batch, and tests itself when it
    is run.
    """
    if check and output == files.STANDARD:
        raise click.UsageError("--check compares with a file: name it with -o")
    if tuned_at is not None and (tiles or output == files.STANDARD):
        raise click.UsageError("--tune chooses the tiles and keeps its times: name a file with -o")
    given = one_given(paths, text, parameters)
    pattern = _understood(given, ignored)
    _within("--layer", layer or 0, pattern.layers)
    named = given.pattern(given.stem)
    if tuned_at is not None:
        tiles = tuned(named, tuned_at, layer, dtype, head_dim, output)
    shape = None if tiles is None else "x".join(map(str, tiles))
    options = {"--layer": layer, "--dtype": dtype, "--head-dim": head_dim, "--tiles": shape}
    words = [f"{name}={value}" for name, value in options.items() if value is not None]
    command = shlex.join(["patternc", "compile", *given.arguments, *words])
    with working("compile"):
        if stage == STAGES[-1]:
            source = named.compile(layer, dtype, head_dim, command, tiles)
        else:
            from patternc.report.stages import stage_text

            source = stage_text(named, stage, layer)
    if output == files.STANDARD:
        click.echo(source, nl=False)
    elif not check:
        files.write(output, source)
    else:
        _verify_fresh(output, source)


def _verify_fresh(output: str, source: str) -> None:
    there = files.exists(output)
    if not there or files.read(output) != source:
        state = "is stale" if there else "is not there"
        raise Rejected(f"error: {output} {state}\n  = help: compile again without --check")


@commands.command()
@programs("FILE...")
@defines
@ignores
@click.option(
    "-n",
    "length",
    type=click.IntRange(1, 2**24),
    help="Tokens to look for empty rows and leaks at.  [default: 4096, or those of a grid]",
)
@click.option(
    "--teach", is_flag=True, help="Say too what could be better for the same cost, or never meets."
)
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def check(
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    ignored: frozenset[str],
    length: int | None,
    teach: bool,
    output_format: str,
) -> None:
    """Find mistakes; list what a program needs at the call.

    Exits with 1 if a program has an error, or a file cannot be read. Warnings do not count.
    """
    from patternc.report.findings import document, findings, summary

    given = each_given(paths, text, parameters)
    reports = [_checked(each, length, ignored, teach) for each in steps(list(given), "check")]
    if output_format == "json":
        click.echo(json.dumps(document(reports), indent=2))
    else:
        for report in reports:
            click.echo(findings(report), err=True, nl=False)
            click.echo(summary(report))
    if any(report.failed for report in reports):
        sys.exit(1)


def _checked(
    given: Given | Unread, length: int | None, ignored: frozenset[str], teach: bool
) -> Report:
    from patternc.language.diagnostics import Diagnostic, PatternError
    from patternc.language.source import Source
    from patternc.report.findings import Report

    if isinstance(given, Unread):
        return Report(Source.of("", given.name), (Diagnostic("P000", given.reason),))
    try:
        pattern = given.pattern()
    except PatternError as error:
        return Report(error.source, error.diagnostics)
    found = pattern.check(length, ignore=ignored, teach=teach)
    return Report(given.source, found, pattern.inputs, pattern.heads, pattern.layers)


@commands.command()
@programs("FILE")
@defines
@ignores
@click.option("-n", "length", type=click.IntRange(1, 2**24), help="Tokens.  [default: telling]")
@click.option("--layer", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--head", type=click.IntRange(min=0), help="Only this head.  [default: all]")
@click.option("--rows", metavar="NAME", default="", help="Rows of a stream by name, or of `tree`.")
@click.option("--svg", "drawing", metavar="FILE", help="Write the picture to FILE as SVG.")
def show(
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    ignored: frozenset[str],
    length: int | None,
    layer: int,
    head: int | None,
    rows: str,
    drawing: str | None,
) -> None:
    """Draw a pattern, with its pairs, density and tiles.

    `--rows NAME` draws what the slots of a stream attend to, or the spans of a tree.
    """
    from patternc.report import picture, terminal, views

    if drawing == files.STANDARD:
        raise click.UsageError("--svg writes a file beside what is told here: name it")
    given = one_given(paths, text, parameters)
    pattern = _understood(given, ignored, length)
    _within("--layer", layer, pattern.layers)
    _within("--head", head or 0, pattern.heads)
    if rows and rows not in pattern.rows:
        listed = ", ".join(pattern.rows) or "only those of the tokens"
        raise click.UsageError(f"--rows {rows}: this pattern has {listed}")
    most = 4 if drawing else max(1, shutil.get_terminal_size().columns // (views.CELLS + 4))
    with working("show"):
        view = views.view(pattern, length, layer, head, rows)
        panels, facts = view.panels(most), view.facts()
    click.echo(f"{given.title}: {view.caption}")
    if drawing:
        caption = f"{view.caption}, {dict(facts)['density']} of all pairs"
        files.write(drawing, picture.svg(given.title, caption, panels))
    else:
        click.echo(terminal.draw(panels))
    if len(view.groups) > most:
        click.echo(f"other heads differ; --head 0 to --head {(pattern.heads or 1) - 1} show one")
    for name, value in facts:
        click.echo(f"{name:<8} {value}")
    if not rows and pattern.rows:
        click.echo(f"there are other rows: --rows {' or --rows '.join(pattern.rows)}")


@commands.command()
@programs("FILE")
@defines
@ignores
@click.option("-n", "length", type=click.IntRange(min=1), required=True, help="Tokens.")
@click.option(
    "--layers",
    type=click.IntRange(min=1),
    help="Layers; the program's repeat.  [default: as many as it has, or 1]",
)
@click.option("--head-dim", type=click.IntRange(min=1), default=64, show_default=True)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16", "bfloat16"]),
    default="bfloat16",
    show_default=True,
)
@click.option("--kv-heads", type=click.IntRange(min=1), help="Key heads.  [default: all heads]")
@slotted
@click.option(
    "--charts",
    metavar="FILE",
    help="Draw cost against length with matplotlib: FILE.svg, .png or .pdf.",
)
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "markdown", "html", "svg"]),
    default="text",
    show_default=True,
)
@click.option(
    "-o", "--output", metavar="FILE", default=files.STANDARD, help="[default: standard output]"
)
def report(
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    ignored: frozenset[str],
    length: int,
    layers: int | None,
    head_dim: int,
    dtype: str,
    kv_heads: int | None,
    slots: dict[str, int],
    charts: str | None,
    output_format: str,
    output: str,
) -> None:
    """Tell what a program costs at N tokens, and how far it sees.

    Counts of pairs are exact, at any length, with closed forms in n; where the call decides pairs,
    they are bounds and say so. `html` is a page with pictures, `svg` how receptive fields grow.
    """
    from patternc.relation.errors import InputError, LengthError

    given = one_given(paths, text, parameters)
    try:
        with working("report"):
            found = given.pattern().report(
                length,
                layers,
                head_dim=head_dim,
                dtype=dtype,
                kv_heads=kv_heads,
                slots=slots,
                ignore=ignored,
            )
            told = getattr(found, output_format)()
        if charts:
            _charts(found, charts)
    except (InputError, LengthError):
        raise
    except (ValueError, ModuleNotFoundError) as error:
        raise click.UsageError(str(error)) from error
    if output == files.STANDARD:
        click.echo(told, nl=False)
    else:
        files.write(output, told)


def _charts(found: ModelReport, path: str) -> None:
    from patternc.report.curves import curves, figure

    kind = PurePath(path).suffix.removeprefix(".").lower()
    if not kind:
        raise ValueError(f"--charts {path} has no ending; write FILE.svg, FILE.png or FILE.pdf")
    drawn = curves(found.pattern, found.facts.work, len(found.facts.layers))
    if drawn is None:
        raise ValueError("--charts: the program has a grid, so that only one length fits")
    files.write_bytes(path, figure(drawn, found.title, kind))


def _within(option: str, index: int, count: int | None) -> None:
    if index >= (count or index + 1):
        last = (count or 1) - 1
        raise click.UsageError(
            f"{option} {index} is out of range: the last is {last}, counted from 0"
        )


@commands.command(name="fmt")
@programs("FILE...")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
def fmt_command(paths: tuple[str, ...], text: str | None, check: bool) -> None:
    """Write programs in the one layout, comments kept.

    Files are rewritten in place; the standard input and -e TEXT go to the standard output.
    """
    from patternc.language import fmt

    changed = False
    for given in all_given(paths, text):
        neat = fmt(given.text, given.name)
        changed |= neat != given.text
        if check:
            if neat != given.text:
                click.echo(f"would change {given.name}", err=True)
        elif given.name in (INLINE, files.STANDARD):
            click.echo(neat, nl=False)
        elif neat != given.text:
            files.write(given.name, neat)
    if check and changed:
        sys.exit(1)


@commands.command()
@click.argument("code")
def explain(code: str) -> None:
    """Explain a diagnostic: the rule, a wrong program and a right one."""
    from patternc.language import explain as page

    click.echo(page(code.upper()), nl=False)


commands.add_command(diff)
commands.add_command(why)
commands.add_command(suggest)
