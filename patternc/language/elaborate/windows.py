"""`windows`: a grid that is cut into windows."""

from __future__ import annotations

from typing import Literal

from patternc.ir.terms import WindowAxis, Windows
from patternc.language.check.environment import Environment
from patternc.language.elaborate.axes import Values, axis_sizes, per_axis, wrong
from patternc.language.syntax.ast import Call, Name

_PER_AXIS = {"size": 1, "shift": 0, "dilation": 1}


def windows(node: Call, values: Values, place: Environment) -> Windows:
    sizes = axis_sizes(node, values, place)
    lists = (per_axis(name, values, len(sizes), place, low) for name, low in _PER_AXIS.items())
    axes = tuple(WindowAxis(*numbers) for numbers in zip(sizes, *lists, strict=True))
    edge = _edge(values)
    for axis in axes:
        _check_axis(axis, edge, values, place)
    return Windows(axes, edge)


def _edge(values: Values) -> Literal["clip", "wrap", "roll"]:
    match values.get("edge"):
        case Name("wrap"):
            return "wrap"
        case Name("roll"):
            return "roll"
        case _:
            return "clip"


def _check_axis(axis: WindowAxis, edge: str, values: Values, place: Environment) -> None:
    if axis.shift >= axis.window:
        title = f"shift {axis.shift} is not below the window size {axis.window}"
        raise wrong(values["shift"], place, title, f"write a shift of 0 to {axis.window - 1}")
    if edge == "clip":
        return
    if axis.size % axis.dilation:
        title = f"dilation {axis.dilation} does not divide the axis size {axis.size}"
        advice = "use a dilation that divides the axis, or `edge=clip`"
        raise wrong(
            values["dilation"],
            place,
            title,
            advice,
            f"`edge={edge}` moves equally many of each class",
        )
    if axis.shift and axis.window > axis.size // axis.dilation:
        title = f"window size {axis.window} exceeds the {axis.size // axis.dilation} positions"
        advice = "use a shift of 0 on an axis of one window"
        raise wrong(values["shift"], place, title, advice, f"`edge={edge}` moves whole windows")
