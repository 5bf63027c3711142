"""What a pattern is asked, checked: lengths, layers, tiles, slots and run-time inputs.

Converts arguments of `Pattern`'s methods to numbers and arrays. A wrong type is a `TypeError`, a
number out of range a `ValueError`, an input that does not fit an `InputError`; all name the
argument. Errors that depend on the pattern's meaning are raised elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternc.language import RunTimeInput
from patternc.language.check.runtime_inputs import DECIDING
from patternc.semantics.errors import InputError

Input = Any
Arrays = dict[str, NDArray[Any]]
_AT_THE_CALL = ("memory", "compressed", "store", "encoder")
DTYPES = ("float32", "float16", "bfloat16")
_SHORT = {
    **dict.fromkeys(("fp32", "f32", "float", "single"), "float32"),
    **dict.fromkeys(("fp16", "f16", "half"), "float16"),
    "bf16": "bfloat16",
}
# Kernels count positions in 32 bits.
MOST_TOKENS = (1 << 31) - 1
MOST_LAYERS = 1 << 16


def whole(name: str, value: object, least: int = 0) -> int:
    """An integer of at least `least`; integers of numpy and torch are taken, too."""
    try:
        number = None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name} is {_shown(value)}; expected an integer")
    if number < least:
        raise ValueError(f"{name} is {number}; expected at least {least}")
    return number


def tokens(n: object, least: int = 0) -> int:
    """A length: a number of tokens that positions of 32 bits can count."""
    number = whole("n", n, least)
    if number > MOST_TOKENS:
        raise ValueError(f"n is {number}; expected at most {MOST_TOKENS:,} tokens")
    return number


def layers_looked_at(layers: object, named: int | None, least: int = 0) -> int:
    """How many layers of a schedule, by default those that it names, or 1."""
    number = whole("layers", (named or 1) if layers is None else layers, least)
    if number > MOST_LAYERS:
        raise ValueError(f"layers is {number}; expected at most {MOST_LAYERS:,}")
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


def head_number(head: object, heads: int | None) -> int:
    """A head that the program has; without the header `heads` all are the first."""
    number = whole("head", head)
    if number >= (heads or number + 1):
        raise ValueError(f"head {number} is out of range; heads count from 0 to {(heads or 1) - 1}")
    return number if heads else 0


def head_range(heads: object, named: int | None, given: int | None = None) -> tuple[int, int]:
    """The first head of a slice and the one behind its last; `given` is how many q has."""
    if not isinstance(heads, slice) or heads.step not in (None, 1):
        raise TypeError(f"heads is {_shown(heads)}; expected slice(a, b), the heads of a rank")
    count = named if heads.stop is None else whole("heads.stop", heads.stop)
    first = 0 if heads.start is None else whole("heads.start", heads.start)
    if count is None or not first < count <= (named or count):
        has = "any number of heads, so slice(a, b)" if named is None else f"{named} heads"
        raise ValueError(f"heads is {heads}; this pattern has {has}")
    if given is not None and given != count - first:
        raise ValueError(f"heads is {heads}, but q has {given} heads; expected {count - first}")
    return first, count


def tile_sizes(block: object) -> tuple[int, int]:
    """(query tile, key tile) in tokens, from that or from one size for both."""
    sizes = block if isinstance(block, tuple | list) else (block, block)
    if len(sizes) != 2:
        raise ValueError(f"block is {_shown(block)}; expected a size or (query tile, key tile)")
    query_tile, key_tile = (whole("block", size, 1) for size in sizes)
    return query_tile, key_tile


def slot_counts(slots: object) -> dict[str, int]:
    """The slots that only a call knows, by the source's word."""
    if slots is None:
        return {}
    if not isinstance(slots, Mapping):
        raise TypeError(f"slots is {_shown(slots)}; expected a mapping such as {{'memory': 512}}")
    for name in slots:
        if name not in _AT_THE_CALL:
            known = ", ".join(_AT_THE_CALL)
            raise InputError(f"slots has {name!r}; only the slots of {known} are set at call time")
    return {name: _slots(name, count) for name, count in slots.items()}


def _slots(name: str, count: object) -> int:
    number = whole(f"slots[{name!r}]", count)
    if number > MOST_TOKENS:
        raise ValueError(f"slots[{name!r}] is {number}; expected at most {MOST_TOKENS:,}")
    return number


def data_type(dtype: object) -> str | None:
    """The name of a floating dtype that kernels take, from it, a short name or torch's dtype."""
    if dtype is None:
        return None
    named = str(getattr(dtype, "__name__", dtype)).strip().lower().removeprefix("torch.")
    name = _SHORT.get(named, named)
    if name not in DTYPES:
        raise ValueError(f"dtype is {_shown(dtype)}; expected one of {', '.join(DTYPES)}")
    return name


def warning_codes(ignore: Iterable[str]) -> frozenset[str]:
    """Codes of warnings that are meant; errors cannot be ignored."""
    from patternc.language.syntax.error_pages import pages

    known = [code for code in pages() if code.startswith("P2")]
    codes = [ignore] if isinstance(ignore, str) else list(ignore)
    for code in codes:
        if code not in known:
            raise ValueError(f"{code!r} is not a warning code; expected {known[0]} to {known[-1]}")
    return frozenset(codes)


def arrays(inputs: Mapping[str, Input], known: Sequence[RunTimeInput]) -> Arrays:
    """The run-time inputs of a pattern as arrays."""
    names = [item.name for item in known]
    for name in sorted(inputs):
        source = name.removesuffix("_kv")
        if source in _AT_THE_CALL and f"{source}_kv" not in names:
            raise InputError(f"unexpected input {name!r}: no term of this pattern is `on {source}`")
        if source in _AT_THE_CALL and (name not in names or np.ndim(inputs[name]) == 0):
            raise InputError(
                f"unexpected input {name!r}: pass the number of slots of `{source}` as "
                f"slots={{'{source}': m}}"
            )
        if name not in names:
            listed = ", ".join(sorted(names)) or "none"
            raise InputError(f"unknown run-time input {name!r}; this pattern takes: {listed}")
    shapes = {item.name: item.shape for item in known}
    return {name: _array(name, value, shapes[name]) for name, value in inputs.items()}


def refuse_spans(inputs: Mapping[str, Input], known: Sequence[RunTimeInput]) -> None:
    """A span takes the weight of far pairs away, but no pair out of a mask, a count or a layout."""
    for item in known:
        if item.role == "span" and item.name in inputs:
            raise InputError(
                f"`{item.name}` is the z of `softspan`, which changes weights: masks, counts and "
                "layouts contain every pair with a possible weight; do not pass it here"
            )


def _array(name: str, value: Input, shape: str) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"`{name}` is not an array: {error}; expected {shape}") from error


def heads_listed(given: Arrays, known: Sequence[RunTimeInput]) -> int:
    """How many heads lists and integers have; without a dimension of heads they are for any."""
    sizes = {item.name: _HEADS.get(item.role) for item in known}
    found = ((given[name], axis) for name, axis in sizes.items() if axis and name in given)
    return max([1, *(int(value.shape[axis]) for value, axis in found if value.ndim > 2)])


def verify_rows(given: Arrays, known: Sequence[RunTimeInput], heads: int | None) -> None:
    """Raises `InputError` for integers of two dimensions that batch or heads may be."""
    for item in known:
        value = given.get(item.name)
        if item.role != "integers" or value is None or heads is None or heads == 1:
            continue
        if value.ndim == 3 and value.shape[1] not in (1, heads):
            raise InputError(
                f"`{item.name}` has shape {list(value.shape)}; expected [batch, {heads}, n], as "
                f"there are {heads} heads, or [batch, 1, n]"
            )
        if value.ndim == 2 and len(value) == heads:
            raise InputError(
                f"`{item.name}` has {heads} rows, and there are {heads} heads: it may be "
                "[batch, n] or [heads, n]; pass [batch, 1, n], as `value[:, None]`, or "
                "[1, heads, n], as `value[None]`"
            )


def batch_of(given: Arrays, known: Sequence[RunTimeInput]) -> int:
    """How many batch elements the inputs have; those of one, or without the dimension, fit any."""
    roles = {item.name: item.role for item in known}
    sizes = {name: _elements(value, roles[name]) for name, value in given.items()}
    several = {name: size for name, size in sizes.items() if size != 1}
    if 0 in several.values():
        raise InputError("a run-time input has an empty batch; expected at least 1 element")
    if len(set(several.values())) > 1:
        listed = " and ".join(f"`{name}` has {size}" for name, size in several.items())
        raise InputError(f"the inputs differ in batch size: {listed}")
    return next(iter(several.values()), 1)


def _elements(value: NDArray[Any], role: str) -> int:
    """Batch elements of an input; integers of sets are positions for all of them."""
    fits = role in DECIDING and not (role == "set" and value.dtype != np.bool_)
    return len(value) if fits and value.ndim in batched(role) else 1


_HEADS = {"listed": -3, "integers": -2, "offsets": -2}
"""Roles of inputs that may differ between heads, and which of their dimensions counts those."""


def batched(role: str) -> tuple[int, ...]:
    """How many dimensions an input that decides pairs has where the first is the batch."""
    return {"listed": (4,), "integers": (2, 3), "size": (1,), "offsets": (3,)}.get(role, (2,))


def one_element(given: Arrays, known: Sequence[RunTimeInput], what: str) -> None:
    """An error where a question about one batch element gets several."""
    if (batch := batch_of(given, known)) != 1:
        raise InputError(
            f"{what} is defined for one batch element, the inputs have {batch}; say which: "
            "batch_element=0, --batch-element 0 of a command"
        )


def inputs_of_element(
    inputs: Mapping[str, Input], known: Sequence[RunTimeInput], element: int | None
) -> Mapping[str, Input]:
    """The inputs, or of those that have a batch one element, as a batch of one."""
    if element is None:
        return inputs
    given, number = arrays(inputs, known), whole("batch_element", element)
    batch, roles = batch_of(given, known), {item.name: item.role for item in known}
    if number >= batch:
        raise InputError(
            f"batch_element is {number}; the inputs have {batch} batch element"
            f"{'s' if batch > 1 else ''}, counted from 0"
        )
    several = {name for name, value in given.items() if _elements(value, roles[name]) > 1}
    return {
        name: given[name][[number]] if name in several else value for name, value in inputs.items()
    }


def of_head(given: Arrays, known: Sequence[RunTimeInput], head: int, element: int = 0) -> Arrays:
    """The inputs of one head and batch element."""
    roles = {item.name: item.role for item in known}
    return {name: _cut(value, roles[name], head, element) for name, value in given.items()}


def _cut(value: NDArray[Any], role: str, head: int, element: int) -> NDArray[Any]:
    """One head and one batch element of a run-time input."""
    if value.ndim in batched(role) and _elements(value, role) == len(value):
        value = value[min(element, len(value) - 1)]
    return value[min(head, len(value) - 1)] if _is_of_heads(value, role) else value


def _is_of_heads(value: NDArray[Any], role: str) -> bool:
    """Is its first dimension, without a batch, the heads?"""
    return role in _HEADS and value.ndim == -_HEADS[role]


def _shown(value: object) -> str:
    """A value with its type, short enough for a line."""
    text = repr(value)
    kind = type(value).__name__
    return "None" if value is None else f"{text if len(text) <= 30 else text[:27] + '...'} ({kind})"
