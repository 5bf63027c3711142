"""Relations on positions, for one (layer, head).

Converts a call with its values to the term of the relation. What a draw avoids is lowered by the
caller. Does not handle blocks, operators, key sources or modifiers.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, takewhile

from patternc.algebra.value_bounds import POSITIONS
from patternc.frozen import frozen
from patternc.ir import terms
from patternc.ir.formula import All, Compare, Constant, Reading, Subtract, Variable
from patternc.ir.searches import Cluster, Lsh, Nearest, Search, Sinkhorn, TopBlocks
from patternc.ir.terms import Term
from patternc.language.elaborate.bound_arguments import BoundArguments
from patternc.language.elaborate.bounds import (
    FARTHEST,
    at_least,
    not_empty,
    reaching,
    saturated,
    saturated_end,
    spread,
)
from patternc.language.elaborate.conditions import condition
from patternc.language.elaborate.constants import value_error
from patternc.language.elaborate.distances import among, progressions
from patternc.language.elaborate.neighborhoods import neighborhood
from patternc.language.elaborate.positions import integers, order, pool, positions, written
from patternc.language.elaborate.windows import windows
from patternc.language.syntax.ast import Call, Name, Node, Range, node_of
from patternc.language.syntax.limits import BANDS

QUERY, KEY = Variable("i"), Variable("j")


@frozen
class Context:
    """What a relation takes from around it: the header `causal`, and the terms of its arguments."""

    causal: bool
    term: Callable[[Node], Term]


BARE: dict[str, Term] = {
    "full": terms.Full(),
    "none": terms.Empty(),
    "diagonal": terms.Diagonal(),
    "causal": terms.Causal(),
}


def relation(given: BoundArguments, context: Context) -> Term:
    """The term of a relation that has arguments."""
    return _RELATIONS[given.call.function](given, context)


def _local(given: BoundArguments, context: Context) -> Term:
    both = given.width("r", Constant(0))
    left, right = given.width("left", both), given.width("right", both)
    dilation = given.count("dilation", 1)
    not_empty(left, right, given.call, given.place)
    for side in (left, right):
        spread(side, saturated(dilation), given.call, given.place)
    farthest = -(-FARTHEST // saturated(dilation))
    left, right = (saturated_end(side, farthest) for side in (left, right))
    return terms.Local(left, right, saturated(dilation))


def _segment(given: BoundArguments, context: Context) -> Term:
    width, dilation = given.count("w", 1), given.count("dilation", 1)
    back, ahead = given.count("back", 0), given.count("ahead", 0)
    offset = given.count("offset", 0) % dilation
    reaching(back, ahead, given.call, given.place)
    if dilation > 1:
        return terms.DilatedSegment(width, dilation, offset)
    return terms.Segment(*map(saturated, (width, back, ahead)))


def _random(given: BoundArguments, context: Context) -> Term:
    place, shared = given.place, given.word("share")
    everywhere = terms.Listing((terms.PositionRange(None, None),))
    return terms.Random(
        given.count("k", 1),
        pool(given.arguments["pool"].value, place) if "pool" in given else everywhere,
        given.count("seed", 0),
        0 if shared == "layer" else place.layer,
        0 if shared == "head" else place.head,
        context.term(given.value("avoid")) if "avoid" in given else terms.Empty(),
        context.causal,
    )


def _permuted(given: BoundArguments, context: Context) -> Term:
    return terms.Permutation(order(given.value("p"), given.place))


def _where(given: BoundArguments, context: Context) -> Term:
    return terms.Where(condition(given.value("condition"), given.place))


def _offsets(given: BoundArguments, context: Context) -> Term:
    """j - i in a set; i - j under the header `causal`."""
    value = written(given.value("distances"), given.place)
    assert not isinstance(value, Range)
    if isinstance(value, Name):
        return terms.Offsets(value.name, context.causal)
    if isinstance(value, Call):
        base = at_least(2, "base", node_of(value.arguments[0]), given.place, of="powers")
        found = tuple(takewhile(POSITIONS.__gt__, map(base.__pow__, count())))
    else:
        listed = integers(value, given.place)
        found = tuple(one for one in listed if abs(one) < POSITIONS)
    if sum(1 for _ in progressions(found)) > BANDS:
        raise value_error("P130.too_many_bands", value, given.place, most=BANDS)
    distance = Subtract(QUERY, KEY) if context.causal else Subtract(KEY, QUERY)
    return terms.Where(among(distance, found))


def _visible(given: BoundArguments, context: Context) -> Term:
    """`where(begin[j] <= i and i < end[j])`."""
    begin, end = (Reading(given.word(name), KEY) for name in ("begin", "end"))
    return terms.Where(All((Compare("<=", begin, QUERY), Compare("<", QUERY, end))))


def _before(given: BoundArguments, context: Context) -> Term:
    """`where(j < bound[i])`."""
    return terms.Where(Compare("<", KEY, Reading(given.word("bound"), QUERY)))


def _neighborhood(given: BoundArguments, context: Context) -> Term:
    values = {name: argument.value for name, argument in given.arguments.items()}
    return neighborhood(given.call, values, given.place)


def _windows(given: BoundArguments, context: Context) -> Term:
    values = {name: argument.value for name, argument in given.arguments.items()}
    return windows(given.call, values, given.place)


def _columns(given: BoundArguments, context: Context) -> Term:
    return terms.Columns(_positions(given))


def _rows(given: BoundArguments, context: Context) -> Term:
    return terms.Rows(_positions(given), given.word("projection") or None)


def _global(given: BoundArguments, context: Context) -> Term:
    return terms.Global(_positions(given), given.word("projection") or None)


def _positions(given: BoundArguments) -> terms.Positions:
    return positions(given.value("positions"), given.place)


def _on_input(make: Callable[[str], Term]) -> _Relation:
    return lambda given, _: make(given.word("name"))


def _listed(given: BoundArguments, _: Context) -> Term:
    return terms.IndexList(given.word("name"), None, saturated(given.count("block", 1)))


def _top_blocks(given: BoundArguments) -> Search:
    count, width = saturated(given.count("k", 1)), saturated(given.count("block", 1))
    return TopBlocks(count, width, given.word("scores"), given.word("share") == "group")


def _lsh(given: BoundArguments) -> Search:
    return Lsh(
        saturated(given.even("buckets")),
        saturated(given.count("chunk", 1)),
        saturated(given.count("rounds", 1)),
        saturated(given.count("back", 1)),
        given.word("edge") == "wrap",
        given.word("match") == "bucket",
        rotations=given.word("rotations"),
        seed=given.count("seed", 0),
    )


def _cluster(given: BoundArguments) -> Search:
    sizes = saturated(given.count("count", 1)), saturated(given.count("take", 1))
    return Cluster(*sizes, given.word("means"), given.word("own") == "last")


def _found(make: Callable[[BoundArguments], Search]) -> _Relation:
    """Lists under the name that `name=` gives, else that of the word."""
    return lambda given, _: terms.IndexList(
        given.word("name") or given.call.function, terms.Found(make(given), terms.Full())
    )


_Relation = Callable[[BoundArguments, Context], Term]
_RELATIONS: dict[str, _Relation] = {
    "local": _local,
    "strided": lambda given, _: terms.Strided(saturated(given.count("s", 1))),
    "segment": _segment,
    "columns": _columns,
    "rows": _rows,
    "global": _global,
    "permuted": _permuted,
    "random": _random,
    "listed": _listed,
    "same": _on_input(terms.SameDocument),
    "neighborhood": _neighborhood,
    "windows": _windows,
    "contextual": lambda given, _: terms.Contextual(saturated(given.count("k", 1))),
    "where": _where,
    "offsets": _offsets,
    "visible": _visible,
    "before": _before,
    "nearest": _found(lambda given: Nearest(saturated(given.count("k", 1)), given.word("scores"))),
    "top_blocks": _found(_top_blocks),
    "lsh": _found(_lsh),
    "cluster": _found(_cluster),
    "sinkhorn": _found(
        lambda given: Sinkhorn(saturated(given.count("block", 1)), given.count("sweeps", 7))
    ),
}
