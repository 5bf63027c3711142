"""Weights of attention: of a padded call, and in sparse form of some queries or keys of a long one.

Calls of a generated module with `return_weights`, put together. Does not compute weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from patternc.queries.placement import Group, Placement, Run, grouped, placements
from patternc.runtime import generated
from patternc.runtime.padded_inputs import Part, cut_input

_AT_ONCE = 1 << 22  # numbers of the rows of queries that are computed together
_COLUMNS = 64

Tokens = tuple[Tensor, Tensor | None, Tensor | None]


def weights_of(
    module: ModuleType,
    tokens: Tokens,
    queries: Sequence[int] | Tensor | None,
    slots: Sequence[int] | Tensor | None,
    asked: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> Tensor:
    """Sparse weights [batch, heads, queries, slots] of some queries, or of some keys."""
    q, k, v = tokens
    if (queries is None) == (slots is None):
        raise TypeError("weights: pass one of queries=, rows of q, and slots=, columns of the mask")
    if k is None:
        raise TypeError(
            "weights: k is None; patterns without a term on the tokens have weights by "
            "attention(.., return_weights=True)"
        )
    v = torch.zeros_like(k) if v is None else v
    if slots is not None:
        return _of_slots(module, (q, k, v), _numbers("slots", slots, None), {**asked, **inputs})
    rows = _numbers("queries", queries, q.shape[2])
    return _of_queries(module, (q, k, v), rows, asked, dict(inputs))


def _numbers(name: str, values: object, count: int | None) -> list[int]:
    """Row or slot numbers from 0, one or more."""
    found = torch.as_tensor(values)
    if found.dim() != 1 or not len(found) or found.is_floating_point() or found.dtype == torch.bool:
        raise TypeError(f"{name}: expected a list of numbers from 0, got {values!r}")
    numbers: list[int] = found.tolist()
    outside = [x for x in numbers if x < 0 or (count is not None and x >= count)]
    if outside:
        most = "" if count is None else f" to {count - 1}"
        raise ValueError(f"{name}: {outside[0]} is not a number from 0{most}")
    return numbers


def _of_slots(
    module: ModuleType, tokens: Tokens, slots: list[int], options: dict[str, Any]
) -> Tensor:
    """The columns of some slots, a few at a time."""
    found = []
    for columns in torch.split(torch.tensor(slots), _COLUMNS):
        dense = module.attention(*tokens, return_weights=columns, **options)[-1]
        found.append(_entries(dense))
    return _sparse(found, 3)


def _of_queries(
    module: ModuleType,
    tokens: tuple[Tensor, Tensor, Tensor],
    rows: list[int],
    asked: Mapping[str, Any],
    inputs: dict[str, Any],
) -> Tensor:
    """The rows of the queries, runs of neighbours at once."""
    q, k, v = tokens
    layer, start = asked["layer"], asked["start"]
    first = k.shape[2] - q.shape[2] if start is None else start
    if min(rows) + first < 0:
        raise ValueError(f"queries: row {min(rows)} of q stands before the first key")
    if generated.finds_lists(module):
        # Searches may choose among all rows.
        inputs |= module.found_lists(*tokens, layer=layer, start=start, **inputs)
    inputs = {name: generated.by_head(module, name, each, q) for name, each in inputs.items()}
    options = {"layer": layer, "scale": asked["scale"], "backend": "reference"}
    most = max(1, _AT_ONCE // max(1, q.shape[0] * q.shape[1] * k.shape[2]))
    found = []
    for run in _runs(rows, first, most):
        placement = Placement(range(k.shape[2]), (run,))
        part = Part(module, layer, Group(0, len(q), placement), run, k.shape[2], q.shape[2])
        given = {name: cut_input(part, name, value) for name, value in inputs.items()}
        some = q[:, :, run.first : run.stop]
        dense = module.attention(
            some, k, v, start=run.start, return_weights=True, **options, **given
        )
        found.append(_entries(dense[-1]))
    return _sparse(found, 2)


_Entries = tuple[Tensor, Tensor, torch.Size]


def _entries(dense: Tensor) -> _Entries:
    """What is not 0: places [4, entries], values, and the shape."""
    places = dense.detach().nonzero().T
    return places, dense[tuple(places)], dense.shape


def _sparse(parts: list[_Entries], axis: int) -> Tensor:
    """Parts that follow one another along an axis, as one sparse tensor in order."""
    begins = list(accumulate((shape[axis] for _, _, shape in parts), initial=0))
    moved = []
    for (places, _, _), begin in zip(parts, begins, strict=False):
        shift = torch.tensor([begin if at == axis else 0 for at in range(4)])
        moved.append(places + shift[:, None].to(places.device))
    sizes = [*parts[0][2]]
    sizes[axis] = begins[-1]
    every = torch.cat(moved, 1)
    flat = sum(
        (every[at] * math.prod(sizes[at + 1 :]) for at in range(4)), torch.zeros_like(every[0])
    )
    order = flat.argsort()
    values = torch.cat([values for _, values, _ in parts])[order]
    return torch.sparse_coo_tensor(
        every[:, order], values, sizes, check_invariants=False, is_coalesced=True
    )


def _runs(rows: list[int], first: int, most: int) -> Iterator[Run]:
    """Neighbours that follow one another in the list, at most so many together."""
    begin = 0
    for at in range(1, len(rows) + 1):
        ends = at == len(rows) or rows[at] != rows[at - 1] + 1 or at - begin == most
        if ends:
            yield Run(rows[begin], rows[at - 1] + 1, rows[begin] + first)
            begin = at


def with_padded_weights(
    attention: Callable[..., Any],
    module: ModuleType,
    tokens: Tokens,
    padding: Mapping[str, Any],
    options: dict[str, Any],
) -> tuple[Tensor, ...]:
    """What a padded call gives, and its weights [batch, heads, queries, slots of the call]."""
    q, k, v = tokens
    if options.pop("return_weights") is not True or k is None or v is None:
        raise ValueError(
            "return_weights with positions=, cache_lengths= or key_padding= is True, for patterns "
            "on the tokens; call each sequence by itself for the weights of some slots"
        )
    if options["dropout"]:
        raise ValueError(
            "return_weights with positions=, cache_lengths= or key_padding= has no dropout; call "
            "each sequence by itself"
        )
    found = attention(module, q, k, v, **padding, **options)
    weights = _placed_weights(module, (q, k, v), padding, {**options, "return_lse": False})
    return (*found, weights) if options["return_lse"] else (found, weights)


def _placed_weights(
    module: ModuleType,
    tokens: tuple[Tensor, Tensor, Tensor],
    padding: Mapping[str, Any],
    options: dict[str, Any],
) -> Tensor:
    """Weights of each sequence by itself, at the slots of the call."""
    q, k, v = tokens
    given = {name: x.cpu().numpy() if isinstance(x, Tensor) else x for name, x in padding.items()}
    where = placements(len(q), q.shape[2], k.shape[2], **given)
    whole = []
    for group in grouped(where):
        slots = torch.tensor(list(group.placement.slots), dtype=torch.int64, device=q.device)
        some = slice(group.first, group.stop)
        rows = q.new_zeros(len(q[some]), q.shape[1], q.shape[2], k.shape[2])
        for run in group.placement.runs:
            part = Part(module, options["layer"], group, run, k.shape[2], q.shape[2])
            own = {name: cut_input(part, name, value) for name, value in options.items()}
            own |= {} if run.start is None else {"start": run.start}
            keys, values = (each[some].index_select(2, slots) for each in (k, v))
            asked = q[some, :, run.first : run.stop]
            dense = module.attention(asked, keys, values, return_weights=True, **own)[-1]
            if dense.shape[3] != len(slots):
                raise ValueError(
                    "return_weights with padding is for patterns on the tokens alone; call each "
                    "sequence by itself"
                )
            at = torch.arange(run.first, run.stop, device=q.device)
            wide = dense.new_zeros(*dense.shape[:3], k.shape[2]).index_copy(3, slots, dense)
            rows = rows.index_copy(2, at, wide)
        whole.append(rows)
    return torch.cat(whole)
