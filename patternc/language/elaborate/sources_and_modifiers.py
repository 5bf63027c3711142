"""Key sources and score modifiers, for one (layer, head).

Converts the word after `on` or `with` and its values to a `KeySource` or a `Modifier`. Which of
them may be combined is checked in `check_attachments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from patternc.ir import modifiers, sources
from patternc.ir.modifiers import Modifier
from patternc.ir.sources import KeySource, PoolOperation, PoolTail
from patternc.language.check.runtime_inputs import UNNAMED_T5
from patternc.language.elaborate.bound_arguments import BoundArguments
from patternc.language.elaborate.bounds import saturated
from patternc.language.elaborate.constants import value_error


def source_of(given: BoundArguments) -> KeySource:
    """The source of `A on ..`."""
    return _SOURCES[given.call.function](given)


def modifier_of(given: BoundArguments, past: bool) -> Modifier:
    """The modifier of `A with ..`; `past` says whether A holds only keys up to the query."""
    if given.call.function == "t5":
        return _t5(given, past)
    return _MODIFIERS[given.call.function](given)


def _pool(given: BoundArguments) -> KeySource:
    size = given.count("k", 1)
    operation = cast(PoolOperation, given.word("op"))
    tail = cast(PoolTail, given.word("tail") or "clip")
    stride = given.count("stride", size)
    return sources.Pool(saturated(size), operation, saturated(stride), tail)


def _t5(given: BoundArguments, past: bool) -> Modifier:
    buckets, farthest = given.count("buckets", 1), given.count("max_distance", 1)
    # Half of the buckets of a side hold one distance each, the others grow up to the farthest.
    single = buckets // (2 if past else 4)
    if single < 1:
        raise _too_few("buckets", buckets, 2 if past else 4, given)
    if farthest <= single:
        raise _too_few("max_distance", farthest, single + 1, given)
    name = given.word("name") or UNNAMED_T5
    return modifiers.T5Bias(buckets, farthest, bidirectional=not past, name=name)


def _too_few(name: str, value: int, least: int, given: BoundArguments) -> Exception:
    return value_error(
        "P105.too_few", given.value(name), given.place, name=name, least=least, value=value
    )


_SOURCES: dict[str, Callable[[BoundArguments], KeySource]] = {
    "memory": lambda given: sources.Memory(given.count("m", 1)),
    "compressed": lambda given: sources.Compressed(given.count("m", 1), given.count("rate", 1)),
    "pool": _pool,
    "project": lambda given: sources.Project(given.count("m", 1)),
    "persistent": lambda given: sources.Persistent(given.count("m", 1)),
    "stream": lambda given: sources.Stream(given.word("name"), given.count("m", 1)),
    "tree": lambda given: sources.Tree(given.count("b", 2)),
    "encoder": lambda given: sources.Encoder(),
}
_MODIFIERS: dict[str, Callable[[BoundArguments], Modifier]] = {
    "alibi": lambda given: modifiers.Alibi(),
    "relative": lambda given: modifiers.Relative(given.count("max_distance", 1)),
    "xl_relative": lambda given: modifiers.XlRelative(),
    "distance_aware": lambda given: modifiers.DistanceAware(),
    "rotary": lambda given: modifiers.Rotary(given.positive("base")),
    "absolute": lambda given: modifiers.Absolute(given.word("name")),
    "softcap": lambda given: modifiers.SoftCap(given.positive("c")),
    "softspan": lambda given: modifiers.SoftSpan(given.positive("ramp"), given.word("z")),
    "sink": lambda given: modifiers.Sink(),
    "bias": lambda given: modifiers.Bias(given.word("name")),
    "scale": lambda given: modifiers.Scale(given.positive("e")),
}
