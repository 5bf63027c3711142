"""`neighborhood`: windows on a grid, checked as NATTEN checks them."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from patternc.ir.terms import Axis, Neighborhood
from patternc.language.check.environment import Environment
from patternc.language.elaborate.bounds import beyond_limit, saturated
from patternc.language.elaborate.constants import EvaluationError, value_error
from patternc.language.elaborate.positions import integers
from patternc.language.syntax.ast import Call, Name, Node, Range
from patternc.language.syntax.limits import GRID

_PER_AXIS = ("left", "right", "dilation", "stride")
Values = Mapping[str, Node | Range]


def neighborhood(node: Call, values: Values, place: Environment) -> Neighborhood:
    sizes = _listed("grid", values, place, least=1)
    if not sizes:
        raise _wrong(node, place, "a grid without axes", "write the sizes of its axes: `[H, W]`")
    causal = _causal_axes(values, len(sizes), place)
    left, right, dilation, stride = (
        _per_axis(name, values, len(sizes), place) for name in _PER_AXIS
    )
    edge = values.get("edge")
    shifted = isinstance(edge, Name) and edge.name == "shift"
    axes = [
        _looking_back(Axis(*numbers, causal=k in causal), values, place)
        for k, numbers in enumerate(zip(sizes, left, right, dilation, stride, strict=True))
    ]
    for axis in axes:
        _check_axis(axis, shifted, node, place)
    if prod(sizes) > GRID:
        raise beyond_limit("grid", prod(sizes), GRID, values["grid"], place, of="neighborhood")
    return Neighborhood(tuple(axes), "shift" if shifted else "clip")


def _per_axis(name: str, values: Values, count: int, place: Environment) -> tuple[int, ...]:
    """One number for each axis; `radius` is both sides."""
    side = name in ("left", "right")
    key = "radius" if side and "radius" in values else name
    least = 0 if side else 1
    if key not in values:
        return (least,) * count
    numbers = _listed(key, values, place, least)
    if len(numbers) == count:
        return tuple(map(saturated, numbers))
    raise _wrong(
        values[key],
        place,
        f"`{key}` has {len(numbers)} numbers, the grid has {count} axes",
        "write one number for each axis",
    )


def _listed(name: str, values: Values, place: Environment, least: int) -> tuple[int, ...]:
    node = values[name]
    assert not isinstance(node, Range)
    numbers = integers(node, place)
    for number in numbers:
        if number < least:
            raise _wrong(node, place, f"`{name}` contains {number}", f"write {least} or more")
    return numbers


def _causal_axes(values: Values, count: int, place: Environment) -> frozenset[int]:
    if "causal" not in values:
        return frozenset()
    node = values["causal"]
    assert not isinstance(node, Range)
    axes = integers(node, place)
    for axis in axes:
        if not -count <= axis < count:
            advice = f"axes are 0 to {count - 1}; negative ones count from the last"
            raise _wrong(node, place, f"there is no axis {axis}", advice)
    return frozenset(axis % count for axis in axes)


def _looking_back(axis: Axis, values: Values, place: Environment) -> Axis:
    """A causal axis has no right side."""
    if not axis.causal or axis.right == 0:
        return axis
    if "right" in values:
        advice = "use 0 on the right side of causal axes"
        raise _wrong(values["right"], place, "a causal axis with a window to the right", advice)
    return Axis(axis.size, axis.left, 0, axis.dilation, axis.stride, axis.causal)


def _check_axis(axis: Axis, shifted: bool, node: Call, place: Environment) -> None:
    window = axis.left + axis.right + 1
    if shifted and window * axis.dilation > axis.size:
        title = f"window size {window}, dilation {axis.dilation} exceeds the axis size {axis.size}"
        advice = "use a smaller radius, or `edge=clip`"
        raise _wrong(node, place, title, advice, "`edge=shift` needs windows inside the axis")
    if axis.stride > window:
        title = f"stride {axis.stride} exceeds the window size {window}"
        advice = "use a stride of at most left + right + 1"
        raise _wrong(node, place, title, advice, "a query group lies inside its shared window")


def _wrong(
    node: Node | Range, place: Environment, title: str, advice: str, note: str = ""
) -> EvaluationError:
    return value_error("P109.neighborhood", node, place, what=title, note=note, advice=advice)
