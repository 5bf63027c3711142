"""`patternc compile --tiles` and `--tune`: tile shapes from the command line and from a GPU."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from patternc.cli import files

if TYPE_CHECKING:
    from patternc.frontend import Frontend
    from patternc.pipeline import Options

DTYPE, HEAD_DIM = "bfloat16", 64
# Shapes with kernels that spill nothing for some data type and head size.
TRIED = ((128, 64), (64, 64), (128, 32), (64, 32), (128, 128))


def tile_shape(text: str) -> tuple[int, int]:
    """`128x64` as (128, 64); a comma is understood too."""
    from patternc.schedule.tile_sizes import given_tiles

    try:
        query_tile, key_tile = map(int, re.split("[x,]", text))
        found = given_tiles(query_tile, key_tile)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: expected two sizes such as 128x64; {error}") from None
    return found.query_tile, found.key_tile


def tuned(frontend: Frontend, options: Options, n: int, output: str) -> tuple[int, int]:
    """The fastest shape on this GPU; all times go into a file beside `output`."""
    from patternc.pipeline import Compilation, Options
    from patternc.runtime.tune import on_gpu, tune

    dtype, head_dim = options.dtype or DTYPE, options.head_dim or HEAD_DIM
    plain = Options(options.layer, options.dtype, options.head_dim)
    tried = {shape: replace(plain, tiles=shape) for shape in TRIED}

    try:
        measure = on_gpu(n, head_dim, dtype)
        sources = {shape: Compilation(frontend, each).module for shape, each in tried.items()}
        trials = tune(sources, measure)
    except RuntimeError as error:
        raise click.ClickException(f"{error}; without --tune the cost model chooses") from None
    record = {"n": n, "dtype": dtype, "head_dim": head_dim}
    rows = [trial.record for trial in trials]
    files.write(f"{output}.tune.json", json.dumps({**record, "trials": rows}, indent=2) + "\n")
    best = trials[0]
    click.echo(f"tuned: {best.query_tile}x{best.key_tile}, {best.milliseconds} ms", err=True)
    return best.query_tile, best.key_tile
