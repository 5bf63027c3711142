"""Bounds on single values: sizes, and the two sides of a window."""

from __future__ import annotations

from patternc.ir.formula import Constant, Expression, Multiply
from patternc.language.check.environment import Environment
from patternc.language.elaborate.constants import (
    EvaluationError,
    constant,
    fit_everywhere,
    value_error,
)
from patternc.language.syntax.ast import Call, Node, Range
from patternc.language.syntax.limits import BLOCK_PARTS, SLOTS

# No position is further than this from another, nor from n: whatever reaches as far reaches all.
FARTHEST = 1 << 32


def saturated(value: int, farthest: int = FARTHEST) -> int:
    """A distance or size of the same meaning at every n below 2**31."""
    return max(-farthest, min(value, farthest))


def saturated_end(end: Expression, farthest: int = FARTHEST) -> Expression:
    return Constant(saturated(end.value, farthest)) if isinstance(end, Constant) else end


def at_least(least: int, name: str, node: Node, place: Environment, of: str = "") -> int:
    """The value of a size, at least so much."""
    value = constant(node, place)
    most = _limit(name, of) if of else None
    if most is not None and value > most:
        raise beyond_limit(name, value, most, node, place, of)
    if value >= least:
        return value
    raise value_error(
        "P105.too_small", node, place, size_name=_size_name(name, of), least=least, value=value
    )


def _limit(name: str, of: str) -> int | None:
    """The largest value of a size that costs work for each unit; others saturate."""
    match of, name:
        case _, "parts":
            return BLOCK_PARTS
        case ("random", "k") | (_, "m"):
            return SLOTS
        case _:
            return None


def _size_name(name: str, of: str) -> str:
    return f"`{name}` of `{of}`" if of else f"`{name}`"


def beyond_limit(
    name: str, value: int, most: int, node: Node | Range, place: Environment, of: str
) -> EvaluationError:
    return value_error(
        "P132.too_large",
        node,
        place,
        size_name=_size_name(name, of),
        most=most,
        value=value,
        parts=name == "parts",
    )


def spread(side: Expression, dilation: int, node: Call, place: Environment) -> None:
    """Refuses a side in n that leaves 63 bits once it is multiplied by the dilation."""
    if not isinstance(side, Constant):
        fit_everywhere(Multiply(Constant(dilation), side), node, place)


def not_empty(left: Expression, right: Expression, node: Call, place: Environment) -> None:
    """Refuses sides that exclude each other, as far as they are known."""
    match left, right:
        case Constant(before), Constant(after) if before + after < 0:
            raise value_error("P106.empty_window", node, place, before=-before, after=after)
        case _:
            pass


def reaching(back: int, ahead: int, node: Call, place: Environment) -> None:
    """Refuses segments that reach neither back nor ahead nor themselves."""
    if back + ahead < 0:
        raise value_error("P106.empty_segments", node, place, back=-back, ahead=ahead)
