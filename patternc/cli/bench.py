"""`patternc bench`: a layer's attention on this device, beside SDPA and FlexAttention."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from patternc.cli.arguments import defines, one_given, programs, typed
from patternc.cli.common import check_range
from patternc.cli.input_files import given_inputs
from patternc.cli.lengths import Length
from patternc.progress import working

if TYPE_CHECKING:
    from patternc.machine.compared_calls import LeftOut, Shapes, Timing


@click.command()
@programs("FILE")
@defines
@click.option("-n", "length", type=Length(1, 2**24), default=4096, show_default=True)
@click.option("--layer", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--heads", type=click.IntRange(min=1), help="[default: the program's, or 8]")
@click.option("--kv-heads", type=click.IntRange(min=1), help="Key heads.  [default: all heads]")
@click.option("--head-dim", type=click.IntRange(min=1), default=64, show_default=True)
@typed("Data type  [default: bfloat16 on a GPU, float32 on a CPU]")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="[default: the GPU if any]")
@click.option(
    "--seconds",
    type=click.FloatRange(0.01, 600),
    default=1.0,
    show_default=True,
    help="How long each is measured, forward, and forward with backward.",
)
@given_inputs
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def bench(
    paths: tuple[str, ...],
    text: str | None,
    parameters: dict[str, str],
    length: int,
    layer: int,
    batch: int,
    heads: int | None,
    kv_heads: int | None,
    head_dim: int,
    dtype: str | None,
    device: str | None,
    seconds: float,
    inputs: dict[str, Any],
    output_format: str,
) -> None:
    """Time a layer's attention on this device, beside SDPA and FlexAttention.

    SDPA is given the layer's mask, FlexAttention its block mask and score function, compiled. All
    three must give the same result. Calls take turns; the first call of each, which compiles, is
    listed by itself and in no median. Masks are made before.
    """
    import torch

    from patternc.machine.compared_calls import Shapes, compared
    from patternc.semantics.errors import InputError, LengthError

    given = one_given(paths, text, parameters)
    pattern = given.pattern()
    check_range("--layer", layer, pattern.layers)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise click.UsageError("--device cuda: torch sees no GPU here; see patternc doctor")
    count = heads or pattern.heads or 8
    kind = getattr(torch, dtype or ("float32" if device == "cpu" else "bfloat16"))
    shapes = Shapes(length, batch, count, kv_heads or count, head_dim, kind, device)
    if shapes.heads % shapes.kv_heads:
        raise click.UsageError(f"--kv-heads {shapes.kv_heads} does not divide {count} heads")
    with working("bench"):
        try:
            found = compared(pattern, shapes, layer, inputs, seconds)
        except (InputError, LengthError):
            raise
        except (TypeError, ValueError) as error:
            raise click.UsageError(str(error)) from error
    if output_format == "json":
        click.echo(json.dumps(_document(given.title, shapes, found), indent=2))
    else:
        click.echo("\n".join(_lines(given.title, shapes, found)))


def _document(title: str, shapes: Shapes, found: tuple[Timing | LeftOut, ...]) -> dict[str, object]:
    from dataclasses import asdict

    about = {**asdict(shapes), "dtype": str(shapes.dtype).removeprefix("torch.")}
    rows = [asdict(each) for each in found]
    return {"format": "patternc-bench/1", "pattern": title, **about, "calls": rows}


def _lines(title: str, shapes: Shapes, found: tuple[Timing | LeftOut, ...]) -> Iterator[str]:
    from patternc.machine.compared_calls import Timing

    yield f"{title}: {_about(shapes)}"
    timed = [each for each in found if isinstance(each, Timing)]
    ours = timed[0]
    yield f"  {'':<24}{'forward':>12}{'':>8}{'and backward':>16}{'':>8}{'first call':>14}"
    for each in timed:
        row = f"  {each.name:<24}{_time(each.forward)}{_ratio(each.forward, ours.forward)}"
        if each.both is None or ours.both is None:
            row += f"{'none':>16}{'':>8}"
        else:
            row += f"    {_time(each.both)}{_ratio(each.both, ours.both)}"
        yield f"{row}  {_time(each.first)}"
    for left in found:
        if not isinstance(left, Timing):
            yield f"  {left.name}: left out, {left.reason}"
    rounds = min(each.rounds for each in timed)
    yield f"medians of {rounds} turns or more; x is how many times patternc's time"


def _about(shapes: Shapes) -> str:
    import torch

    on = torch.cuda.get_device_name() if shapes.device == "cuda" else _threads()
    heads = f"{shapes.heads} heads"
    if shapes.kv_heads != shapes.heads:
        heads += f" on {shapes.kv_heads} of keys"
    dtype = str(shapes.dtype).removeprefix("torch.")
    return (
        f"n = {shapes.n:,}, batch {shapes.batch}, {heads}, head size {shapes.head_dim}, "
        f"{dtype}, {on}"
    )


def _threads() -> str:
    import torch

    count = torch.get_num_threads()
    return f"CPU, {count} thread{'s' if count > 1 else ''}"


def _time(milliseconds: float) -> str:
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:>10.2f} s"
    return f"{milliseconds:>9.3g} ms"


def _ratio(one: float, ours: float) -> str:
    return f"{one / ours:>6.2f} x"
