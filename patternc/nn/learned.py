"""What a pattern learns: the shapes of its parameters, and where they start from.

Converts the relations of the layers that a module is for to parameters by name. Inputs whose size
follows from a call, as biases and tables of positions, are none. Raises `ValueError` where layers
need different sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from patternc.ir.modifiers import Sink
from patternc.ir.sources import Persistent
from patternc.modifiers.distance_aware import DistanceAware
from patternc.modifiers.relative import Relative
from patternc.modifiers.relative_values import RelativeValues
from patternc.modifiers.softspan import SoftSpan
from patternc.modifiers.t5 import T5Bias
from patternc.modifiers.xl_relative import XlRelative
from patternc.pattern import Pattern
from patternc.relation.relation import Branch, Combined, Relation


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of a module: what the shapes of parameters follow from."""

    heads: int
    kv_heads: int
    head_dim: int


@dataclass(frozen=True, slots=True)
class Learned:
    """A parameter: its shape and the standard deviation or the value that it starts from."""

    shape: tuple[int, ...]
    deviation: float = 0.0
    value: float = 0.0

    def reset(self, parameter: Tensor) -> None:
        with torch.no_grad():
            if self.deviation:
                nn.init.normal_(parameter, std=self.deviation)
            else:
                parameter.fill_(self.value)


def learned_parts(pattern: Pattern, layer: int | None, sizes: Sizes) -> dict[str, Learned]:
    """The parameters by name; keys and values of a source as NAME_k and NAME_v."""
    found: dict[str, Learned] = {}
    for relation in _relations(pattern, layer):
        for name, part in _of_relation(relation, sizes):
            if found.setdefault(name, part) != part:
                raise ValueError(
                    f"{name} has shape {list(part.shape)} in one layer or head and "
                    f"{list(found[name].shape)} in another; make a module for each layer: layer=.."
                )
    return found


def projections(pattern: Pattern, layer: int | None) -> tuple[str, ...]:
    """The names of projections of their own, as `rows(.., projection=g)` has."""
    every = (
        name
        for relation in _relations(pattern, layer)
        for branch in relation.branches
        for name in (branch.projection, *(name for _, name in branch.projected))
        if name is not None
    )
    return tuple(dict.fromkeys(every))


def _relations(pattern: Pattern, layer: int | None) -> Iterator[Relation]:
    layers = range(pattern.layers or 1) if layer is None or not pattern.layers else (layer,)
    for number in layers:
        yield from pattern.relations(number)


def _of_relation(relation: Relation, sizes: Sizes) -> Iterator[tuple[str, Learned]]:
    for branch in relation.branches:
        yield from _of_branch(branch, sizes)
    if isinstance(relation.combined, Combined):
        yield from _of_gates(relation.combined, sizes)


def _of_branch(branch: Branch, sizes: Sizes) -> Iterator[tuple[str, Learned]]:
    of_heads = Learned((sizes.heads,))
    for modifier in branch.modifiers:
        match modifier:
            case T5Bias(buckets=buckets, name=name):
                yield name, Learned((buckets, sizes.heads))
            case Relative(max_distance):
                shape = 2 * max_distance + 1, sizes.head_dim
                yield "relative_keys", Learned(shape, sizes.head_dim**-0.5)
            case RelativeValues(max_distance):
                shape = 2 * max_distance + 1, sizes.head_dim
                yield "relative_values", Learned(shape, sizes.head_dim**-0.5)
            case XlRelative():
                for name in ("xl_u", "xl_v"):
                    yield name, Learned((sizes.heads, sizes.head_dim))
            case DistanceAware():
                yield "distance_alpha", of_heads
                yield "distance_beta", of_heads
            case SoftSpan(name=name):
                yield name, of_heads
            case Sink():
                yield "sinks", of_heads
            case _:
                pass
    if isinstance(branch.source, Persistent):
        slots = sizes.kv_heads, branch.source.slots, sizes.head_dim
        for part in ("k", "v"):
            yield f"persistent_kv_{part}", Learned(slots, sizes.head_dim**-0.5)


def _of_gates(combined: Combined, sizes: Sizes) -> Iterator[tuple[str, Learned]]:
    if combined.gate is not None:
        count = len(combined.arguments)
        shape = (sizes.heads,) if count == 2 else (count, sizes.heads)
        yield combined.gate, Learned(shape, value=1 / count)
    for argument in combined.arguments:
        if isinstance(argument, Combined):
            yield from _of_gates(argument, sizes)
