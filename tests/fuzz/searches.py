"""Searches in random programs: relations whose lists are found in the call, as text."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.fuzz.words import Words

if TYPE_CHECKING:
    from tests.fuzz.programs import Place

CLUSTERS = 3


class Searches(Words):
    """Relations whose lists a call finds, each under a name of its own."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        # They are dear: most programs have none.
        self.searches = random.random() < 0.3
        self.known = 0

    def search(self, place: Place) -> str:
        ways = [self._nearest, self._blocks]
        if not (place.source or place.rows):
            ways += [self._hashed, self._clustered, self._shared_out]
        return self.random.choice(ways)(place)

    def ordered(self, place: Place) -> str:
        """Rounds or clusters that are softmaxes of their own."""
        kind, way = self.random.choice([("mix", self._hashed), ("mean", self._clustered)])
        cut = f" & {self.relation(place)}" if self.chance(0.5) else ""  # type: ignore[attr-defined]
        return f"{kind}({way(place)}{cut})"

    def _name(self, place: Place, width: int = 0) -> list[str]:
        self.known += 1
        own = f"{place.counted}{f'_w{width}' if width else ''}{place.asked}"
        # The first is called by its word now and then, which says nothing of what it counts.
        return (
            []
            if self.known == 1 and not own and self.chance(0.3)
            else [f"name=found{self.known}{own}"]
        )

    def _scored(self, place: Place, width: int = 0) -> list[str]:
        own = f"{place.counted}{f'_w{width}' if width else ''}{place.asked}"
        return [f"scores=index{self.known}{own}"] if self.chance(0.3) else []

    def _nearest(self, place: Place) -> str:
        parts = [self.small(4), *self._scored(place), *self._name(place)]
        return f"nearest({', '.join(parts)})"

    def _blocks(self, place: Place) -> str:
        width = self.random.randint(1, 5)
        parts = [self.small(3), f"block={width}", *self._scored(place, width)]
        parts += ["share=group"] if self.chance(0.3) else []
        return f"top_blocks({', '.join([*parts, *self._name(place, width)])})"

    def _hashed(self, place: Place) -> str:
        buckets, rounds = self.random.choice([2, 4]), self.random.randint(1, 2)
        parts = [str(buckets), f"chunk={self.random.randint(1, 9)}", f"rounds={rounds}"]
        parts += [f"back={self.random.randint(0, 2)}"] if self.chance(0.5) else []
        parts += ["edge=wrap"] if self.chance(0.3) else []
        parts += ["match=bucket"] if self.chance(0.3) else []
        parts += [f"rotations=turns{rounds}_{buckets}"] if self.chance(0.5) else []
        return f"lsh({', '.join([*parts, *self._name(place)])})"

    def _clustered(self, place: Place) -> str:
        parts = [str(CLUSTERS), self.small(6), "means=centroids"]
        parts += ["own=last"] if self.chance(0.3) else []
        return f"cluster({', '.join([*parts, *self._name(place)])})"

    def _shared_out(self, place: Place) -> str:
        width = self.random.randint(1, 6)
        parts = [str(width)] + [f"sweeps={self.random.randint(0, 4)}"] * self.chance(0.5)
        return f"sinkhorn({', '.join([*parts, *self._name(place, width)])})"
