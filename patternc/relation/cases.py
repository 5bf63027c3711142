"""Disjunctive normal forms of predicates: a formula for every list of literals it is joined with.

From a predicate with table atoms to cases whose union it is. Conditions whose guards exclude each
other, as the parts of `blocks(parts=p)` do, have a complement with as many cases as they have;
elsewhere cases multiply, up to a limit. Does not decide which formulas are empty in general.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from patternc.algebra.simplify import FALSE, TRUE, conjunction, disjunction, negation
from patternc.algebra.walk import atoms_of
from patternc.frozen import frozen
from patternc.ir.formula import All, Any, Atom, Condition, Not
from patternc.language.syntax.limits import CASES
from patternc.relation.exclusion import Facts, conjuncts_of, exclude, facts
from patternc.semantics.errors import TooManyCasesError

# Pairs of cases that are joined at a time: most exclude each other.
MOST_JOINED = 16 * CASES


@frozen
class Literal:
    """An atom of a product; where not `positive`, pairs that the atom holds are left out."""

    atom: Atom
    positive: bool


Cases = dict[tuple[Literal, ...], Condition]


def split(predicate: Condition) -> Cases:
    """Disjunctive normal form over the atoms: literals -> the formula they are joined with.

    Raises `PatternError` where there are more cases than a relation has.
    """
    match predicate:
        case Atom():
            return {(Literal(predicate, True),): TRUE}
        case Not(Atom() as atom):
            return {(Literal(atom, False),): TRUE}
        case _ if not any(atoms_of(predicate)):
            return {(): predicate}
        case Any(items):
            return _united(map(split, items))
        case All(items):
            return _multiplied(map(split, items))
        case Not(All(items)):
            return split(disjunction(negation(item) for item in items))
        case Not(Any(items)):
            return _multiplied(case for family in _families(items) for case in _outside(family))
        case _:
            raise TypeError(f"no normal form of {predicate}")


class _Family:
    """Conditions by their guards, which exclude each other."""

    def __init__(self) -> None:
        self.items: dict[Condition, list[Condition]] = {}
        self._guards: list[Facts] = []

    def takes(self, guard: Condition, item: Condition) -> bool:
        """Adds a condition if its guard is known, or excludes the others."""
        if guard not in self.items:
            known = facts(guard)
            if not all(exclude(known, other) for other in self._guards):
                return False
            self._guards.append(known)
        self.items.setdefault(guard, []).append(item)
        return True


def _families(items: Sequence[Condition]) -> list[_Family]:
    """Each condition in the first family that takes it."""
    families: list[_Family] = []
    for item in items:
        guard = conjunction(_parted(item)[0])
        if not any(family.takes(guard, item) for family in families):
            families.append(_Family())
            families[-1].takes(guard, item)
    return families


def _parted(item: Condition) -> tuple[list[Condition], list[Condition]]:
    """The conjuncts without atoms, the guard, and those with some."""
    guards, asking = list[Condition](), list[Condition]()
    for part in conjuncts_of(item):
        (asking if any(atoms_of(part)) else guards).append(part)
    return guards, asking


def _outside(family: _Family) -> Iterator[Cases]:
    """Factors of what no condition of a family holds."""
    guards = family.items
    if len(guards) == 1:
        yield from (split(negation(item)) for items in guards.values() for item in items)
    else:
        inside = (split(_left_of(guard, items)) for guard, items in guards.items())
        yield _united([{(): negation(disjunction(guards))}, *inside])


def _left_of(guard: Condition, items: Sequence[Condition]) -> Condition:
    """The pairs of a guard that none of its conditions holds."""
    asked = disjunction(conjunction(_parted(item)[1]) for item in items)
    return conjunction([guard, negation(asked)])


def _united(parts: Iterable[Cases]) -> Cases:
    united: dict[tuple[Literal, ...], list[Condition]] = {}
    for part in parts:
        for literals, formula in part.items():
            united.setdefault(literals, []).append(formula)
            _verify(len(united) - (() in united), CASES)
    return {literals: disjunction(formulas) for literals, formulas in united.items()}


def _multiplied(parts: Iterable[Cases]) -> Cases:
    product: Cases = {(): TRUE}
    for part in parts:
        _verify(len(product) * len(part), MOST_JOINED)
        product = _united(_pairs(_known(product), _known(part)))
    return {literals: formula for literals, formula in product.items() if formula != FALSE}


_Known = tuple[tuple[Literal, ...], Condition, Facts]


def _known(cases: Cases) -> list[_Known]:
    return [(literals, formula, facts(formula)) for literals, formula in cases.items()]


def _pairs(ones: list[_Known], others: list[_Known]) -> Iterator[Cases]:
    """The pairs of cases that may hold together."""
    for left, one, ours in ones:
        for right, other, theirs in others:
            if not exclude(ours, theirs):
                yield {_joined(left, right): conjunction([one, other])}


def _joined(left: tuple[Literal, ...], right: tuple[Literal, ...]) -> tuple[Literal, ...]:
    return tuple(dict.fromkeys((*left, *right)))


def _verify(count: int, most: int) -> None:
    if count > most:
        raise TooManyCasesError
