"""What a backend is: a way to turn a schedule into source text.

`Backend` is the protocol; `patternc.emit.module.ModuleBackend` serves those that write kernels into
the standalone module. `patternc.emit.backends` lists them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from patternc.emit.inputs import Input
from patternc.frozen import frozen
from patternc.ir.sources import KeySource
from patternc.relation.relation import Relation
from patternc.schedule.schedule import Schedule
from patternc.schedule.tile_sizes import Choice


class UnsupportedError(ValueError):
    """What a backend cannot lower, in `reasons`, a sentence each."""

    def __init__(self, backend: str, reasons: Sequence[str]) -> None:
        super().__init__(f"backend {backend!r} cannot lower this: {'; '.join(reasons)}")
        self.backend = backend
        self.reasons = tuple(reasons)


@frozen
class Request:
    """A schedule, and what its text says of the program it comes from.

    `command` regenerates the file. `lengths` are the smallest and largest n of each layer whose
    grids fix it, None for others. `sources` are the columns of a mask in their order, by the name
    of the rows; without it they come as the passes do. `dtype` and `head_dim` are what the
    self-test runs with, where `self_test` adds one. `native` adds C text to the CPU backend,
    `features` what `patternc.emit.features` lists. With
    `rank` the schedule is that of the heads from the first to before the second, of so many.
    """

    schedule: Schedule
    pattern_text: str
    name: str
    command: str
    inputs: Sequence[Input]
    dtype: str | None = None
    head_dim: int | None = None
    lengths: Sequence[tuple[int, int] | None] = ()
    sources: Mapping[str, Sequence[KeySource]] = field(default_factory=dict)
    native: bool = False
    self_test: bool = False
    features: frozenset[str] = frozenset()
    rank: tuple[int, int, int] | None = None


class Backend(Protocol):
    """A way to source text. The same request gives the same text, byte for byte."""

    @property
    def name(self) -> str: ...

    def unsupported(self, schedule: Schedule) -> tuple[str, ...]:
        """What it cannot lower, a sentence each; nothing where it can lower all."""
        ...

    def tile_sizes(
        self, relations: Iterable[Relation], dtype: str | None, head_dim: int | None
    ) -> Choice:
        """Rows of a query tile and keys of a key tile on the target that it writes for."""
        ...

    def emit(self, request: Request) -> str: ...
