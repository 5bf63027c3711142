"""The data packages `grammar`, `codegen`, `examples`, in the installed package or next to it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Room = Literal["grammar", "codegen", "examples"]

_PACKAGE = Path(__file__).resolve().parent


def room(name: Room) -> Path:
    """The folder of a data package; an installed package maps it to `patternc/<name>`."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def read(name: Room, file: str) -> str:
    """The text of one file of a data package."""
    return (room(name) / file).read_text(encoding="utf-8")


def names(name: Room, suffix: str, folder: str = "") -> tuple[str, ...]:
    """The names of the files with a suffix, which they lose, in alphabetical order.

    A `folder` in the package ends with `/`.
    """
    return tuple(sorted(path.stem for path in room(name).glob(f"{folder}*{suffix}")))
