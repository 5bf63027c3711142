"""Terms of one softmax that scale one pair in two ways.

Maps a rule and a length to warnings: the first of the terms counts, which a reader may overlook.
Parts that tables decide are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

from patternc.analysis.lint.empty_rows import slots_at
from patternc.analysis.rules import Rule, branches_of, joined, summands
from patternc.analysis.sets_at_length import first_shared
from patternc.ir.modifiers import Scale
from patternc.language.check.environment import Environment
from patternc.language.syntax.ast import Call, Name, Node
from patternc.language.syntax.diagnostics import Diagnostic, Mark
from patternc.language.syntax.messages import diagnostic
from patternc.relation.relation import Branch, relation


def scaled_twice(rule: Rule, n: int) -> Iterator[Diagnostic]:
    """P213 for each term that holds a pair of an earlier one, with another scale."""
    if not any(_scale(branch) for branch in relation(rule.pattern).branches):
        return
    for terms in _softmaxes(rule.written, rule.place):
        for first, second in combinations(terms, 2):
            ours, theirs = (relation(rule.meaning(part)).branches for part in (first, second))
            for pair in product(ours, theirs):
                found = _shared(*pair, n)
                if found is not None:
                    yield _twice(first, second, found, rule)
                    break


def _shared(one: Branch, other: Branch, n: int) -> tuple[int, int] | None:
    m = slots_at(one.source, n)
    if _scale(one) == _scale(other) or one.source != other.source or m is None:
        return None
    found = first_shared(one.formula, other.formula, n, m)
    return None if found == (-1, -1) else found


def _scale(branch: Branch) -> float | None:
    return next((each.value for each in branch.modifiers if isinstance(each, Scale)), None)


def _softmaxes(node: Node, place: Environment) -> Iterator[tuple[Node, ...]]:
    """The terms of each union that is a softmax; branches of `mix` keep their own scores."""
    match node:
        case Name(name) if name in place.lets:
            yield from _softmaxes(place.lets[name], place)
        case Call("gate" | "difference" | "sum" | "mean"):
            for branch in branches_of(node):
                yield from _softmaxes(branch, place)
        case _:
            yield tuple(summands(node, place))


def _twice(first: Node, second: Node, pair: tuple[int, int], rule: Rule) -> Diagnostic:
    row, key = pair
    return diagnostic(
        "P213.scaled_twice",
        second.span,
        (Mark(first.span, "this term scales it first"),),
        place=joined(f"query {row} and key {key}", rule.where),
    )
