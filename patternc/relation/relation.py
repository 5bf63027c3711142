"""Relations: the exact meaning of one head's pattern, for every n.

From `HeadPattern` to branches. A branch is one set: a formula that integer sets hold exactly, and
products of a formula with table atoms (random draws, run-time inputs, scattered constants).
mu(i, j) is the sum over branches of their multiplicity where they hold (i, j).
Non-goals: tiles, heads together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from patternc.language.formula import All, Any, Atom, Compare, Condition, Not, Truth
from patternc.language.terms import HeadPattern
from patternc.relation.fold import FALSE, TRUE, conjunction, disjunction, negation
from patternc.relation.lower import lower


@dataclass(frozen=True, slots=True)
class Literal:
    """An atom of a product; where not `positive`, pairs that the atom holds are left out."""

    atom: Atom
    positive: bool


@dataclass(frozen=True, slots=True)
class Conjunct:
    """Pairs of `formula` that satisfy every literal."""

    formula: Condition
    literals: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One set: `predicate` whole, and as the union of `formula` and the `conjuncts`."""

    predicate: Condition
    formula: Condition
    conjuncts: tuple[Conjunct, ...]
    multiplicity: int


@dataclass(frozen=True, slots=True)
class Relation:
    branches: tuple[Branch, ...]


def relation(pattern: HeadPattern) -> Relation:
    """Equal branches of a mix are one with their number as multiplicity."""
    counted = Counter(lower(term) for term in pattern.branches)
    return Relation(tuple(_branch(predicate, times) for predicate, times in counted.items()))


def _branch(predicate: Condition, multiplicity: int) -> Branch:
    cases = split(predicate)
    formula = cases.pop((), FALSE)
    conjuncts = tuple(Conjunct(part, literals) for literals, part in cases.items())
    return Branch(predicate, formula, conjuncts, multiplicity)


def split(predicate: Condition) -> dict[tuple[Literal, ...], Condition]:
    """Disjunctive normal form over the atoms: literals -> the formula they are joined with."""
    match predicate:
        case Atom():
            return {(Literal(predicate, True),): TRUE}
        case Not(Atom() as atom):
            return {(Literal(atom, False),): TRUE}
        case _ if not any(atoms_of(predicate)):
            return {(): predicate}
        case Any(items):
            return _united([split(item) for item in items])
        case All(items):
            return _multiplied([split(item) for item in items])
        case Not(All(items)):
            return split(disjunction(negation(item) for item in items))
        case Not(Any(items)):
            return split(conjunction(negation(item) for item in items))
        case _:
            raise TypeError(f"no normal form of {predicate}")


def atoms_of(predicate: Condition) -> Iterator[Atom]:
    match predicate:
        case Atom():
            yield predicate
        case All(items) | Any(items):
            for item in items:
                yield from atoms_of(item)
        case Not(operand):
            yield from atoms_of(operand)
        case Truth() | Compare():
            return
        case _:
            assert_never(predicate)


Cases = dict[tuple[Literal, ...], Condition]


def _united(parts: list[Cases]) -> Cases:
    united: dict[tuple[Literal, ...], list[Condition]] = {}
    for part in parts:
        for literals, formula in part.items():
            united.setdefault(literals, []).append(formula)
    return {literals: disjunction(formulas) for literals, formulas in united.items()}


def _multiplied(parts: list[Cases]) -> Cases:
    product: Cases = {(): TRUE}
    for part in parts:
        product = _united(
            [
                {_joined(left, right): conjunction([one, other])}
                for left, one in product.items()
                for right, other in part.items()
            ]
        )
    return {literals: formula for literals, formula in product.items() if formula != FALSE}


def _joined(left: tuple[Literal, ...], right: tuple[Literal, ...]) -> tuple[Literal, ...]:
    return tuple(dict.fromkeys((*left, *right)))
