"""What a pattern is asked, checked: lengths, layers, tiles, slots and run-time inputs.

From arguments of `Pattern`'s methods to numbers and arrays. A wrong type is a `TypeError`, a number
out of range a `ValueError`, an input that does not fit an `InputError`; all name the argument.
Non-goals: what only the pattern's meaning can refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternc.language import RunTimeInput
from patternc.relation.errors import InputError

Input = Any
Arrays = dict[str, NDArray[Any]]
_AT_THE_CALL = ("memory", "compressed", "encoder")
_DTYPES = ("float32", "float16", "bfloat16")


def whole(name: str, value: object, least: int = 0) -> int:
    """An integer of at least `least`; integers of numpy and torch are taken, too."""
    try:
        number = None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name} is {_shown(value)}; an integer is expected")
    if number < least:
        raise ValueError(f"{name} is {number}; it is at least {least}")
    return number


def layer_number(layer: object, layers: int | None) -> int:
    """A layer that the program has; without the header `layers` any number is one."""
    try:
        number = whole("layer", layer, -(1 << 62))
    except TypeError as error:
        raise TypeError(f"{error}, layers count from 0") from None
    if not 0 <= number < (layers or number + 1):
        last = "" if layers is None else f" to {layers - 1}"
        raise ValueError(f"layer {number} is out of range; layers count from 0{last}")
    return number


def tile_sizes(block: object) -> tuple[int, int]:
    """(query tile, key tile) in tokens, from that or from one size for both."""
    sizes = block if isinstance(block, tuple | list) else (block, block)
    if len(sizes) != 2:
        raise ValueError(f"block is {_shown(block)}; a size or (query tile, key tile) is expected")
    query_tile, key_tile = (whole("block", size, 1) for size in sizes)
    return query_tile, key_tile


def slot_counts(slots: object) -> dict[str, int]:
    """The slots that only a call knows, by the source's word."""
    if slots is None:
        return {}
    if not isinstance(slots, Mapping):
        raise TypeError(f"slots is {_shown(slots)}; a mapping is expected, as {{'memory': 512}}")
    for name in slots:
        if name not in _AT_THE_CALL:
            known = ", ".join(_AT_THE_CALL)
            raise InputError(f"slots has {name!r}; a call decides the slots of {known} only")
    return {name: whole(f"slots[{name!r}]", count) for name, count in slots.items()}


def data_type(dtype: object) -> str | None:
    """The name of a floating dtype that kernels take; torch's own are taken, too."""
    name = str(dtype).removeprefix("torch.")
    if dtype is not None and name not in _DTYPES:
        raise ValueError(f"dtype is {_shown(dtype)}; one of {', '.join(_DTYPES)} is expected")
    return None if dtype is None else name


def warning_codes(ignore: Iterable[str]) -> frozenset[str]:
    """Codes of warnings that are meant; errors cannot be ignored."""
    from patternc.language.pages import pages

    known = [code for code in pages() if code.startswith("P2")]
    codes = [ignore] if isinstance(ignore, str) else list(ignore)
    for code in codes:
        if code not in known:
            raise ValueError(f"{code!r} is no warning's code; they are {known[0]} to {known[-1]}")
    return frozenset(codes)


def arrays(inputs: Mapping[str, Input], known: Sequence[RunTimeInput]) -> Arrays:
    """The run-time inputs of a pattern as arrays."""
    names = [item.name for item in known]
    unknown = sorted(set(inputs) - set(names))
    if unknown:
        listed = ", ".join(sorted(names)) or "none"
        raise InputError(f"{unknown[0]!r} is no run-time input of this pattern; it has: {listed}")
    shapes = {item.name: item.shape for item in known}
    return {name: _array(name, value, shapes[name]) for name, value in inputs.items()}


def refuse_spans(inputs: Mapping[str, Input], known: Sequence[RunTimeInput]) -> None:
    """A span takes the weight of far pairs away, but no pair out of a mask, a count or a layout."""
    for item in known:
        if item.role == "span" and item.name in inputs:
            raise InputError(
                f"`{item.name}` is the z of `softspan`, which changes weights: masks, counts and "
                "layouts are of all pairs that a weight may reach; leave it out here"
            )


def _array(name: str, value: Input, shape: str) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"`{name}` is no array: {error}; expected {shape}") from error


def heads_listed(given: Arrays, known: Sequence[RunTimeInput]) -> int:
    """How many heads the lists have; one without a dimension of heads is for any number."""
    lists = [given[item.name] for item in known if item.role == "listed" and item.name in given]
    return max([1, *(int(value.shape[-3]) for value in lists if value.ndim > 2)])


def of_head(given: Arrays, known: Sequence[RunTimeInput], head: int) -> Arrays:
    """The inputs of one head: lists of [heads, rows, k] are cut, a batch of one is dropped."""
    roles = {item.name: item.role for item in known}
    return {name: _cut(value, roles[name], head) for name, value in given.items()}


def _cut(value: NDArray[Any], role: str, head: int) -> NDArray[Any]:
    """One head and one batch element of a run-time input."""
    if role != "listed":
        return value[0] if value.ndim == 2 and len(value) == 1 else value
    if value.ndim == 4 and len(value) == 1:
        value = value[0]
    return value[min(head, len(value) - 1)] if value.ndim == 3 else value


def _shown(value: object) -> str:
    """A value with its type, short enough for a line."""
    text = repr(value)
    kind = type(value).__name__
    return "None" if value is None else f"{text if len(text) <= 30 else text[:27] + '...'} ({kind})"
