"""The command `patternc from-mask`: a mask in a file to a program, its proof in comments."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import click

from patternc.cli import files
from patternc.progress import working

if TYPE_CHECKING:
    from patternc.queries.from_mask import MaskReport

# Files that hold masks.
MASKS = (".npy", ".pt")


@click.command("from-mask")
@click.argument("path", metavar="FILE.npy|FILE.pt")
@click.option("--inputs", metavar="FILE.npz", help="Write the run-time inputs that it takes.")
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "-o", "--output", metavar="FILE", default=files.STANDARD, help="[default: standard output]"
)
def from_mask(path: str, inputs: str | None, output_format: str, output: str) -> None:
    """Find the shortest program that has a given mask.

    FILE holds booleans [queries, n] or [heads, queries, n], as numpy.save or torch.save write them.
    The program equals the mask in every pair. Pairs that no rule explains are a run-time list,
    `listed(pairs)`, and counted. Exits with 0 if all are explained, 1 if not.
    """
    from patternc.queries.from_mask import from_mask as search

    files.verify_apart((path,), {"-o": output, "--inputs": inputs})
    try:
        with working("from-mask"):
            text, report = search(read_mask(path))
    except (TypeError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    told = _document(text, report) if output_format == "json" else _program(text, report)
    if inputs is not None:
        files.write_bytes(inputs, _packed(report))
    if output == files.STANDARD:
        click.echo(told, nl=False)
    else:
        files.write(output, told)
    click.get_current_context().exit(0 if report.found else 1)


def read_mask(path: str) -> Any:
    """An array or a tensor; nothing in the file is executed. Raises `FileError`."""
    import numpy as np

    data = io.BytesIO(files.whole(path))
    try:
        if path.endswith(".npy"):
            return np.load(data, allow_pickle=False)
        if path.endswith(".pt"):
            import torch

            return torch.load(data, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise files.FileError(
            f"cannot read {path}: it holds no array of numbers: {reason}"
        ) from error
    raise files.FileError(f"cannot read {path}: expected a mask, FILE.npy or FILE.pt")


def _program(text: str, report: MaskReport) -> str:
    return "".join(f"# {line}\n" for line in report.lines()) + text


def _document(text: str, report: MaskReport) -> str:
    found = {
        "format": "patternc.from_mask/1",
        "text": text,
        "n": report.n,
        "queries": report.queries,
        "heads": report.heads,
        "pairs": report.pairs,
        "unexplained": report.unexplained,
        "tokens": report.tokens,
        "lengths": [{"n": each.n, "differing": each.differing} for each in report.lengths],
        "inputs": {name: list(value.shape) for name, value in report.inputs.items()},
    }
    return json.dumps(found, indent=2) + "\n"


def _packed(report: MaskReport) -> bytes:
    import numpy as np

    data = io.BytesIO()
    np.savez(data, **dict(report.inputs))  # type: ignore[arg-type]
    return data.getvalue()
