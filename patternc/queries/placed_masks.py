"""Masks of calls whose queries do not stand at the end, or whose keys are padded or cached.

Converts where everything stands (`placement`) to a mask in the layout of the call: the mask of each
sequence by itself, its rows and columns put where the call has them. Dense, as `masks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternc.frontend import Frontend
from patternc.ir.sources import TOKENS
from patternc.language import RunTimeInput
from patternc.language.check.runtime_inputs import DECIDING
from patternc.queries import masks
from patternc.queries.arguments import Arrays, arrays, batch_of, batched, tokens, verify_rows, whole
from patternc.queries.call import Inputs, Slots
from patternc.queries.placement import Placement, placements
from patternc.semantics.errors import InputError

Mask = NDArray[np.bool_]
_PADDED = ("positions", "cache_lengths", "key_padding")


def mask_of_call(
    frontend: Frontend,
    n: int,
    queries: int | None,
    layer: int,
    placed: Mapping[str, Any],
    slots: Slots,
    inputs: Inputs,
) -> Mask:
    """The mask of a call with these arguments of `Pattern.attention`, None where not given."""
    given = {name: value for name, value in placed.items() if value is not None}
    padded = [name for name in given if name in _PADDED]
    alone = [name for name in ("start", "rows") if name in given]
    if len(alone) + bool(padded) > 1:
        raise ValueError(f"{' and '.join([*alone, *padded])} cannot be given together")
    if "start" in given:
        return _mask_from(frontend, n, queries, given["start"], layer, slots, inputs)
    if padded:
        return _padded_mask(frontend, n, queries, layer, given, slots, inputs)
    return masks.mask(frontend, n, queries, layer, given.get("rows", ""), slots, inputs)


def _mask_from(
    frontend: Frontend,
    n: int,
    queries: int | None,
    start: int,
    layer: int,
    slots: Slots,
    inputs: Inputs,
) -> Mask:
    """The rows of the queries start .. start + queries - 1, all behind `start` by default."""
    n, start = tokens(n), whole("start", start)
    count = n - start if queries is None else whole("queries", queries)
    if not 0 <= count <= n - start:
        raise ValueError(f"start={start}: {count} queries do not fit in {n} positions")
    found = masks.mask(frontend, n, n - start, layer, "", slots, inputs)
    return found[..., :count, :]


def _padded_mask(
    frontend: Frontend,
    n: int,
    queries: int | None,
    layer: int,
    placed: Mapping[str, object],
    slots: Slots,
    inputs: Inputs,
) -> Mask:
    """Booleans [batch, heads, queries, keys] where sequences differ, [heads, ..] where none does.

    `placed` has `positions`, `cache_lengths` and `key_padding` of `Pattern.attention`.
    """
    n = tokens(n)
    given = {name: np.asarray(value) for name, value in placed.items()}
    count = _queries(n, queries, given)
    known = frontend.program.inputs
    asked = arrays(inputs, known)
    verify_rows(asked, known, frontend.program.heads)
    batch = batch_of(asked, known)
    where = placements(_batch(given) if batch == 1 else batch, count, n, **given)
    found = [
        _of_element(
            frontend, n, count, layer, placement, slots, _own(known, asked, n, at, placement)
        )
        for at, placement in enumerate(where)
    ]
    return found[0] if len(found) == 1 else np.stack(found)


def _queries(n: int, queries: int | None, given: Mapping[str, NDArray[Any]]) -> int:
    if queries is not None:
        return whole("queries", queries)
    positions = given.get("positions")
    return n if positions is None or not positions.ndim else positions.shape[-1]


def _batch(given: Mapping[str, NDArray[Any]]) -> int:
    """Batch elements; positions [queries] are those of one."""
    counts = [len(value) for name, value in given.items() if name != "positions" and value.ndim]
    positions = given.get("positions")
    if positions is not None and positions.ndim == 2:
        counts.append(len(positions))
    return max([1, *counts])


def _of_element(
    frontend: Frontend,
    n: int,
    queries: int,
    layer: int,
    placement: Placement,
    slots: Slots,
    inputs: Arrays,
) -> Mask:
    """The mask of one sequence in the layout of the call."""
    real = np.asarray(placement.slots, dtype=np.int64)
    alone = masks.mask(frontend, len(real), None, layer, "", slots, inputs)
    here = masks.columns(frontend, len(real), layer, "", slots)
    columns, places = 0, []
    for (source, own), (_, count) in zip(
        here, masks.columns(frontend, n, layer, "", slots), strict=True
    ):
        if source != TOKENS and own != count:
            raise InputError(
                f"the slots of `{source}` depend on the number of tokens; with padding or a cache "
                "ask for the mask of each sequence by itself"
            )
        places.append(columns + (real if source == TOKENS else np.arange(count)))
        columns += count
    found = np.zeros((*alone.shape[:-2], queries, columns), dtype=np.bool_)
    for run in placement.runs:
        height = run.stop - run.first
        start = len(real) - height if run.start is None else run.start
        rows = alone[..., start : start + height, :]
        found[..., run.first : run.stop, np.concatenate(places)] = rows
    return found


def _own(
    known: Sequence[RunTimeInput], inputs: Arrays, n: int, at: int, placement: Placement
) -> Arrays:
    """The inputs of one sequence."""
    items = {item.name: item for item in known}
    return {name: _cut(items[name], value, n, at, placement) for name, value in inputs.items()}


def _cut(
    item: RunTimeInput, value: NDArray[Any], n: int, at: int, placement: Placement
) -> NDArray[Any]:
    slots, listed = placement.slots, item.role == "listed"
    if item.role not in DECIDING or (item.role == "set" and value.dtype != np.bool_):
        return value
    if item.role == "size":
        return value[min(at, len(value) - 1)] if value.ndim == 1 else value
    if value.ndim in batched(item.role):
        at = min(at, len(value) - 1)
        # With heads the dimension of the batch stays, so that heads are not taken for it.
        value = value[at : at + 1] if item.role == "integers" and value.ndim == 3 else value[at]
    if item.role == "offsets":
        return value
    elsewhere = "slots of `" in item.shape
    if len(slots) == n or (elsewhere and not listed):
        return value
    if "count blocks" in item.shape or elsewhere:
        raise InputError(
            f"`{item.name}` does not count tokens alone; with padding or a cache ask for the mask "
            "of each sequence by itself"
        )
    if value.shape[-2 if listed else -1] != n:
        raise InputError(
            f"`{item.name}` has shape {list(value.shape)}; expected {item.shape}, here n = {n}"
        )
    if listed and slots != range(len(slots)):
        raise InputError(
            f"`{item.name}`: lists count positions of a sequence; they cannot be given where "
            "padding is before or between its keys. Pad behind the keys"
        )
    return value[..., list(slots), :] if listed else value[..., list(slots)]
