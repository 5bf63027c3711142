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
from patternc.language.elaborate.bound_arguments import BoundArguments
from patternc.language.elaborate.bounds import saturated
from patternc.modifiers import MODIFIERS


def source_of(given: BoundArguments) -> KeySource:
    """The source of `A on ..`."""
    return _SOURCES[given.call.function](given)


def modifier_of(given: BoundArguments, past: bool) -> Modifier:
    """The modifier of `A with ..`; `past` says whether A holds only keys up to the query."""
    word = given.call.function
    return _DEFINED[word](given, past) if word in _DEFINED else _MODIFIERS[word](given)


def _pool(given: BoundArguments) -> KeySource:
    size = given.count("k", 1)
    operation = cast(PoolOperation, given.word("op"))
    tail = cast(PoolTail, given.word("tail") or ("drop" if operation == "convolution" else "clip"))
    stride = given.count("stride", size)
    return sources.Pool(saturated(size), operation, saturated(stride), tail)


_SOURCES: dict[str, Callable[[BoundArguments], KeySource]] = {
    "memory": lambda given: sources.Memory(given.count("m", 1)),
    "compressed": lambda given: sources.Compressed(given.count("m", 1), given.count("rate", 1)),
    "pool": _pool,
    "project": lambda given: sources.Project(
        given.count("m", 1), given.count("seed", 0) if "seed" in given else None
    ),
    "persistent": lambda given: sources.Persistent(given.count("m", 1)),
    "store": lambda given: sources.Store(given.count("m", 1)),
    "stream": lambda given: sources.Stream(given.word("name"), given.count("m", 1)),
    "tree": lambda given: sources.Tree(given.count("b", 2)),
    "encoder": lambda given: sources.Encoder(),
}
_MODIFIERS: dict[str, Callable[[BoundArguments], Modifier]] = {
    "rotary": lambda given: modifiers.Rotary(given.positive("base"), given.word("position")),
    "absolute": lambda given: modifiers.Absolute(given.word("name")),
    "sink": lambda given: modifiers.Sink(),
    "scale": lambda given: modifiers.Scale(given.positive("e")),
}
_DEFINED = {each.builtin.name: each.build for each in MODIFIERS}
