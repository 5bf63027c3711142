"""Inputs that all heads of a layer share, so that they have one size.

Maps sources, modifiers and gates to the size that each needs of its input. Sizes known only at call
time are not checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from patternc.frozen import frozen
from patternc.ir.modifiers import Modifier, ScoreModifier
from patternc.ir.sources import (
    Compressed,
    KeySource,
    Memory,
    Persistent,
    Pool,
    Project,
    Store,
    Stream,
    Tree,
)
from patternc.language.check.environment import Environment
from patternc.language.elaborate.attachment_errors import two_sizes
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.source import Span


@frozen
class Sized:
    """The size that a part of the text asks of an input, in words.

    What has rows of its own goes through all layers, so it has one size `everywhere`.
    """

    name: str
    size: str
    span: Span
    everywhere: bool = False


def sizes_of(attached: KeySource | Modifier, span: Span) -> Iterator[Sized]:
    """The sizes that a source or a modifier asks for."""
    match attached:
        case Memory(slots):
            yield Sized("memory_kv", f"{slots} slots", span)
        case Compressed(slots, rate):
            yield Sized("compressed_kv", f"{slots} slots of rate {rate}", span)
        case Store(slots):
            yield Sized("store_kv", f"{slots} slots", span)
        case Project(slots, None):
            yield Sized("project_weights", f"{slots} slots", span)
        case Pool(size, "convolution"):
            yield Sized("pool_kernels", f"windows of {size}", span)
        case Persistent(slots):
            yield Sized("persistent_kv", f"{slots} slots", span)
        case Stream(name, slots):
            yield Sized(f"{name}_kv", f"{slots} slots", span, everywhere=True)
        case Tree(branching):
            yield Sized("tree_kv", f"spans of {branching}", span, everywhere=True)
        case ScoreModifier():
            yield from (Sized(name, size, span) for name, size in attached.input_sizes)
        case _:
            pass


@dataclass(slots=True)
class SharedSizes:
    """The first size of every input of every layer."""

    first: dict[tuple[int, str], Sized] = field(default_factory=dict)

    def differing(self, found: Iterable[Sized], place: Environment) -> Iterator[Diagnostic]:
        for one in found:
            first = self.first.setdefault((0 if one.everywhere else place.layer, one.name), one)
            if one.size != first.size:
                among = "all layers" if one.everywhere else "all heads of a layer"
                found_in = place.where(), among
                yield two_sizes(one.name, one.span, one.size, first.span, first.size, *found_in)
