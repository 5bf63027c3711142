"""`neighborhood`: windows on a grid, checked as NATTEN checks them."""

from __future__ import annotations

from patternc.ir.terms import Axis, Neighborhood
from patternc.language.check.environment import Environment
from patternc.language.elaborate.axes import Values, axis_sizes, per_axis, wrong
from patternc.language.elaborate.positions import integers
from patternc.language.syntax.ast import Call, Name, Range

_PER_AXIS = ("left", "right", "dilation", "stride")


def neighborhood(node: Call, values: Values, place: Environment) -> Neighborhood:
    sizes = axis_sizes(node, values, place)
    causal = _causal_axes(values, len(sizes), place)
    left, right, dilation, stride = (
        _per_axis_or_radius(name, values, len(sizes), place) for name in _PER_AXIS
    )
    edge = values.get("edge")
    shifted = isinstance(edge, Name) and edge.name == "shift"
    axes = [
        _looking_back(Axis(*numbers, causal=k in causal), values, place)
        for k, numbers in enumerate(zip(sizes, left, right, dilation, stride, strict=True))
    ]
    for axis in axes:
        _check_axis(axis, shifted, node, place)
    return Neighborhood(tuple(axes), "shift" if shifted else "clip")


def _per_axis_or_radius(
    name: str, values: Values, count: int, place: Environment
) -> tuple[int, ...]:
    """One number for each axis; `radius` is both sides."""
    side = name in ("left", "right")
    key = "radius" if side and "radius" in values else name
    return per_axis(key, values, count, place, least=0 if side else 1)


def _causal_axes(values: Values, count: int, place: Environment) -> frozenset[int]:
    if "causal" not in values:
        return frozenset()
    node = values["causal"]
    assert not isinstance(node, Range)
    axes = integers(node, place)
    for axis in axes:
        if not -count <= axis < count:
            advice = f"axes are 0 to {count - 1}; negative ones count from the last"
            raise wrong(node, place, f"there is no axis {axis}", advice)
    return frozenset(axis % count for axis in axes)


def _looking_back(axis: Axis, values: Values, place: Environment) -> Axis:
    """A causal axis has no right side."""
    if not axis.causal or axis.right == 0:
        return axis
    if "right" in values:
        advice = "use 0 on the right side of causal axes"
        raise wrong(values["right"], place, "a causal axis with a window to the right", advice)
    return Axis(axis.size, axis.left, 0, axis.dilation, axis.stride, axis.causal)


def _check_axis(axis: Axis, shifted: bool, node: Call, place: Environment) -> None:
    window = axis.left + axis.right + 1
    if shifted and window * axis.dilation > axis.size:
        title = f"window size {window}, dilation {axis.dilation} exceeds the axis size {axis.size}"
        advice = "use a smaller radius, or `edge=clip`"
        raise wrong(node, place, title, advice, "`edge=shift` needs windows inside the axis")
    if axis.stride > window:
        title = f"stride {axis.stride} exceeds the window size {window}"
        advice = "use a stride of at most left + right + 1"
        raise wrong(node, place, title, advice, "a query group lies inside its shared window")
