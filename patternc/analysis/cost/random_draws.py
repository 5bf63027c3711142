"""Random and nearest keys as planes: how many pairs they hold, without drawing or searching.

A row takes `count` members of what its pool has beside the avoided keys, or all where there are
fewer: how many is known, whichever they are. From a branch with one random table to a plane with as
many pairs, where every draw holds a whole block and none of the formula's pairs. Anything else
depends on the draws, and no plane is given.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, reduce
from typing import assert_never

from patternc.algebra import simplify
from patternc.algebra.atoms import InRow, ListedTable, RandomTable
from patternc.algebra.intervals import filter_of
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_sets import last_length
from patternc.algebra.walk import atoms_of
from patternc.analysis.cost.pair_sets import Plane, Runs
from patternc.frozen import frozen
from patternc.ir.formula import (
    All,
    Any,
    Atom,
    Compare,
    Condition,
    Constant,
    Expression,
    Not,
    Truth,
    Variable,
)
from patternc.ir.searches import Cluster, Lsh, Nearest, Sinkhorn, TopBlocks
from patternc.ir.terms import Causal, Columns, Difference, Found, Intersection, Random
from patternc.relation.cases import Literal
from patternc.relation.coordinates import IndexSpace, in_index_space, substitute
from patternc.relation.excluded_keys import candidates_of
from patternc.relation.lower import lower
from patternc.relation.relation import Branch, Conjunct

ROW, KEY, LENGTH, ONE, NONE = Variable("i"), Variable("j"), Variable("n"), Constant(1), Constant(0)


@frozen
class Drawn:
    """As many pairs as the draws hold at every n >= `start` that `multiple` divides."""

    plane: Plane
    start: int
    multiple: int


def drawn(branch: Branch) -> Drawn | None:
    """The draws of a branch whose only conjunct is one random table of the tokens, or a search."""
    if branch.keys != "n":
        return None
    match branch.conjuncts:
        case (Conjunct(formula, (Literal(InRow(RandomTable(random, block, 0)), True),)),):
            unkeyed = replace(random, seed=0, layer=0, head=0)
            return _of_formulas(unkeyed, block, formula, branch.formula)
        case (Conjunct(formula, (Literal(InRow(ListedTable(found=Found()) as lists), True),)),):
            return _of_search(lists, formula, branch.formula)
    return None


def _of_search(lists: ListedTable, among: Condition, beside: Condition) -> Drawn | None:
    """The keys that a search finds, as many as there are unless enough."""
    assert lists.found is not None
    match lists.found.search:
        case Nearest(count):
            return _within_budget(count, 1, candidates_of(lists), among, beside)
        case _:
            return None


@lru_cache(maxsize=256)
def found_at_least(lists: ListedTable, among: Condition) -> Drawn | None:
    """Pairs that a search finds whatever the call is, of those that it is joined with.

    The nearest keys are as many as there are unless enough; of hashes a row has at least itself, of
    blocks one key. Clusters may take no row.
    """
    assert lists.found is not None
    allowed = candidates_of(lists)
    match lists.found.search:
        case Nearest(count):
            return _within_budget(count, 1, allowed, among, simplify.FALSE)
        case Lsh():
            own = simplify.conjunction([allowed, simplify.compare(ROW, "==", KEY)])
            return _within_budget(1, 1, own, among, simplify.FALSE)
        case TopBlocks() | Sinkhorn():
            return _within_budget(1, 1, allowed, among, simplify.FALSE)
        case Cluster():
            return None
        case _:
            assert_never(lists.found.search)


@lru_cache(maxsize=256)
def _of_formulas(random: Random, block: int, among: Condition, beside: Condition) -> Drawn | None:
    """`among` is what the draws are joined with, `beside` the pairs that are there anyway."""
    return _within_budget(random.count, block, lower(_allowed(random)), among, beside)


def _within_budget(
    count: int, block: int, allowed: Condition, among: Condition, beside: Condition
) -> Drawn | None:
    if any(atoms_of(allowed)):
        return None
    try:
        with budget():
            return _counted(count, block, allowed, among, beside)
    except BudgetError:
        return None


def _allowed(random: Random) -> Intersection | Difference:
    """What a row may draw."""
    rest = Difference(Columns(random.pool), random.avoid)
    return Intersection((rest, Causal())) if random.past_only else rest


def _counted(
    count: int, block: int, allowed: Condition, among: Condition, beside: Condition
) -> Drawn | None:
    held = substitute(allowed, _scope(block))
    pairs, inside, outside = (Plane(given).at_lengths() for given in (held, among, beside))
    if not pairs.is_subset(inside) or not (pairs & outside).is_empty():
        return None
    runs = Plane(allowed).in_rows()
    if any(filter_of(run) != simplify.TRUE or run.step != 1 for run in runs):
        return None
    taken = in_index_space(_taken(runs, count), _scope(block))
    first = simplify.compare(KEY, "<", simplify.multiply(Constant(block), taken))
    short = last_length(Plane(simplify.conjunction([held, *_in_short_block(block)])).at_lengths())
    plane = Plane(first, block * count)
    return Drawn(plane, 0, block) if short is None else Drawn(plane, short + 1, 1)


def _scope(block: int) -> IndexSpace:
    size = Constant(block)
    count = simplify.floor_divide(simplify.add(LENGTH, Constant(block - 1)), size)
    row, key = (simplify.floor_divide(side, size) for side in (ROW, KEY))
    return IndexSpace(row, key, count, count, block)


def _in_short_block(block: int) -> tuple[Condition, Condition]:
    """The key is in the last block, and that is short."""
    rest = simplify.modulo(LENGTH, Constant(block))
    return simplify.compare(KEY, ">=", simplify.subtract(LENGTH, rest)), simplify.compare(
        rest, ">", NONE
    )


def _taken(runs: Runs, count: int) -> Expression:
    """The members that a row takes, as an expression in the row and n."""
    most = Constant(count)
    parts = (
        simplify.minimum(
            simplify.multiply(most, _indicator(run.guard)),
            simplify.maximum(NONE, simplify.subtract(run.stop, run.start)),
        )
        for run in runs
    )
    total: Expression = NONE
    for part in parts:
        total = simplify.add(total, part)
    return simplify.minimum(most, total)


def _indicator(condition: Condition) -> Expression:
    """1 where the condition holds, 0 elsewhere."""
    match condition:
        case Truth(value):
            return Constant(int(value))
        case Compare(operator, left, right):
            return _compared(operator, left, right)
        case All(items):
            return reduce(simplify.minimum, map(_indicator, items))
        case Any(items):
            return reduce(simplify.maximum, map(_indicator, items))
        case Not(operand):
            return simplify.subtract(ONE, _indicator(operand))
        case Atom():
            raise TypeError("guards of runs ask no table")


def _compared(operator: str, left: Expression, right: Expression) -> Expression:
    match operator:
        case ">=":
            return _positive(simplify.add(simplify.subtract(left, right), ONE))
        case ">":
            return _positive(simplify.subtract(left, right))
        case "<=" | "<":
            return _compared(">=" if operator == "<=" else ">", right, left)
        case "==":
            both = (_compared(">=", left, right), _compared(">=", right, left))
            return simplify.minimum(*both)
        case _:
            return simplify.subtract(ONE, _compared("==", left, right))


def _positive(value: Expression) -> Expression:
    return simplify.maximum(NONE, simplify.minimum(ONE, value))
