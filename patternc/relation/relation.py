"""Relations: the exact meaning of one head's pattern, for every n.

Converts `HeadPattern` to branches. A branch is one set of pairs of query positions and slots of one
key source: a formula that integer sets hold exactly, and products of a formula with table atoms
(random keys, run-time inputs, scattered constants). mu(i, j) is the sum over the branches of a
softmax of their multiplicity where they hold (i, j). Does not handle tiles or groups of heads.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal as Choice

from patternc.algebra.simplify import FALSE
from patternc.frozen import frozen
from patternc.ir.formula import Condition
from patternc.ir.modifiers import Modifier
from patternc.ir.sources import TOKENS, KeySource, Rows, home_of
from patternc.ir.terms import HeadPattern
from patternc.relation.cases import Literal, split
from patternc.relation.coordinates import index_space
from patternc.relation.lower import lower
from patternc.relation.split_by_source import Projected, SourcePart, projections, split_by_source


@frozen
class Conjunct:
    """Pairs of `formula` that satisfy every literal."""

    formula: Condition
    literals: tuple[Literal, ...]


@frozen
class Branch:
    """One set: `predicate` whole, and as the union of `formula` and the `conjuncts`.

    Formulas see i, the slot j of `source`, n and (on sources other than the tokens) m. The
    `projected` rows, as conditions of their positions, have queries of the projection named.
    """

    predicate: Condition
    formula: Condition
    conjuncts: tuple[Conjunct, ...]
    multiplicity: int
    source: KeySource = TOKENS
    modifiers: tuple[Modifier, ...] = ()
    projection: str | None = None
    softmax: int = 0
    projected: tuple[tuple[Condition, str], ...] = ()

    @property
    def keys(self) -> Choice["n", "m"]:
        """What counts the slots in formulas."""
        return "n" if self.source == TOKENS else "m"


@frozen
class Combined:
    """How the outputs of softmaxes are combined: their numbers, or further combinations."""

    kind: Choice["gate", "difference", "sum", "mean"]
    arguments: tuple[int | Combined, ...]
    gate: str | None


@frozen
class Relation:
    """`branches` in the order of their softmax; without `combined` there is one softmax.

    `rows` says whose rows i are; where not the tokens', the n of formulas is how many they are.
    """

    branches: tuple[Branch, ...]
    combined: Combined | None = None
    rows: Rows = TOKENS

    @property
    def sources(self) -> tuple[KeySource, ...]:
        """The key sources in the order of their first occurrence: the columns of a mask."""
        named = tuple(dict.fromkeys(branch.source for branch in self.branches))
        return named or (home_of(self.rows),)


@lru_cache(maxsize=4096)
def relation(pattern: HeadPattern) -> Relation:
    """Equal branches of a mix are one with their number as multiplicity."""
    softmaxes: list[tuple[HeadPattern, Projected]] = []
    combined = _combined(pattern, projections(pattern), softmaxes)
    branches = tuple(
        _branch(part, times, number, pattern.rows)
        for number, (softmax, projected) in enumerate(softmaxes)
        for part, times in _counted(softmax, projected)
    )
    joined = combined if isinstance(combined, Combined) else None
    return Relation(branches, joined, pattern.rows)


def _combined(
    pattern: HeadPattern, projected: Projected, softmaxes: list[tuple[HeadPattern, Projected]]
) -> int | Combined:
    """Numbers the softmaxes from left to right; each with the projections that hold in it."""
    found = pattern.combination
    if found is None:
        softmaxes.append((pattern, projected))
        return len(softmaxes) - 1
    own = found.kind == "difference"
    arguments = (
        _combined(item, projections(item) if own else projected, softmaxes)
        for item in found.arguments
    )
    return Combined(found.kind, tuple(arguments), found.gate)


def _counted(softmax: HeadPattern, projected: Projected) -> Iterator[tuple[SourcePart, int]]:
    """The parts of all branches of a mix, parts of equal meaning once."""
    meaning: dict[object, tuple[SourcePart, int]] = {}
    home = home_of(softmax.rows)
    parts = (
        part for branch in softmax.branches for part in split_by_source(branch, projected, home)
    )
    for part in parts:
        key = (_predicate(part, softmax.rows), part.source, *_treatment(part, softmax.rows))
        meaning[key] = (part, meaning.get(key, (part, 0))[1] + 1)
    yield from meaning.values()


def _predicate(part: SourcePart, rows: Rows) -> Condition:
    return lower(part.term, index_space(part.source, rows))


def _branch(part: SourcePart, multiplicity: int, softmax: int, rows: Rows) -> Branch:
    predicate = _predicate(part, rows)
    cases = split(predicate)
    formula = cases.pop((), FALSE)
    conjuncts = tuple(Conjunct(formula, literals) for literals, formula in cases.items())
    modifiers, projection, projected = _treatment(part, rows)
    treatment = part.source, modifiers, projection, softmax, projected
    return Branch(predicate, formula, conjuncts, multiplicity, *treatment)


def _treatment(
    part: SourcePart, rows: Rows
) -> tuple[tuple[Modifier, ...], str | None, tuple[tuple[Condition, str], ...]]:
    """Modifiers and projections, those of some rows with conditions on their own sequence."""
    scope = index_space(home_of(rows), rows)
    projected = tuple((lower(chosen, scope), name) for chosen, name in part.projected)
    return part.modifiers, part.projection, projected
