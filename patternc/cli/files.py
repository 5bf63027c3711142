"""Reading programs and writing results: whole, or not at all.

Text is UTF-8 on every platform and line ends are kept. Does not parse anything.
"""

from __future__ import annotations

import codecs
import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from patternc.language.syntax.characters import visible
from patternc.language.syntax.limits import TEXT_BYTES

STANDARD = "-"
_WORDS = ("full", "causal", "diagonal", "none")


class FileError(Exception):
    """A file that cannot be read or written; the message names the file and the reason."""


def read(path: str) -> str:
    """The text of a file, or of the standard input for `-`."""
    try:
        data = _bytes(path)
        if len(data) > TEXT_BYTES + len(codecs.BOM_UTF8):
            # Cut between characters, to be refused as any text that is too long.
            return data.decode("utf-8", "ignore")
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"cannot read {visible(path)}: byte {error.start} is not UTF-8") from error
    except (OSError, ValueError) as error:
        hint = "; pass the text of a program by -e" if _is_program(path) else ""
        raise FileError(f"cannot read {visible(path)}: {_reason(error)}{hint}") from error


def _is_program(path: str) -> bool:
    """Whether the name of a file reads like the text of a program."""
    return "(" in path or path in _WORDS


def _bytes(path: str) -> bytes:
    """No more than shows that it is too much: a device may have no end."""
    most = TEXT_BYTES + 64
    if path == STANDARD:
        return sys.stdin.buffer.read(most)
    with Path(path).open("rb") as file:
        return file.read(most)


def whole(path: str) -> bytes:
    """All of a file that was written before."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {visible(path)}: {_reason(error)}") from error


def verify_apart(inputs: Iterable[str], outputs: Mapping[str, str | None]) -> None:
    """Refuses an output, by its option, that is a file read or another output, by any name."""
    seen = [(path, "is the program") for path in inputs if path != STANDARD]
    for option, path in outputs.items():
        if path is None or path == STANDARD:
            continue
        for other, what in seen:
            if _is_same(path, other):
                raise FileError(f"{option} {visible(path)} {what}; choose another file")
        seen.append((path, f"is also that of {option}"))


def _is_same(first: str, second: str) -> bool:
    """Whether two paths are one regular file, or would be: links are followed."""
    try:
        one, other = os.stat(first), os.stat(second)
    except (OSError, ValueError):
        return os.path.realpath(first) == os.path.realpath(second)
    return os.path.samestat(one, other) and stat.S_ISREG(one.st_mode)


def exists(path: str) -> bool:
    return path == STANDARD or Path(path).exists()


def write(path: str, text: str) -> None:
    """Replaces the file in one step; other files (a pipe, a device) are written to."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FileError(f"cannot write {visible(path)}: {error.reason}") from error
    write_bytes(path, data)


def write_bytes(path: str, data: bytes) -> None:
    """`write` for bytes."""
    try:
        target = Path(path).resolve(strict=False)
        if target.exists() and not target.is_file():
            target.write_bytes(data)
        elif target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "the file is read-only")
        else:
            _replace(target, data)
    except (OSError, RuntimeError, ValueError) as error:
        raise FileError(f"cannot write {visible(path)}: {_reason(error)}") from error


def write_folder(path: str, texts: Mapping[str, str]) -> None:
    """A new folder with these files, by their paths in it; an empty one is replaced.

    Written beside it and renamed: there is no folder with some of the files.
    """
    target = Path(path).resolve(strict=False)
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise FileExistsError(errno.EEXIST, "it exists and is no empty folder")
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
            made = Path(beside) / "made"
            for name, text in texts.items():
                file = made / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8", newline="")
            made.replace(target)
    except (OSError, ValueError) as error:
        raise FileError(f"cannot write {visible(path)}: {_reason(error)}") from error


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


def _reason(error: Exception) -> str:
    return ((isinstance(error, OSError) and error.strerror) or str(error)).lower()
