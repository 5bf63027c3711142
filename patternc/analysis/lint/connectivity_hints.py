"""Positions that no number of layers connects: P210.

Every pair of every layer stays within one residue class, or within one segment; proved by isl on
the formulas, so nothing is said of tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd, lcm

from patternc.algebra import simplify
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_sets import implies
from patternc.analysis.rules import Rule, distinct
from patternc.ir.formula import Condition, Constant, Variable
from patternc.ir.sources import TOKENS
from patternc.ir.terms import (
    Difference,
    DilatedSegment,
    Intersection,
    Local,
    Segment,
    Strided,
    Term,
    Union,
    With,
)
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.messages import diagnostic
from patternc.relation.relation import Relation


def disconnected(
    schedule: Sequence[Sequence[Rule]], stack: Sequence[Sequence[Relation]], n: int
) -> Iterator[Diagnostic]:
    """Residues or segments that no pair of any layer leaves."""
    every = dict.fromkeys(relation for heads in stack for relation in heads)
    if any(relation.sources != (TOKENS,) for relation in every):
        return
    formulas = {formula for relation in every for formula in _formulas(relation)}
    rules = distinct(rule for heads in schedule for rule in heads)
    terms = [term for rule in rules for own in rule.pattern.sets for term in _within(own)]
    spacings, widths = map(_spacing, terms), map(_width, terms)
    first = schedule[0][0].written.span
    stride, width = gcd(*spacings), lcm(*filter(None, widths))
    if 1 < stride < n and _all_imply(formulas, _same_residue(stride)):
        yield diagnostic("P210.residue_classes", first, stride=stride)
    elif 1 < width < n and _all_imply(formulas, _same_segment(width)):
        yield diagnostic("P210.segments", first, width=width)


def _within(term: Term) -> Iterator[Term]:
    """The relations on single positions that a term is made of."""
    match term:
        case Union(terms) | Intersection(terms):
            yield from (inner for part in terms for inner in _within(part))
        case Difference(left, _):
            yield from _within(left)
        case With(inner):
            yield from _within(inner)
        case _:
            yield term


def _formulas(relation: Relation) -> Iterator[Condition]:
    """What every part lies within."""
    for branch in relation.branches:
        yield branch.formula
        yield from (conjunct.formula for conjunct in branch.conjuncts)


def _spacing(term: Term) -> int:
    match term:
        case Local(dilation=dilation) | DilatedSegment(dilation=dilation):
            return dilation
        case Strided(stride):
            return stride
        case _:
            return 0


def _width(term: Term) -> int:
    match term:
        case Segment(width, 0, 0) | DilatedSegment(width):
            return width
        case _:
            return 0


def _same_residue(stride: int) -> Condition:
    apart = simplify.subtract(Variable("i"), Variable("j"))
    return simplify.compare(simplify.modulo(apart, Constant(stride)), "==", Constant(0))


def _same_segment(width: int) -> Condition:
    places = (simplify.floor_divide(Variable(side), Constant(width)) for side in ("i", "j"))
    return simplify.compare(next(places), "==", next(places))


def _all_imply(formulas: set[Condition], other: Condition) -> bool:
    try:
        with budget():
            return all(implies(formula, other) for formula in formulas)
    except BudgetError:
        return False
