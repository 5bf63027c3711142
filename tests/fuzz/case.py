"""A program with its module, at one length, for one layer and one sort of rows.

What is asked of every room, and what the evaluator and the dense attention answer: once a case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
import torch

from patternc import Pattern
from patternc.queries.arguments import of_head
from tests.fuzz.calls import BATCH, Call, Sizes
from tests.fuzz.dense import Floats, Head, attended


@dataclass(frozen=True)
class Case:
    """`tile` is that of the module; `lists` are those that the call has found."""

    pattern: Pattern
    module: ModuleType
    sizes: Sizes
    layer: int
    rows: str
    call: Call
    tile: tuple[int, int]
    lists: tuple[str, ...] = ()

    @property
    def known(self) -> dict[str, Any]:
        """What the evaluator and the counts are told."""
        rows = {"rows": self.rows} if self.rows else {}
        return {"layer": self.layer, "slots": self.sizes.given, **rows, **self.call.deciding}

    @property
    def deciding(self) -> dict[str, Any]:
        """The inputs that decide pairs, for the module."""
        return {name: torch.as_tensor(value) for name, value in self.call.deciding.items()}

    @property
    def tensors(self) -> dict[str, Any]:
        """What masks of the module are told."""
        return {**self.known, **self.deciding}

    @cached_property
    def wanted(self) -> Any:
        """How often the evaluator has each pair [heads, rows, slots]."""
        return self.pattern.multiplicity(self.sizes.n, **self.known)

    @property
    def without_lists(self) -> Case:
        """The same, its lists to be found again; what is wanted of it is known."""
        rest = {name: value for name, value in self.call.deciding.items() if name not in self.lists}
        plain = replace(self, call=replace(self.call, deciding=rest))
        plain.__dict__["attended"] = self.attended
        return plain

    @cached_property
    def elements(self) -> list[Case]:
        """The batch elements one by one, where they differ in what decides pairs."""
        if not self.call.batches.keys() & self.call.deciding.keys():
            return [self]
        return [replace(self, call=self.call.element(at)) for at in range(BATCH)]

    @cached_property
    def attended(self) -> list[tuple[Floats, Floats | None]]:
        """Output and lse of every head, by dense masks."""
        parts = [[attended(head) for head in element.heads] for element in self.elements]
        return [_joined(head) for head in zip(*parts, strict=True)]

    @property
    def combined(self) -> bool:
        """Whether a head has several softmaxes, or none, and so no lse."""
        return any(lse is None for _, lse in self.attended)

    @property
    def heads(self) -> list[Head]:
        return [self._head(head) for head in range(self.call.heads)]

    def _head(self, head: int) -> Head:
        inputs = of_head(self.call.deciding, self.pattern.inputs, head)
        pattern = self.pattern._frontend.resolve(self.layer, head, self.rows)
        relations = self.pattern.relations(self.layer, self.rows)
        asked = frozenset(source for each in relations for source in each.sources)
        return Head(self.call, head, pattern, inputs, self.module, asked)


def _joined(
    parts: tuple[tuple[Floats, Floats | None], ...],
) -> tuple[Floats, Floats | None]:
    """One head of all batch elements."""
    sums = [lse for _, lse in parts if lse is not None]
    return np.concatenate([out for out, _ in parts]), np.concatenate(sums) if sums else None
