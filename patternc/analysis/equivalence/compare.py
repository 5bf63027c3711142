"""Two patterns side by side: equal for every n, or a smallest witness.

Maps the relations of both, layer by layer and head by head, to a proof by integer sets that every
pair counts as often in both, or the smallest n and the first pair (i, j) that does not. Tables are
equal where they are the same draws or inputs; where they differ, every length is looked at pair by
pair, the shortest first, within a budget; then some longer ones. Does not compare scores, cost or
reach.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import lcm

from patternc.algebra.isl_context import BudgetError, budget
from patternc.analysis.equivalence.counterexamples import (
    OPERATIONS,
    SMALL,
    UndecidedError,
    Work,
    anywhere,
    asks_inputs,
    counted,
    formula_witness,
    said,
    searched,
    with_all,
)
from patternc.analysis.equivalence.results import HeadDifference, Outcome, Witness
from patternc.progress import steps
from patternc.relation.relation import Combined, Relation

Heads = Sequence[Relation]


def compared(
    left: Sequence[Heads], right: Sequence[Heads], n: int, lengths: tuple[int, int] | None
) -> tuple[HeadDifference, ...]:
    """Every layer and head; the shorter schedule and the fewer heads are repeated.

    `lengths` are the smallest and the largest n that both mean something at; None for all.
    """
    layers = lcm(len(left), len(right))
    found: list[HeadDifference] = []
    known: dict[tuple[Relation, Relation], HeadDifference] = {}
    hint, work = n, Work()
    for layer in steps(range(layers), "layers"):
        ours, theirs = left[layer % len(left)], right[layer % len(right)]
        for head in range(lcm(len(ours), len(theirs))):
            both = ours[head % len(ours)], theirs[head % len(theirs)]
            if both not in known:
                known[both] = _difference(*both, n, lengths, hint, work)
            found.append(_placed(known[both], layer, head))
            # Heads of random patterns differ at much the same lengths.
            hint = found[-1].witness.n if found[-1].witness else hint
    return tuple(found)


def _placed(found: HeadDifference, layer: int, head: int) -> HeadDifference:
    witness = found.witness and replace(found.witness, layer=layer, head=head)
    return replace(found, layer=layer, head=head, witness=witness)


def _difference(
    left: Relation,
    right: Relation,
    n: int,
    lengths: tuple[int, int] | None,
    hint: int,
    work: Work,
) -> HeadDifference:
    alike = _treatments(left) == _treatments(right)
    if _meaning(left) == _meaning(right):
        return HeadDifference(0, 0, "equal", alike, None, 0, 0)
    only_left, only_right = counted(left, right, n, work)
    outcome, witness, below = _decided(*_without_common(left, right), lengths, hint, work)
    if witness is not None:
        witness = with_all(witness, left, right)
    return HeadDifference(0, 0, outcome, alike, witness, only_left, only_right, below)


def _decided(
    left: Relation, right: Relation, lengths: tuple[int, int] | None, hint: int, work: Work
) -> tuple[Outcome, Witness | None, int | None]:
    """The verdict, a witness, and the n below which there is none."""
    if asks_inputs(left) or asks_inputs(right):
        return "undecided", None, 0
    small = range(1, SMALL) if lengths is None else range(0)
    for n in small:
        if (witness := anywhere(left, right, n)) is not None:
            return "different", witness, n
    try:
        with budget(OPERATIONS):
            witness = formula_witness(left, right, lengths)
            below = None if witness is None else witness.n
            return ("different" if witness else "equal"), witness, below
    except (BudgetError, UndecidedError):
        witness, below = searched(left, right, lengths, hint, work)
        return ("different" if witness else "undecided"), witness, below


def _without_common(left: Relation, right: Relation) -> tuple[Relation, Relation]:
    """Branches of both, which count alike, left out of both: the difference stays as it is."""
    ours, theirs = Counter(map(said, left.branches)), Counter(map(said, right.branches))
    common = ours & theirs
    return tuple(
        replace(side, branches=tuple(each for each in side.branches if said(each) not in common))
        for side in (left, right)
    )  # type: ignore[return-value]


def _meaning(relation: Relation) -> frozenset[tuple[object, ...]]:
    """What decides how often pairs count, as it is written."""
    return frozenset(
        (each.softmax, each.source, each.predicate, each.multiplicity) for each in relation.branches
    )


def _treatments(relation: Relation) -> tuple[object, ...]:
    """What scores and outputs depend on beside the pairs."""
    kinds = {
        (each.source, each.modifiers, each.projection, each.projected) for each in relation.branches
    }
    return _shape(relation.combined), frozenset(kinds)


def _shape(combined: int | Combined | None) -> object:
    if not isinstance(combined, Combined):
        return combined
    return combined.kind, combined.gate, tuple(map(_shape, combined.arguments))
