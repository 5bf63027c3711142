"""A program with its module, at one length, for one layer and one sort of rows.

What is asked of every room, and what the evaluator and the dense attention answer: once a case.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import torch

from patternc import Pattern
from patternc.queries.arguments import of_head
from tests.fuzz.calls import Call, Sizes
from tests.fuzz.dense import Floats, Head, attended


@dataclass(frozen=True)
class Case:
    """`tile` is that of the module."""

    pattern: Pattern
    module: ModuleType
    sizes: Sizes
    layer: int
    rows: str
    call: Call
    tile: tuple[int, int]

    @property
    def known(self) -> dict[str, Any]:
        """What the evaluator and the counts are told."""
        rows = {"rows": self.rows} if self.rows else {}
        return {"layer": self.layer, "slots": self.sizes.given, **rows, **self.call.deciding}

    @property
    def deciding(self) -> dict[str, Any]:
        """The inputs that decide pairs, for the module."""
        return {name: torch.from_numpy(value) for name, value in self.call.deciding.items()}

    @property
    def tensors(self) -> dict[str, Any]:
        """What masks of the module are told."""
        return {**self.known, **self.deciding}

    @cached_property
    def wanted(self) -> Any:
        """How often the evaluator has each pair [heads, rows, slots]."""
        return self.pattern.multiplicity(self.sizes.n, **self.known)

    @cached_property
    def attended(self) -> list[tuple[Floats, Floats | None]]:
        """Output and lse of every head, by dense masks."""
        return [attended(self._head(head)) for head in range(self.call.heads)]

    @property
    def combined(self) -> bool:
        """Whether a head has several softmaxes, and so no lse."""
        return any(lse is None for _, lse in self.attended)

    def _head(self, head: int) -> Head:
        inputs = of_head(self.call.deciding, self.pattern.inputs, head)
        return Head(
            self.call, head, self.pattern._frontend.resolve(self.layer, head, self.rows), inputs
        )
