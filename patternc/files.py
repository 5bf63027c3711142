"""Reading programs and writing results: whole, or not at all.

Text is UTF-8 on every platform and line ends are kept. Non-goals: parsing.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from pathlib import Path

STANDARD = "-"


class FileError(Exception):
    """A file that cannot be read or written; the message names the file and the reason."""


def read(path: str) -> str:
    """The text of a file, or of the standard input for `-`."""
    try:
        data = sys.stdin.buffer.read() if path == STANDARD else Path(path).read_bytes()
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"cannot read {path}: byte {error.start} is not UTF-8") from error
    except OSError as error:
        raise FileError(f"cannot read {path}: {_reason(error)}") from error


def exists(path: str) -> bool:
    return path == STANDARD or Path(path).exists()


def write(path: str, text: str) -> None:
    """Replaces the file in one step; what is no regular file (a pipe, a device) is written to."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str, data: bytes) -> None:
    """`write` of what is no text."""
    target = Path(path).resolve()
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
        elif target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "the file is read-only")
        else:
            _replace(target, data)
    except OSError as error:
        raise FileError(f"cannot write {path}: {_reason(error)}") from error


def _replace(target: Path, data: bytes) -> None:
    # In the folder of the target, since a rename is atomic inside one file system only.
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        _take_mode(temporary, target)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _take_mode(temporary: Path, target: Path) -> None:
    """The permissions of the file that is replaced, else those of any new file."""
    if target.exists():
        shutil.copymode(target, temporary)
        return
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
