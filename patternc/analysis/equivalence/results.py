"""Two patterns, with what they cost and how far they see beside the verdict.

Maps two programs' relations, counts and reach to `Difference`. Does not format results or find
counterexamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from patternc.algebra.lengths import EVERY_LENGTH, Lengths
from patternc.analysis.reach import Reach
from patternc.frozen import frozen
from patternc.ir.sources import KeySource
from patternc.printed import Printed

Outcome = Literal["equal", "different", "undecided"]


class NotProvedError(ValueError):
    """Within the budget neither equality nor a difference of two patterns was proved."""


@frozen
class Witness:
    """Where two patterns differ first: the pair counts `left` times in one and `right` in other."""

    layer: int
    head: int
    n: int
    query: int
    key: int
    source: KeySource
    left: int
    right: int


@frozen
class HeadDifference:
    """One head of one layer. `scored_alike`: the same pairs have the same modifiers and softmaxes.

    `only_left`, `only_right` count pairs of distinct query and key, at the length of the question,
    that one pattern holds and the other does not; None where that is not known. No n below
    `equal_below` has a difference; None: no n at all.
    """

    layer: int
    head: int
    outcome: Outcome
    scored_alike: bool
    witness: Witness | None
    only_left: int | None
    only_right: int | None
    equal_below: int | None = None


@frozen
class Side:
    """One of the two: `heads` and `layers` as its headers name them, None without.

    `pairs[layer][head]` are those of its own schedule, with multiplicity; None where the call
    decides them.
    """

    name: str
    heads: int | None
    layers: int | None
    pairs: tuple[tuple[int, ...], ...] | None
    reach: Reach


@dataclass(frozen=True, slots=True, repr=False)
class Difference(Printed):
    """The comparison; counts and reach are at n tokens, the verdict is for every n of `lengths`.

    `parts` has one entry for each layer and head, the shorter schedule repeated.
    """

    printer: ClassVar[str] = "report.diff:text"

    n: int
    left: Side
    right: Side
    parts: tuple[HeadDifference, ...]
    lengths: Lengths = EVERY_LENGTH

    @property
    def headers_differ(self) -> bool:
        """Whether both name a number of heads, or of layers, and not the same one."""
        heads, layers = (
            {self.left.heads, self.right.heads} - {None},
            {self.left.layers, self.right.layers} - {None},
        )
        return max(len(heads), len(layers)) > 1

    @property
    def outcome(self) -> Outcome:
        """Equal: every pair counts as often and is scored alike, in all layers and heads."""
        found = {part.outcome for part in self.parts}
        alike = all(part.scored_alike for part in self.parts)
        if self.headers_differ or "different" in found or not alike:
            return "different"
        return "undecided" if "undecided" in found else "equal"

    @property
    def witness(self) -> Witness | None:
        """The witness of smallest n; of those the first layer and head."""
        found = [part.witness for part in self.parts if part.witness is not None]
        return min(found, key=lambda each: (each.n, each.layer, each.head), default=None)

    @property
    def searched_below(self) -> int | None:
        """No n below it has a difference in any layer and head; None: no n at all."""
        every = [part.equal_below for part in self.parts if part.equal_below is not None]
        return min(every, default=None)

    @property
    def is_smallest(self) -> bool:
        """Whether no smaller n has a witness; where not, all that were looked at have none."""
        below = self.searched_below
        return self.witness is not None and (below is None or self.witness.n <= below)
