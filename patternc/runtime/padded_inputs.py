"""Run-time inputs of a padded call, cut to one part of it.

Converts an input in the layout of the call (all batch elements, `n` slots of keys, all queries) to
that of some batch elements, of the real keys and of a run of queries. What counts positions, as the
entries of lists and the rows of a table of positions, counts those of a sequence. Raises
`ValueError` for what cannot be cut. Does not check sizes: the module does so afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from patternc.queries.placement import Group, Run
from patternc.runtime.generated import counts_tokens, source_of

_BROUGHT = ("memory", "compressed", "store", "stream", "encoder")


@dataclass(frozen=True, slots=True)
class Part:
    """Some batch elements and queries of a call of `module` with `n` slots."""

    module: ModuleType
    layer: int
    group: Group
    run: Run
    n: int
    queries: int

    @property
    def whole(self) -> bool:
        """Are all slots real keys?"""
        return len(self.group.placement.slots) == self.n

    @property
    def at_the_end(self) -> bool:
        """Is padding behind the keys alone, so that slots are positions?"""
        slots = self.group.placement.slots
        return isinstance(slots, range) and (slots.start == 0 or not slots)

    def element(self, value: Tensor, batched: int) -> Tensor:
        """The batch elements of a tensor that has a dimension of them if it has so many."""
        if value.dim() != batched or value.shape[0] == 1:
            return value
        return value[self.group.first : self.group.stop]

    def real(self, value: Tensor, axis: int) -> Tensor:
        """The real keys along an axis of slots."""
        slots = self.group.placement.slots
        if value.shape[axis] != self.n or self.whole:
            return value
        if isinstance(slots, range):
            return value.narrow(axis, slots.start, len(slots))
        return value.index_select(axis, torch.tensor(slots, device=value.device))


def cut_input(part: Part, name: str, value: Any) -> Any:
    """A run-time input, or another argument as it is."""
    if name not in part.module.INPUTS or value is None:
        return value
    role, _, block, parts = part.module.INPUTS[name]
    if role == "projection" and isinstance(value, tuple | list):
        q, *others = (part.element(each, 4) for each in value)
        rows = q[:, :, part.run.first : part.run.stop]
        return (rows, *(part.real(each, 2) for each in others))
    if isinstance(value, tuple | list):
        cut = (_cut(part, name, role, block, parts, each) for each in value)
        return type(value)(cut)
    return _cut(part, name, role, block, parts, value)


def _cut(part: Part, name: str, role: str, block: int, parts: int, value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    match role:
        case "labels" | "set":
            if role == "set" and value.dtype != torch.bool:
                return value
            return _units(part, name, part.element(value, 2), -1, block, parts)
        case "size":
            return part.element(value, 1)
        case "offsets":
            return part.element(value, 3)
        case "integers":
            return _units(part, name, part.element(value, 3), -1, block, parts)
        case "listed":
            if not (part.whole or part.at_the_end):
                raise ValueError(
                    f"{name}: lists count positions of a sequence; they cannot be given where "
                    "padding is before or between its keys. Pad behind the keys"
                )
            return _units(part, name, part.element(value, 4), -2, block, parts)
        case "scores":
            return _scores(part, name, part.element(value, 4))
        case "bias":
            return _bias(part, name, part.element(value, 4))
        case "gate" | "token_span" if value.dim() > 2:
            return _of_queries(part, value)
        case "forgetting" | "decay":
            return part.real(part.element(value, 3), 2)
        case "positions":
            return value[..., : value.shape[-2] - _missing(part), :]
        case "xl" if value.dim() == 3:
            return value[: value.shape[0] - _missing(part)]
        case "project":
            return part.real(value, -1)
        case _ if role in _BROUGHT:
            return part.element(value, 4)
        case "pooled" | "tree" if not part.whole:
            raise ValueError(
                f"{name} has slots of all {part.n} keys; with padding or a cache pass none, or "
                "call each sequence by itself"
            )
        case "pooled" | "tree":
            return part.element(value, 4)
        case _:
            return value


def _of_queries(part: Part, value: Tensor) -> Tensor:
    """The numbers of a run's queries, [branches or none, batch, heads, queries]."""
    first, batch = part.group.first, value.dim() - 3
    if value.shape[batch] > 1:
        value = value.narrow(batch, first, part.group.stop - first)
    return value[..., part.run.first : part.run.stop]


def _missing(part: Part) -> int:
    return part.n - len(part.group.placement.slots)


def _units(part: Part, name: str, value: Tensor, axis: int, block: int, parts: int) -> Tensor:
    """What counts tokens or blocks of them; labels and sets of other slots stay."""
    if parts or part.whole or not counts_tokens(part.module, part.layer, name):
        return value
    if block == 1:
        return part.real(value, axis)
    if not part.at_the_end:
        raise ValueError(
            f"{name} counts blocks of {block} tokens; it cannot be given where padding is before "
            "or between the keys. Pad behind the keys"
        )
    if value.shape[axis] != -(-part.n // block):
        return value
    return value.narrow(axis, 0, -(-len(part.group.placement.slots) // block))


def _scores(part: Part, name: str, value: Tensor) -> Tensor:
    """Queries of the run; what keys or blocks of keys there are follows from all of them."""
    if not part.whole:
        raise ValueError(
            f"{name} has scores for all {part.n} keys; with padding or a cache, call each sequence "
            "by itself"
        )
    if value.dim() != 4 or value.shape[2] != part.queries:
        return value
    return value[:, :, part.run.first : part.run.stop]


def _bias(part: Part, name: str, value: Tensor) -> Tensor:
    """Queries of the run by real keys; slots of other sources stay, those of a pool are unknown."""
    if value.shape[-2] == part.queries:
        value = value[..., part.run.first : part.run.stop, :]
    source = source_of(part.module, part.layer, name)
    if source == "tokens":
        return part.real(value, -1)
    if source == "pool" and not part.whole:
        raise ValueError(
            f"{name} has entries for the pool of all {part.n} keys; with padding or a cache, call "
            "each sequence by itself"
        )
    return value
