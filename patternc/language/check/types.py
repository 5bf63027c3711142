"""What is known of a part of a program before any number is: its kind, and what it holds."""

from __future__ import annotations

from typing import Literal

from patternc.frozen import frozen
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import Span

ExprType = Literal[
    "integer",
    "condition",
    "set",
    "output",
    "list",
    "period",
    "source",
    "modifier",
    "decimal",
    "distances",
    "unknown",
]

ARTICLED: dict[ExprType, str] = {
    "integer": "an integer",
    "condition": "a condition",
    "set": "a pattern",
    "output": "a mixture of branches",
    "list": "a list",
    "period": "a period",
    "source": "a key source",
    "modifier": "a score modifier",
    "decimal": "a decimal number",
    "distances": "the powers of a number",
    "unknown": "something unknown",
}

POSITIONAL = frozenset({"i", "j", "n"})
_SIZE = "size "


def of_size(name: str) -> str:
    """What a part holds that depends on `size NAME`; no other name has a space."""
    return f"{_SIZE}{name}"


def size_in(held: str) -> str:
    """The size that `of_size` names; empty for others."""
    return held.removeprefix(_SIZE) if held.startswith(_SIZE) else ""


def is_known_at_calls(held: str) -> bool:
    """Is it n, or a size?"""
    return held == "n" or bool(size_in(held))


def as_written(held: str) -> str:
    """What a part holds, as messages name it."""
    return f"`{size_in(held)}`, a size of the call" if size_in(held) else held


@frozen
class TypeInfo:
    """`holds` names what the part depends on or contains.

    For integers and conditions: i, j, n, `size NAME`, layer, head, layers, heads. For patterns also
    `random`, `listed` (run-time lists and sets), `same` (run-time labels), `source` and `modifier`.
    """

    kind: ExprType
    holds: frozenset[str] = frozenset()

    @property
    def positional(self) -> frozenset[str]:
        """The positions, n and sizes of the call among these."""
        sizes = (name for name in self.holds if size_in(name))
        return (self.holds & POSITIONAL).union(sizes)


UNKNOWN = TypeInfo("unknown")
"""Of a part at fault, so that it is reported once."""


def expected_type(expected: str, facts: TypeInfo, span: Span, advice: str = "") -> Diagnostic:
    """A part of the wrong kind."""
    mixed = {expected, facts.kind} == {"an integer", "condition"}
    note = "conditions are not integers" if mixed else ""
    return diagnostic(
        "P060.expected_type",
        span,
        expected=expected,
        found=ARTICLED[facts.kind],
        note=note,
        advice=advice or _advice(expected, facts.kind),
    )


def _advice(expected: str, found: ExprType) -> str:
    match expected, found:
        case "an integer", "decimal":
            return "write an integer; decimal numbers are allowed only in arguments of modifiers"
        case "an integer", "list":
            return "compare with each number: `layer == 2 or layer == 5`"
        case "an integer", "set":
            return "write an integer, or leave out an argument that has no value"
        case "an integer", "condition":
            return "write a number, or two rules `CONDITION -> PATTERN`"
        case "a condition", "integer":
            return "compare it with something: `i == 0`, `j <= i`, `layer == 2`"
        case "a condition", "set":
            return (
                "join patterns by `+`, `&` or `-`; a condition compares layer, head and "
                "parameters, or i, j, n inside `where(..)`"
            )
        case "a pattern", "condition":
            return (
                "a condition over positions becomes a pattern by `where(..)`; conditions are "
                "joined by `and` and `or`, and negated by `not`"
            )
        case "a pattern", "integer":
            return "a window of this size on each side is `local(..)`"
        case "a pattern", "source":
            return "put a pattern before it: `full on ..`"
        case "a pattern", "modifier":
            return "put a pattern before it: `full with ..`"
        case "a pattern", "distances":
            return "distances are an argument: `offsets(powers(2))`"
        case "a pattern", ("list" | "period"):
            return "key positions are `columns(..)`, query positions `rows(..)`"
        case _:
            return f"write {expected} here"
