"""What is known of a part of a program before any number is: its kind, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "integer",
    "condition",
    "set",
    "output",
    "list",
    "period",
    "source",
    "modifier",
    "decimal",
    "unknown",
]

ARTICLED: dict[Kind, str] = {
    "integer": "an integer",
    "condition": "a condition",
    "set": "a pattern",
    "output": "a mixture of branches",
    "list": "a list",
    "period": "a period",
    "source": "a key source",
    "modifier": "a score modifier",
    "decimal": "a decimal number",
    "unknown": "something unknown",
}

POSITIONAL = frozenset({"i", "j", "n"})


@dataclass(frozen=True, slots=True)
class Facts:
    """`holds` names what the part depends on or contains.

    For integers and conditions: i, j, n, layer, head, layers, heads. For patterns also `random`,
    `listed` (run-time lists and sets), `same` (run-time labels), `source` and `modifier`.
    """

    kind: Kind
    holds: frozenset[str] = frozenset()

    @property
    def positional(self) -> frozenset[str]:
        return self.holds & POSITIONAL


UNKNOWN = Facts("unknown")
"""Of a part at fault, so that it is reported once."""
