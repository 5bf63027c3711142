"""`patternc selftest`: compare a generated file with its dense reference."""

from __future__ import annotations

from pathlib import Path

import click

from patternc.cli.arguments import typed
from patternc.cli.common import Rejected


@click.command(name="selftest")
@click.argument("path", metavar="KERNEL.PY", type=click.Path(exists=True, dir_okay=False))
@typed("Data type on a GPU")
@click.option("--head-dim", type=click.IntRange(min=1), help="Head size.  [default: 16]")
def selftest_command(path: str, dtype: str | None, head_dim: int | None) -> None:
    """Compare a generated file with its dense reference.

    Every backend that can run here is tested, forward and backward, at several lengths.
    """
    from patternc.runtime.selftest import self_test

    try:
        passed = self_test(Path(path), dtype, head_dim)
    except (ValueError, SyntaxError, UnicodeDecodeError) as error:
        raise Rejected(
            f"error: {path}: {error}\n  = help: pass a file written by patternc compile"
        ) from None
    if not passed:
        raise Rejected(f"error: {path} differs from its reference by more than the tolerance")
