"""What the names of a program stand for at one layer and head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from patternc.ir.formula import Condition, Expression
from patternc.language.syntax.ast import Node


@dataclass(slots=True)
class Environment:
    """One (layer, head), or neither, with what the names above stand for."""

    values: Mapping[str, int]
    lets: Mapping[str, Node]
    layer: int = 0
    head: int = 0
    known: dict[str, Expression | Condition] = field(default_factory=dict)

    def where(self) -> str:
        """`at layer 2, head 0`, as far as the program has them."""
        parts = [f"{name} {self.values[name]}" for name in ("layer", "head") if name in self.values]
        return "at " + ", ".join(parts) if parts else ""
