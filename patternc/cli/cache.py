"""`patternc cache`: how much lies in the cache directory, and emptying it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from patternc.cli import files

# What a folder of the cache directory holds, by its name.
_HOLDS = {
    "modules": "generated modules",
    "native": "compiled C",
    "templates": "compiled templates",
    "grammar": "the parser's tables",
    "": "modules of earlier versions",
}


@click.command()
@click.option("--clear", is_flag=True, help="Remove all of it; it is made again where needed.")
def cache(clear: bool) -> None:
    """Print what lies in the cache directory, in megabytes, or empty it.

    The directory is PATTERNC_CACHE_DIR, else `patternc` in the user's cache directory.
    """
    from patternc.cache import cache_directory

    folder = cache_directory()
    sizes = {name: _size(found) for name, found in _kinds(folder).items() if found}
    total = sum(sizes.values())
    click.echo(f"{folder}: {_megabytes(total)}")
    for name, size in sizes.items():
        click.echo(f"  {_HOLDS[name]:<28} {_megabytes(size)}")
    if clear:
        _remove(file for found in _kinds(folder).values() for file in found)
        click.echo("removed")


def _kinds(folder: Path) -> dict[str, list[Path]]:
    """Files by their folder. What this package did not put there is not among them."""
    loose = [x for x in folder.glob("patternc_module_*.py*") if x.is_file()]
    inside = {name: _files(folder / name) for name in _HOLDS if name}
    return inside | {"": loose + _files(folder / "__pycache__")}


def _files(folder: Path) -> list[Path]:
    return sorted(x for x in folder.rglob("*") if x.is_file() or x.is_symlink())


def _size(found: list[Path]) -> int:
    return sum(x.lstat().st_size for x in found)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _remove(found: Iterator[Path]) -> None:
    for file in list(found):
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise files.FileError(f"cannot remove {file}: {error.strerror}") from error
