"""What reachability answers: frozen facts about each layer and about the whole stack.

Returned by every engine. Lengths and reaches count tokens, positions and layers. Does not describe
how results are computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

from patternc.frozen import frozen
from patternc.printed import Printed

Engine = Literal["integer sets", "classes", "bits", "lists", "bound"]
"""How the fields of a layer were found; all but "bound" are exact."""


@frozen
class LayerReach:
    """The receptive fields of all n positions after one layer.

    The field of position i is the set of input positions whose value can influence the output at
    i. `size_*` are over the positions. `left_max` is the largest i - j and `right_max` the
    largest j - i over the pairs in a field, never below 0. `holes` is the number of positions
    whose field is not one interval: it lacks a position between its first and its last. Where not
    `exact` every number is an upper bound.
    """

    size_min: int
    size_median: int | float
    size_max: int
    left_max: int
    right_max: int
    holes: int
    exact: bool


@dataclass(frozen=True, slots=True, repr=False)
class Reach(Printed):
    """Receptive fields, layer by layer; `layers[0]` is after the first.

    `full_at` is the number of layers after which every permitted pair is connected; None: not
    within them, or (`full_exact` false) not known. Permitted are all pairs (i, j), or those with
    j <= i where no layer of the stack is non-causal (`causal`).
    `connected` counts the pairs in fields after each layer; None where no exact count is known.
    `engines` says how each layer was found.
    """

    printer: ClassVar[str] = "report.printing:reach"

    layers: tuple[LayerReach, ...]
    full_at: int | None
    full_exact: bool
    causal: bool
    n: int
    residual: bool
    connected: tuple[int | None, ...]
    engines: tuple[Engine, ...]

    @property
    def permitted(self) -> int:
        """The number of pairs that could be connected."""
        return self.n * (self.n + 1) // 2 if self.causal else self.n * self.n

    @property
    def hops(self) -> tuple[int | None, ...]:
        """Pairs that need exactly l layers, for l = 0, 1, ..; None where not known.

        Defined with the residual path, under which fields only grow.
        """
        counts = (0, self.n, *self.connected)
        return tuple(
            None if later is None or earlier is None else later - earlier
            for earlier, later in pairwise(counts)
        )

    @property
    def unreached(self) -> int | None:
        """Permitted pairs that are not connected after the last layer; None where not known."""
        last = self.connected[-1] if self.connected else self.n
        return None if last is None else self.permitted - last
