"""What FlexAttention cannot hold, a sentence each.

It computes one softmax over the keys of one sequence, from products that a function of the score,
the batch element, the head and the two positions may change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_sets import excludes
from patternc.algebra.walk import atoms_of, searched_lists
from patternc.emit.flex.scores import Scored, scale_of, scored
from patternc.emit.text.bounds import items_of
from patternc.ir.feature_maps import FeatureMap
from patternc.ir.formula import Condition, Not
from patternc.ir.modifiers import Absolute, Rotary, ScoreModifier, positions_of
from patternc.ir.sources import TOKENS, word_of
from patternc.schedule.head_groups import without_scalars
from patternc.schedule.schedule import Group, Pass

_MODIFIERS = {
    Rotary: "`rotary` turns q and k before their product, which flex does not: leave it out of the "
    "pattern, and turn q and k yourself",
    FeatureMap: "`features` has no softmax and no score of a pair: flex computes both",
    Absolute: "`absolute` adds positions to q and k before their product, which flex does not: "
    "leave it out of the pattern, and add them yourself",
}


def reasons(groups: Sequence[Group]) -> Iterator[str]:
    """Of the groups of one layer; some more than once."""
    for group in groups:
        yield from _of_group(group)
    scales = {scale_of(item) for group in groups for item in group.branches}
    if len(scales) > 1:
        yield "`scale` differs within a layer: flex has one scale for all products"


def _of_group(group: Group) -> Iterator[str]:
    if group.combined is not None:
        yield f"`{group.combined.kind}` joins several softmaxes: flex computes one"
    for item in group.branches:
        yield from _of_branch(item)
    if any(_may_meet(*pair) for pair in combinations(scored(group), 2)):
        yield (
            "`mix` counts a pair with two different modifiers: flex has one score for each pair "
            "(or it is not known that no pair is in both terms)"
        )


def _of_branch(item: Pass) -> Iterator[str]:
    if item.source != TOKENS:
        yield f"keys of `{word_of(item.source)}` are not among the n tokens"
    if item.projection is not None or item.projected:
        names = [item.projection] if item.projection else [name for _, name in item.projected]
        yield f"`projection={names[0]}` has a q, k and v of its own: flex has one of each"
    for table in searched_lists(item.predicate):
        yield (
            f"`{table.name}` is found from queries and keys, which a mask function is not "
            f"given: take lists that the module found, `listed({table.name}_keys)`"
        )
    for modifier in item.modifiers:
        if type(modifier) in _MODIFIERS:
            yield _MODIFIERS[type(modifier)]
        if positions_of(modifier):
            yield (
                f"`{modifier.word}(position=..)` counts distances from a run-time input, and a "
                "score function from indices: place the tokens so that indices are the positions"
            )
        if isinstance(modifier, ScoreModifier) and modifier.of_values:
            yield f"`{modifier.word}` changes values by their distance: flex has scores of pairs"
        if isinstance(modifier, ScoreModifier) and modifier.table and modifier.table.of_queries:
            yield (
                f"`{modifier.word}` adds products of the query with vectors of the distances: a "
                "score function is not given the query"
            )


def _may_meet(one: Scored, other: Scored) -> bool:
    """May a pair be in branches whose scores differ, for any head?"""
    return not all(_disjoint(*pair) for pair in product(one.branches, other.branches))


def _disjoint(one: Pass, other: Pass) -> bool:
    if one.source != other.source:
        return True
    heads = range(max(len(one.scalars), 1))
    return all(_excludes(_of_head(one, head), _of_head(other, head)) for head in heads)


def _of_head(item: Pass, head: int) -> Condition:
    return without_scalars(item.predicate, item.scalars[head]) if item.scalars else item.predicate


def _excludes(one: Condition, other: Condition) -> bool:
    """Does each leave out what the other holds, as written or as integer sets know?"""
    if _leaves_out(one, other) or _leaves_out(other, one):
        return True
    if any(atoms_of(one)) or any(atoms_of(other)):
        return False
    try:
        with budget():
            return excludes(one, other)
    except BudgetError:
        return False


def _leaves_out(one: Condition, other: Condition) -> bool:
    """Is one `.. & ~x`, where all parts of x are parts of the other?"""
    held = set(items_of(other))
    return any(
        isinstance(item, Not) and set(items_of(item.operand)) <= held for item in items_of(one)
    )
