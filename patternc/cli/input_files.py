"""Run-time inputs of a command line: files of integers or booleans, by the names of inputs.

Converts `--input document=labels.npy` to arrays. Nothing in a file is executed: pickles are not
read. Does not know what an input is for.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

import click

from patternc.cli import files
from patternc.cli.arguments import PAIR, named

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]

_NUMBER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _inputs(
    _context: click.Context, _option: click.Parameter, given: Iterable[str]
) -> dict[str, Array]:
    """Options NAME=FILE as arrays."""
    from patternc.language.check.call_names import why_taken

    found: dict[str, Array] = {}
    expected = "NAME=FILE, for example --input document=labels.npy"
    for name, place in named(given, PAIR, expected):
        if name in found:
            raise click.BadParameter(f"{name} is given twice; one file holds an input")
        if meaning := why_taken(name):
            raise click.BadParameter(f"{name} names no run-time input; it is {meaning}")
        found[name] = read_array(name, place.strip())
    return found


given_inputs = click.option(
    "--input",
    "inputs",
    metavar="NAME=FILE",
    multiple=True,
    callback=_inputs,
    help="A run-time input: FILE.npy, .npz, .json, .csv, .txt or .safetensors, of integers or "
    "booleans, or a number; repeatable. Of several arrays in a file it is that of the NAME, or "
    "FILE:ARRAY.",
)
batch_element = click.option(
    "--batch-element",
    type=click.IntRange(min=0),
    help="Which element of inputs that have a batch.  [default: the only one]",
)


def with_inputs(command: _Command) -> _Command:
    """The options of run-time inputs, and which of their batch elements is meant."""
    return given_inputs(batch_element(command))


def read_array(name: str, place: str) -> Array:
    """The array of an input in a file, or a number itself. Raises `FileError`."""
    if _NUMBER.fullmatch(place):
        return _checked(int(place))
    path, _, member = place.rpartition(":")
    if not path or PurePath(path).suffix not in _MEMBERS:
        path, member = place, ""
    suffix = PurePath(path).suffix.lower()
    read = _MEMBERS.get(suffix)
    try:
        if read is not None:
            found = _chosen(read(files.whole(path)), member or name, bool(member))
        elif suffix in _WHOLE:
            found = _WHOLE[suffix](files.whole(path))
        else:
            raise _FormatError(f"files end in {', '.join((*_WHOLE, *_MEMBERS))}; {_NUMPY}")
        return _checked(found)
    except _FormatError as error:
        raise files.FileError(f"--input {name}={place}: {error}") from error


class _FormatError(Exception):
    """What is wrong with a file, and what to write."""


_NUMPY = 'numpy.save("labels.npy", labels) writes one'


def _numpy(data: bytes) -> Any:
    import numpy as np

    try:
        return np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        reason = str(error).partition("\n")[0].partition("(")[0].strip()
        raise _FormatError(
            f"it holds no array of numbers: {reason}; pickles are not read. {_NUMPY}"
        ) from error


def _json(data: bytes) -> Array:
    import numpy as np

    try:
        value = json.loads(data)
    except ValueError as error:
        raise _FormatError(f"it is no JSON: {error}; write nested lists, [0, 0, 1, 1]") from error
    try:
        return np.asarray(value)
    except ValueError as error:
        raise _FormatError(
            "its lists differ in length; write a row of equal length each"
        ) from error


def _table(data: bytes) -> Array:
    """Integers, separated by commas or spaces; a line is a row, one line or one column is [n]."""
    import numpy as np

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _FormatError(f"byte {error.start} is not UTF-8") from error
    rows: list[list[int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].replace(",", " ").split()
        if words:
            rows.append([_integer(word, number, at) for at, word in enumerate(words, 1)])
        if words and len(rows[-1]) != len(rows[0]):
            raise _FormatError(
                f"line {number} has {len(rows[-1])} integers, the first has {len(rows[0])}"
            )
    if not rows:
        raise _FormatError("it holds no integers")
    return np.array(rows).squeeze(1) if len(rows[0]) == 1 else np.array(rows).squeeze()


def _integer(word: str, line: int, place: int) -> int:
    try:
        return int(word)
    except ValueError as error:
        raise _FormatError(
            f"line {line}, entry {place}: {word[:20]!r} is no integer; write integers alone, "
            "without a line of names"
        ) from error


def _safetensors(data: bytes) -> Mapping[str, Array]:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load
    except ImportError as error:
        raise _FormatError(f"safetensors is not installed; {_NUMPY}") from error
    try:
        found: Mapping[str, Array] = load(data)
    except (SafetensorError, KeyError, ValueError) as error:
        raise _FormatError(f"it holds no tensors: {error}") from error
    return found


_WHOLE: dict[str, Callable[[bytes], Any]] = {
    ".npy": _numpy,
    ".json": _json,
    ".csv": _table,
    ".txt": _table,
}
_MEMBERS: dict[str, Callable[[bytes], Mapping[str, Any]]] = {
    ".npz": _numpy,
    ".safetensors": _safetensors,
}


def _chosen(found: Mapping[str, Any], name: str, named: bool) -> Any:
    """The array of a name, or the only one."""
    if not hasattr(found, "keys"):
        raise _FormatError("it is no archive; rename it to .npy")
    names = list(found.keys())
    if name not in names and (named or len(names) != 1):
        listed = ", ".join(names[:8]) or "none"
        raise _FormatError(f"it has no array {name!r}, but {listed}; write FILE:ARRAY")
    try:
        return found[name if name in names else names[0]]
    except ValueError as error:
        raise _FormatError(f"an array of Python objects; pickles are not read. {_NUMPY}") from error


def _checked(value: Any) -> Array:
    import numpy as np

    found = np.asarray(value)
    if found.dtype.kind not in "iub":
        kind = "text" if found.dtype.kind in "US" else found.dtype.name
        raise _FormatError(
            f"it holds {kind}; expected integers or booleans, as `value.astype(numpy.int64)`"
        )
    return found


def length_of(given: Mapping[str, np.ndarray[Any, Any]], asked: Iterable[Any]) -> int | None:
    """Tokens, where an input of labels or integers says how many there are."""
    sizes = (
        given[item.name].shape[-1]
        for item in asked
        if item.name in given and item.role in ("labels", "integers") and given[item.name].ndim
    )
    return next(sizes, None)
