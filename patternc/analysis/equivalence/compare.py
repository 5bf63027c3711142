"""Two patterns side by side: equal for every n, or a smallest witness.

Maps the relations of both, layer by layer and head by head, to a proof by integer sets that every
pair counts as often in both, or the smallest n and the first pair (i, j) that does not. Tables are
equal where they are the same draws or inputs; where they differ, every length is looked at pair by
pair, the shortest first, within a budget; then some longer ones. Does not compare scores, cost or
reach.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import lcm

from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.lengths import Lengths
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
from patternc.ir.formula import All, Any, Condition, Not
from patternc.ir.sources import TOKENS
from patternc.progress import steps
from patternc.relation.relation import Branch, Combined, Relation

Heads = Sequence[Relation]


def compared(
    left: Sequence[Heads], right: Sequence[Heads], n: int, lengths: Lengths
) -> tuple[HeadDifference, ...]:
    """Every layer and head; the shorter schedule and the fewer heads are repeated.

    `lengths` are those that both mean something at, and of which the question is.
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
    lengths: Lengths,
    hint: int,
    work: Work,
) -> HeadDifference:
    if _said_alike(left, right):
        return HeadDifference(0, 0, "equal", True, None, 0, 0)
    only_left, only_right = counted(left, right, n, work)
    outcome, alike, witness, below = _verdict(left, right, lengths, hint, work)
    if witness is not None:
        witness = with_all(witness, left, right)
    return HeadDifference(0, 0, outcome, alike, witness, only_left, only_right, below)


def verdict(left: Relation, right: Relation, lengths: Lengths) -> Outcome:
    """Whether every pair counts as often, scored alike; at the lengths that both mean something."""
    if _said_alike(left, right):
        return "equal"
    if left.rows != TOKENS or right.rows != TOKENS:
        return "undecided"
    outcome, alike, _, _ = _verdict(left, right, lengths, SMALL, Work())
    return outcome if alike else "different"


def _verdict(
    left: Relation, right: Relation, lengths: Lengths, hint: int, work: Work
) -> tuple[Outcome, bool, Witness | None, int | None]:
    """Of the pairs; whether they are scored alike; a witness; and no n below has another."""
    softmaxes = _parts(left, right, lambda each: each.softmax)
    outcome, witness, below = _decided(softmaxes, lengths, hint, work)
    alike = _shape(left.combined) == _shape(right.combined) and _kinds(left) == _kinds(right)
    if outcome == "equal" and alike:
        # The same pairs: whether each has the same modifiers.
        scores, _, unseen = _decided(_parts(left, right, _kind), lengths, hint, work)
        alike = scores != "different"
        outcome, below = (scores, unseen) if scores == "undecided" else (outcome, below)
    return outcome, alike, witness, below


def _parts(
    left: Relation, right: Relation, place: Callable[[Branch], object]
) -> tuple[tuple[Relation, Relation], ...]:
    """Both, cut to what counts at each place; as one softmax."""
    places = dict.fromkeys(map(place, (*left.branches, *right.branches)))

    def cut(side: Relation, at: object) -> Relation:
        here = (each for each in side.branches if place(each) == at)
        return replace(side, branches=tuple(replace(each, softmax=0) for each in here))

    return tuple((cut(left, at), cut(right, at)) for at in places)


def _decided(
    parts: Sequence[tuple[Relation, Relation]],
    lengths: Lengths,
    hint: int,
    work: Work,
) -> tuple[Outcome, Witness | None, int | None]:
    """The verdict on all parts: the witness of smallest n, and the n below which there is none."""
    found = [_part_decided(*_without_common(*part), lengths, hint, work) for part in parts]
    witnesses = [witness for _, witness, _ in found if witness is not None]
    outcomes = {outcome for outcome, _, _ in found}
    verdict: Outcome = "undecided" if "undecided" in outcomes else "equal"
    below = min((below for _, _, below in found if below is not None), default=None)
    first = min(witnesses, key=lambda each: each.n, default=None)
    return "different" if "different" in outcomes else verdict, first, below


def _part_decided(
    left: Relation, right: Relation, lengths: Lengths, hint: int, work: Work
) -> tuple[Outcome, Witness | None, int | None]:
    """The verdict, a witness, and the n below which there is none."""
    if not left.branches and not right.branches:
        return "equal", None, None
    if asks_inputs(left) or asks_inputs(right):
        return "undecided", None, 0
    small = range(1, SMALL) if lengths.span is None else range(0)
    for n in small:
        if n in lengths and (witness := anywhere(left, right, n)) is not None:
            return "different", witness, n
    try:
        with budget(OPERATIONS):
            witness = formula_witness(left, right, lengths)
            below = None if witness is None else witness.n
            return ("different" if witness else "equal"), witness, below
    except (BudgetError, UndecidedError):
        witness, below = searched(left, right, lengths, hint, work)
        if witness is None and _is_all(left, right, lengths, below):
            return "equal", None, None
        return ("different" if witness else "undecided"), witness, below


def _is_all(left: Relation, right: Relation, lengths: Lengths, below: int) -> bool:
    """Whether every length was looked at, and the call decides no number of slots."""
    sources = {*left.sources, *right.sources}
    return lengths.span is not None and below > lengths.span[1] and sources <= {TOKENS}


def _without_common(left: Relation, right: Relation) -> tuple[Relation, Relation]:
    """Branches of both, which count alike, left out of both: the difference stays as it is."""
    ours, theirs = Counter(map(said, left.branches)), Counter(map(said, right.branches))
    common = ours & theirs
    return tuple(
        replace(side, branches=tuple(each for each in side.branches if said(each) not in common))
        for side in (left, right)
    )  # type: ignore[return-value]


def _said_alike(left: Relation, right: Relation) -> bool:
    """Whether both are written alike, but for the order of branches and of what `&` joins."""
    ours, theirs = (
        frozenset((_kind(b), _unordered(b.predicate), b.multiplicity) for b in side.branches)
        for side in (left, right)
    )
    return ours == theirs and _shape(left.combined) == _shape(right.combined)


def _unordered(condition: Condition) -> object:
    match condition:
        case All(items):
            return All, frozenset(map(_unordered, items))
        case Any(items):
            return Any, frozenset(map(_unordered, items))
        case Not(operand):
            return Not, _unordered(operand)
        case _:
            return condition


def _kinds(relation: Relation) -> frozenset[object]:
    return frozenset(map(_kind, relation.branches))


def _kind(branch: Branch) -> object:
    """What the score of a pair depends on beside its place, and the softmax that it is in."""
    treatment = branch.modifiers, branch.projection, branch.projected
    return branch.softmax, branch.source, *treatment


def _shape(combined: int | Combined | None) -> object:
    if not isinstance(combined, Combined):
        return combined
    return combined.kind, combined.gate, tuple(map(_shape, combined.arguments))
