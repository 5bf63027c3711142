"""Bounds on single values: sizes, and the two sides of a window."""

from __future__ import annotations

from patternc.language.arithmetic import Place, constant, fault
from patternc.language.formula import Constant, Expression
from patternc.language.program import Call, Node


def at_least(least: int, what: str, node: Node, place: Place) -> int:
    """The value of a size, at least so much."""
    value = constant(node, place)
    if value >= least:
        return value
    raise fault(
        "P105",
        f"`{what}` is {value}",
        node,
        place,
        note=f"`{what}` is at least {least}",
        help=f"write {least} or more",
    )


def not_empty(left: Expression, right: Expression, node: Call, place: Place) -> None:
    """Refuses sides that exclude each other, as far as they are known."""
    known = isinstance(left, Constant) and isinstance(right, Constant)
    if not known or left.value + right.value >= 0:  # type: ignore[union-attr]
        return
    raise fault(
        "P106",
        f"a window from {-left.value} to {right.value} holds nothing",  # type: ignore[union-attr]
        node,
        place,
        note="`local` holds -left <= j - i <= right; a negative side shifts the window away from "
        "the query",
        help="write sides with left + right >= 0; no pair at all is `none`",
    )
