"""What is asked of `suggest`, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping

from patternc.frozen import frozen
from patternc.language.syntax.diagnostics import Diagnostic


@frozen
class SearchQuery:
    """`layers` layers over n tokens; `pairs` is the budget of a head, None is not a budget.

    Pairs are counted with multiplicity, on average over the heads and layers. `trials` is the
    largest number of receptive fields that are looked at for one template.
    """

    n: int
    layers: int
    pairs: int | None = None
    heads: int | None = None
    causal: bool = False
    trials: int = 512

    def __post_init__(self) -> None:
        for name in ("n", "layers", "heads", "pairs", "trials"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}; expected at least 1")


@frozen
class Suggestion:
    """A program that connects every permitted pair within `full_at` layers.

    `pairs` are those of a head and layer, with multiplicity; the average where they differ, rounded
    up. `slowest` is a pair (query, key) that no fewer layers connect; None: not looked for.
    """

    template: str
    values: Mapping[str, int]
    text: str
    pairs: int
    density: float
    full_at: int
    slowest: tuple[int, int] | None = None


@frozen
class Outcome:
    """What became of one template.

    `front` are its suggestions within the budget, the fewest layers first and each with fewer pairs
    than the one before. Where there are none, `nearest` is the one of fewest pairs beyond the
    budget. `complete`: no trials were left over to be made.
    """

    template: str
    about: str
    front: tuple[Suggestion, ...]
    nearest: Suggestion | None
    trials: int
    complete: bool


@frozen
class SearchAnswer:
    """The outcomes of all templates, and the suggestions that none of the others betters.

    `lessons` are what the best one could do better for the same cost.
    """

    asked: SearchQuery
    outcomes: tuple[Outcome, ...]
    front: tuple[Suggestion, ...]
    lessons: tuple[Diagnostic, ...] = ()

    @property
    def best(self) -> Suggestion | None:
        """Fewest layers, then fewest pairs."""
        return self.front[0] if self.front else None

    @property
    def nearest(self) -> Suggestion | None:
        """The one of fewest pairs, where nothing keeps to the budget."""
        found = [outcome.nearest for outcome in self.outcomes if outcome.nearest is not None]
        return min(found, key=lambda one: (one.pairs, one.full_at), default=None)
