"""The axes of a grid: lists with one number for each, of `neighborhood` and `windows`."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from patternc.language.check.environment import Environment
from patternc.language.elaborate.bounds import beyond_limit, saturated
from patternc.language.elaborate.constants import EvaluationError, value_error
from patternc.language.elaborate.positions import integers
from patternc.language.syntax.ast import Call, Node, Range
from patternc.language.syntax.limits import GRID

Values = Mapping[str, Node | Range]


def axis_sizes(node: Call, values: Values, place: Environment) -> tuple[int, ...]:
    """The sizes of a grid, whose product has a limit."""
    sizes = _listed("grid", values, place, least=1)
    if not sizes:
        raise wrong(node, place, "a grid without axes", "write the sizes of its axes: `[H, W]`")
    if prod(sizes) > GRID:
        raise beyond_limit("grid", prod(sizes), GRID, values["grid"], place, of=node.function)
    return sizes


def per_axis(
    name: str, values: Values, count: int, place: Environment, least: int
) -> tuple[int, ...]:
    """One number for each axis, `least` where the argument is left out."""
    if name not in values:
        return (least,) * count
    numbers = _listed(name, values, place, least)
    if len(numbers) == count:
        return tuple(map(saturated, numbers))
    raise wrong(
        values[name],
        place,
        f"`{name}` has {len(numbers)} numbers, the grid has {count} axes",
        "write one number for each axis",
    )


def _listed(name: str, values: Values, place: Environment, least: int) -> tuple[int, ...]:
    node = values[name]
    assert not isinstance(node, Range)
    numbers = integers(node, place)
    for number in numbers:
        if number < least:
            raise wrong(node, place, f"`{name}` contains {number}", f"write {least} or more")
    return numbers


def wrong(
    node: Node | Range, place: Environment, title: str, advice: str, note: str = ""
) -> EvaluationError:
    return value_error("P109.neighborhood", node, place, what=title, note=note, advice=advice)
