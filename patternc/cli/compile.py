"""`patternc compile`: a program as a Python file, or any stage on the way there."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from patternc.cli import files
from patternc.cli.arguments import Given, defines, ignores, one_given, programs, typed
from patternc.cli.common import Rejected, check_range, load_frontend
from patternc.cli.lengths import Length
from patternc.cli.tune import tile_shape, tuned
from patternc.progress import working
from patternc.stages import FORMER_NAMES, STAGES, Stage

if TYPE_CHECKING:
    from patternc.pipeline import Compilation, Options


HUB: Literal["hub"] = "hub"
Emitted = Stage | Literal["hub"]


class StageName(click.Choice[Emitted]):
    """A stage, or a kernel repository; names of former versions are understood."""

    def convert(self, value: Any, *context: Any) -> Emitted:
        return super().convert(FORMER_NAMES.get(value, value), *context)


def known_names(
    _: click.Context, option: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    """The names of backends or features, each checked."""
    if names:
        from patternc.emit.backends import chosen_backends
        from patternc.emit.features import chosen_features

        check = chosen_backends if option.name == "backends" else chosen_features
        try:
            check(names)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return names


@click.command(name="compile")
@programs("FILE")
@defines
@ignores
@click.option(
    "-o", "--output", metavar="FILE", default=files.STANDARD, help="[default: standard output]"
)
@click.option("--layer", type=click.IntRange(min=0), help="Only this layer.  [default: all]")
@typed("Tile sizes for this data type")
@click.option("--head-dim", type=click.IntRange(min=1), help="Tile sizes for this head size.")
@click.option(
    "--tiles",
    type=tile_shape,
    metavar="QxK",
    help="Sizes of a query tile and a key tile, 128x64 or 128,64.  [default: by the cost model]",
)
@click.option(
    "--tune",
    "tuned_at",
    type=Length(min=1),
    metavar="N",
    help="Measure tile shapes at N tokens on this GPU; times are written to OUTPUT.tune.json.",
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    metavar="NAME",
    callback=known_names,
    help="Backends in the file: triton, cpu, reference, or all; repeatable. Or flex, for torch's "
    "FlexAttention, or paged, for caches in pages, by itself.  [default: triton and reference]",
)
@click.option("--native", is_flag=True, help="Add C code, compiled at run time, to --backend cpu.")
@click.option(
    "--with",
    "features",
    multiple=True,
    metavar="FEATURE",
    callback=known_names,
    help="Parts that few callers need: dropout, messages, strict-keys, transforms (torch.func), "
    "weights (return_weights=), or all; repeatable.",
)
@click.option("--self-test", is_flag=True, help="Add a self-test that can be run with the file.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the output is stale.")
@click.option(
    "--emit",
    "stage",
    type=StageName((*STAGES, HUB)),
    default=STAGES[-1],
    help="Print this stage instead; hub writes a folder, -o DIR, that the kernels package loads.",
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
    backends: tuple[str, ...],
    native: bool,
    features: tuple[str, ...],
    self_test: bool,
    check: bool,
    stage: Emitted,
) -> None:
    """Write a Python file with the attention of a program.

    The file needs torch and triton only, and serves every length and batch. `patternc selftest`
    compares it with its dense reference.
    """
    if native and not {"cpu", "all"} & {*backends}:
        raise click.UsageError("--native needs --backend cpu")
    if features and {"flex", "paged"} & {*backends}:
        raise click.UsageError(f"--with adds nothing to --backend {backends[0]}")
    if check and output == files.STANDARD:
        raise click.UsageError("--check needs a file to compare with: -o FILE")
    if tuned_at is not None and (tiles or output == files.STANDARD):
        raise click.UsageError("--tune needs an output file: -o FILE")
    if stage == HUB:
        _verify_folder(output, check)
    files.verify_apart(
        paths,
        {"-o": output, "--tune's": f"{output}.tune.json" if tuned_at is not None else None},
    )
    given = one_given(paths, text, parameters)
    frontend = load_frontend(given, ignored)
    check_range("--layer", layer or 0, frontend.program.layers)
    from patternc.emit.backends import DEFAULT
    from patternc.pipeline import Compilation, Options

    default = ("all",) if stage == HUB else DEFAULT
    options = Options(layer, dtype, head_dim, tiles, backends or default)
    options = replace(options, native=native, self_test=self_test, name=given.stem)
    options = replace(options, features=features or (("all",) if stage == HUB else ()))
    if tuned_at is not None:
        options = replace(options, tiles=tuned(frontend, options, tuned_at, output))
    options = replace(options, command=_command(given, options, backends, features))
    compilation = Compilation(frontend, options)
    if stage == HUB:
        _write_hub(output, compilation)
        return
    with working("compile"):
        source = _text(compilation, stage)
    if output == files.STANDARD:
        click.echo(source, nl=False)
    elif not check:
        files.write(output, source)
    else:
        _verify_fresh(output, source)


def _command(
    given: Given, options: Options, backends: tuple[str, ...], features: tuple[str, ...]
) -> str:
    """The command that writes the file again."""
    shape = None if options.tiles is None else "x".join(map(str, options.tiles))
    values = {
        "--layer": options.layer,
        "--dtype": options.dtype,
        "--head-dim": options.head_dim,
        "--tiles": shape,
    }
    flags = {"--native": options.native, "--self-test": options.self_test}
    words = [f"{name}={value}" for name, value in values.items() if value is not None]
    words += [f"--backend={name}" for name in backends]
    words += [f"--with={name}" for name in features]
    words += [flag for flag, chosen in flags.items() if chosen]
    return shlex.join(["patternc", "compile", *given.arguments, *words])


def _text(compilation: Compilation, stage: Stage) -> str:
    if stage == STAGES[-1]:
        return _module(compilation)
    from patternc.cli.stage_text import stage_text

    return stage_text(compilation, stage)


def _verify_folder(output: str, check: bool) -> None:
    if output == files.STANDARD:
        raise click.UsageError("--emit hub needs a folder: -o DIR, named as the kernel")
    if check:
        raise click.UsageError("--check compares one file; --emit hub writes several")


def _write_hub(output: str, compilation: Compilation) -> None:
    """The repository takes its name from the folder's."""
    from patternc.emit.hub import repository, served

    name = Path(output).resolve().name.lower().replace("_", "-")
    backends = [each.name for each in compilation.backends]
    try:
        served(name, backends)
    except ValueError as error:
        raise Rejected(f"error: {error}") from None
    with working("compile"):
        texts = repository(name, _module(compilation), backends, compilation.frontend.text)
    files.write_folder(output, texts)


def _module(compilation: Compilation) -> str:
    from patternc.emit.backend import UnsupportedError

    try:
        return compilation.module
    except UnsupportedError as error:
        reasons = "".join(f"\n  = note: {reason}" for reason in error.reasons)
        raise Rejected(f"error: backend {error.backend!r} cannot lower this{reasons}") from None


def _verify_fresh(output: str, source: str) -> None:
    there = files.exists(output)
    if not there or files.whole(output) != source.encode():
        state = "is stale" if there else "does not exist"
        raise Rejected(f"error: {output} {state}\n  = help: compile again without --check")
