"""What the pages of a report ask of a pattern: `Pattern` is one such subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from patternc.ir.sources import KeySource
from patternc.language.check.runtime_inputs import RunTimeInput
from patternc.relation.relation import Relation
from patternc.report.svg import Mask
from patternc.tiling.layout_at_length import Layout

TILE = 128
Array = NDArray[np.generic]


class Subject(Protocol):
    """What a view asks of a pattern."""

    @property
    def heads(self) -> int | None: ...
    @property
    def layers(self) -> int | None: ...
    @property
    def inputs(self) -> tuple[RunTimeInput, ...]: ...
    def mask(
        self,
        n: int,
        queries: int | None = None,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Any,
    ) -> Mask: ...
    def columns(
        self, n: int, layer: int = 0, *, rows: str = "", slots: Mapping[str, int] | None = None
    ) -> tuple[tuple[KeySource, int], ...]: ...
    def fitting(self, layer: int = 0) -> tuple[int, int] | None: ...
    def relations(self, layer: int = 0, rows: str = "") -> tuple[Relation, ...]: ...
    def pairs(
        self,
        n: int,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Array,
    ) -> list[int]: ...
    def distinct_pairs(
        self,
        n: int,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Array,
    ) -> list[int]: ...
    def layout(
        self,
        n: int,
        block: int = TILE,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        batch_element: int | None = None,
        **inputs: Any,
    ) -> Layout: ...
