"""Run-time inputs of one head as tables, checked: what a call gave, in the units of its scope.

Converts arrays to lists [rows, k], sets [count] and labels [count]. What does not fit is an
`InputError` that says what is expected. Does not interpret the tables.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from patternc.algebra.value_bounds import READ
from patternc.semantics.errors import InputError

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Inputs = Mapping[str, NDArray[np.generic]]

_LENGTHS = "if these are lengths, pass booleans [batch, n]"


def listed(name: str, inputs: Inputs, rows: int, count: int) -> Integers:
    """The list of each of `rows` rows; an entry is one of `count` keys, or negative for none."""
    table = required(name, inputs)
    wanted = f"integers [{rows}, k], a list for each of the {rows} rows"
    if table.ndim != 2 or len(table) != rows or not _are_integers(table):
        raise InputError(f"`{name}` must be {wanted}; got {described(table)}")
    most = int(table.max(initial=-1))
    if most >= count:
        among = f"0 to {count - 1}, or -1 for none" if count else "-1, as there are no keys"
        raise InputError(f"`{name}` has an entry {most}; entries are {among}")
    return table.astype(np.int64)


def labels(name: str, inputs: Inputs, count: int) -> Integers:
    """The label of each position."""
    found = required(name, inputs)
    if found.shape != (count,) or not _are_integers(found):
        wanted = f"integers [{count}] or [batch, {count}]"
        raise InputError(f"`{name}` must be {wanted}, got {described(found)}")
    return found.astype(np.int64)


def integers(name: str, inputs: Inputs, count: int) -> Integers:
    """The integer of each position."""
    found = required(name, inputs)
    if found.shape != (count,) or not _are_integers(found):
        wanted = f"integers {', '.join(f'[{lead}{count}]' for lead in ('', 'batch, ', 'heads, '))}"
        raise InputError(
            f"`{name}` must be {wanted} or [batch, heads, {count}], got {described(found)}"
        )
    least, most = (int(end) for end in (found.min(initial=0), found.max(initial=0)))
    if least < READ[0] or most > READ[1]:
        raise InputError(
            f"`{name}` has a number {least if least < READ[0] else most}; numbers are -2**30 to "
            "2**30 - 1, so that their differences fit 32 bits"
        )
    return found.astype(np.int64)


def offsets(name: str, inputs: Inputs) -> Integers:
    """The distances of a run-time list."""
    found = required(name, inputs)
    if found.ndim != 1 or not _are_integers(found):
        raise InputError(
            f"`{name}` must be integers [k], [heads, k] or [batch, heads, k], got "
            f"{described(found)}"
        )
    return found.astype(np.int64)


def size(name: str, inputs: Inputs) -> int:
    """The integer that a call gives for `size NAME`."""
    found = required(name, inputs)
    check_sizes(name, found)
    if found.size != 1:
        raise InputError(f"`{name}` has {found.size} sizes; expected that of one batch element")
    return int(found.reshape(()))


def check_sizes(name: str, value: NDArray[np.generic]) -> None:
    """Raises `InputError` where these are no sizes, one or [batch]."""
    if value.ndim > 1 or not _are_integers(value):
        raise InputError(
            f"`{name}` is {value.dtype} of shape {list(value.shape)}; expected an integer, or "
            "integers [batch], one for each batch element"
        )
    least, most = int(value.min(initial=0)), int(value.max(initial=0))
    if least < 0 or most > READ[1]:
        found = least if least < 0 else most
        raise InputError(f"`{name}` is {found}; a size is 0 to 2**30 - 1")


def members(name: str, inputs: Inputs, count: int) -> Booleans:
    """Booleans [count]; of integer positions negative ones count from the end."""
    found = required(name, inputs)
    if found.dtype == np.bool_ and found.shape == (count,):
        return found.astype(np.bool_)
    if found.ndim != 1 or not _are_integers(found):
        wanted = f"booleans [{count}] or [batch, {count}], or integer positions [m]"
        own = "; sets of each head are integers, `where(NAME[j] == 1)`" if found.ndim == 3 else ""
        raise InputError(f"`{name}` must be {wanted}, got {described(found)}{own}")
    return _marked(name, found.astype(np.int64), count)


def warn_unlabelled(name: str, of_rows: Integers, rows: Integers) -> None:
    """Rows behind others without a label: what was meant may not be the last rows."""
    if len(rows) and rows[0] > 0 and bool((of_rows < 0).any()):
        warnings.warn(
            f"`{name}`: the queries are the last rows, and of these some have no label (negative), "
            "so they see nothing",
            stacklevel=2,
        )


def _marked(name: str, positions: Integers, count: int) -> Booleans:
    marked = np.zeros(count, np.bool_)
    if not positions.size:
        return marked
    least, most = int(positions.min()), int(positions.max())
    if least >= 0 and most <= 1 and _is_like_mask(positions, count):
        raise InputError(
            f"`{name}` holds integers 0 and 1 alone, read as the positions 0 and 1: is this a "
            "mask? pass booleans"
        )
    if most >= count or least < -count:
        hint = f"; {_LENGTHS}" if least > 0 else ""
        raise InputError(
            f"`{name}` has a position {most if most >= count else least}; there are {count}, "
            f"{-count} to {count - 1}{hint}"
        )
    marked[positions] = True
    return marked


def _is_like_mask(positions: Integers, count: int) -> bool:
    """One number for each of several positions, or one of them twice."""
    return len(positions) == count > 1 or len(np.unique(positions)) < len(positions)


def required(name: str, inputs: Inputs) -> NDArray[np.generic]:
    """A run-time input as it was passed in. Raises `InputError` where it is missing."""
    if name not in inputs:
        raise InputError(f"the run-time input `{name}` is missing; pass {name}=..")
    found = np.asarray(inputs[name])
    if found.dtype == np.uint64 and int(found.max(initial=0)) > np.iinfo(np.int64).max:
        raise InputError(f"`{name}` has a number {found.max()}; numbers are below 2**63")
    return found


def _are_integers(value: NDArray[np.generic]) -> bool:
    return np.issubdtype(value.dtype, np.integer)


def described(value: NDArray[np.generic]) -> str:
    return f"{value.dtype} {list(value.shape)}"
