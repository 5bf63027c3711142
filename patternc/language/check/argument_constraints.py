"""Arguments that are right one by one and wrong together."""

from __future__ import annotations

from patternc.ir.builtin_words import Builtin
from patternc.language.check.argument_errors import excluded, missing
from patternc.language.check.arguments import fill
from patternc.language.syntax.ast import Argument, Call, Name
from patternc.language.syntax.builtins import PRIMITIVES
from patternc.language.syntax.diagnostics import Diagnostic

_Given = dict[str, Argument]


def check_together(node: Call, primitive: Builtin) -> Diagnostic | None:
    """A mistake in how arguments go together, if every one has a slot."""
    filled, without = fill(node, primitive)
    if without:
        return None
    given = {slot.name: argument for slot, argument in filled}
    match primitive.name:
        case "local":
            return _local(node, given)
        case "segment":
            return _segment(node, given)
        case "neighborhood":
            return _neighborhood(node, primitive, given)
        case "pool":
            return _pool(given)
        case "lsh":
            return _lsh(given)
        case "features":
            return _features(node, primitive, given)
        case _:
            return None


def _local(node: Call, given: _Given) -> Diagnostic | None:
    side = given.get("left") or given.get("right")
    if "r" in given and side is not None:
        return excluded(given["r"], side, "write `local(r)`, or both sides by name")
    if "r" not in given and side is None:
        return missing(PRIMITIVES["local"], "r", node.span)
    return None


def _segment(node: Call, given: _Given) -> Diagnostic | None:
    reach = given.get("back") or given.get("ahead")
    if "dilation" in given and reach is not None:
        return excluded(given["dilation"], reach, "remove `dilation=`, or `back=` and `ahead=`")
    if "offset" in given and "dilation" not in given:
        return missing(PRIMITIVES["segment"], "dilation", node.span)
    return None


def _neighborhood(node: Call, primitive: Builtin, given: _Given) -> Diagnostic | None:
    side = given.get("left") or given.get("right")
    if "radius" in given and side is not None:
        return excluded(given["radius"], side, "write `radius=`, or `left=` and `right=`")
    if "radius" not in given and side is None:
        return missing(primitive, "radius", node.span)
    return None


def _pool(given: _Given) -> Diagnostic | None:
    convolved = "op" in given and given["op"].value == Name("convolution")
    if convolved and "tail" in given and given["tail"].value != Name("drop"):
        advice = "a convolution has weights for whole windows: write `tail=drop`, or leave it out"
        return excluded(given["op"], given["tail"], advice)
    return None


def _lsh(given: _Given) -> Diagnostic | None:
    if "rotations" in given and "seed" in given:
        advice = "remove `seed=`, or `rotations=`: directions are drawn or given"
        return excluded(given["rotations"], given["seed"], advice)
    return None


def _features(node: Call, primitive: Builtin, given: _Given) -> Diagnostic | None:
    if "map" not in given or not isinstance(kind := given["map"].value, Name):
        return None
    if kind.name == "elu":
        drawn = next((given[name] for name in ("m", "seed", "matrix") if name in given), None)
        advice = "`elu` has a feature for each dimension of a head: write `features(map=elu)`"
        return excluded(given["map"], drawn, advice) if drawn else None
    if "m" not in given:
        return missing(primitive, "m", node.span)
    if "seed" in given and "matrix" in given:
        advice = "remove `seed=`, or `matrix=`: directions are drawn or given"
        return excluded(given["seed"], given["matrix"], advice)
    return None
