"""Bounds on single values: sizes, and the two sides of a window."""

from __future__ import annotations

from patternc.language.arithmetic import NoValueError, Place, constant, fault
from patternc.language.formula import Constant, Expression
from patternc.language.limits import BLOCK_PARTS, SIZE
from patternc.language.program import Call, Node, Range


def at_least(least: int, name: str, node: Node, place: Place, of: str = "") -> int:
    """The value of a size, at least so much."""
    value = constant(node, place)
    if of and value > (BLOCK_PARTS if name == "parts" else SIZE):
        raise too_large(name, value, node, place, of)
    if value >= least:
        return value
    raise fault(
        "P105",
        f"`{name}` of `{of}` is {value}" if of else f"`{name}` is {value}",
        node,
        place,
        note=f"`{name}` is at least {least}",
        advice=f"write {least} or more",
    )


def too_large(
    name: str, value: int, node: Node | Range, place: Place, of: str = ""
) -> NoValueError:
    most = BLOCK_PARTS if name == "parts" else SIZE
    return fault(
        "P132",
        f"`{name}` of `{of}` is {value:,}" if of else f"`{name}` is {value:,}",
        node,
        place,
        note=f"`{name}` is at most {most:,}",
        advice=f"write {most:,} or less"
        if name != "parts"
        else "write fewer parts, or blocks of a fixed size: `blocks(B) { .. }`",
    )


def not_empty(left: Expression, right: Expression, node: Call, place: Place) -> None:
    """Refuses sides that exclude each other, as far as they are known."""
    match left, right:
        case Constant(before), Constant(after) if before + after < 0:
            raise fault(
                "P106",
                f"a window from {-before} to {after} holds nothing",
                node,
                place,
                note="`local` holds -left <= j - i <= right; a negative side leaves the query out",
                advice="write sides with left + right >= 0; no pair at all is `none`",
            )
        case _:
            pass


def reaching(back: int, ahead: int, node: Call, place: Place) -> None:
    """Refuses segments that reach neither back nor ahead nor themselves."""
    if back + ahead < 0:
        raise fault(
            "P106",
            f"segments from {-back} to {ahead} hold nothing",
            node,
            place,
            note="`segment` holds -back <= j // w - i // w <= ahead",
            advice="write sides with back + ahead >= 0; no pair at all is `none`",
        )
