"""Sets and orders of positions: lists, ranges, periods, run-time sets."""

from __future__ import annotations

from patternc.ir.terms import Listing, Period, PositionRange, Positions, RunTimeSet
from patternc.language.check.environment import Environment
from patternc.language.elaborate.bounds import at_least, saturated, saturated_end
from patternc.language.elaborate.constants import EvaluationError, constant, fitting, value_error
from patternc.language.syntax.ast import Call, Name, Node, Range, Sequence
from patternc.language.syntax.limits import LIST_ITEMS


def written(node: Node | Range, place: Environment) -> Node | Range:
    """What a bound name stands for, through any number of names."""
    while isinstance(node, Name) and node.name in place.lets:
        node = place.lets[node.name]
    return node


def positions(node: Node, place: Environment) -> Positions:
    """The argument of `columns`, `rows` and `global`."""
    match written(node, place):
        case Name(name):
            return RunTimeSet(name)
        case Sequence() as listed:
            return listing(listed, place)
        case Call("period") as call:
            return period(call, place)
        case other:
            raise AssertionError(f"not positions: {other}")


def pool(node: Node | Range, place: Environment) -> Listing:
    """The argument `pool=`: a range or a list."""
    match written(node, place):
        case Range() as written_range:
            return Listing((interval(written_range, place),))
        case Sequence() as listed:
            return listing(listed, place)
        case other:
            raise AssertionError(f"not a pool: {other}")


def listing(node: Sequence, place: Environment) -> Listing:
    return Listing(
        tuple(
            interval(item, place)
            if isinstance(item, Range)
            else PositionRange(saturated_end(fitting(item, place)), None, single=True)
            for item in node.items
        )
    )


def interval(node: Range, place: Environment) -> PositionRange:
    start, stop = (
        saturated_end(fitting(end, place)) if end is not None else None
        for end in (node.start, node.stop)
    )
    return PositionRange(start, stop)


def period(node: Call, place: Environment) -> Period:
    """`period(l, a:b)`; open ends are 0 and l, negative ones count from l."""
    first, second = (argument.value for argument in node.arguments)
    assert not isinstance(first, Range)
    assert isinstance(second, Range)
    length = at_least(1, "l", first, place, of="period")
    start = constant(second.start, place) if second.start is not None else 0
    stop = constant(second.stop, place) if second.stop is not None else length
    start, stop = (end + length if end < 0 else end for end in (start, stop))
    if not 0 <= start < stop <= length:
        raise value_error("P107.outside_period", node, place, start=start, stop=stop, length=length)
    return Period(*map(saturated, (length, start, stop)))


def integers(node: Node, place: Environment) -> tuple[int, ...]:
    """A list in which the order counts; closed ranges are written out."""
    listed = written(node, place)
    assert isinstance(listed, Sequence)
    values: list[int] = []
    for item in listed.items:
        values += _run(item, place) if isinstance(item, Range) else [constant(item, place)]
        if len(values) > LIST_ITEMS:
            raise _too_long(listed, place)
    return tuple(values)


def _run(node: Range, place: Environment) -> range:
    if node.start is None or node.stop is None:
        raise value_error("P108.open_range", node, place)
    run = range(constant(node.start, place), constant(node.stop, place))
    return run[: LIST_ITEMS + 1]


def _too_long(node: Sequence, place: Environment) -> EvaluationError:
    return value_error("P130.too_long_values", node, place, most=LIST_ITEMS)


def order(node: Node, place: Environment) -> tuple[int, ...]:
    """The argument of `permuted`: a permutation of 0..m-1."""
    table = integers(node, place)
    if sorted(table) == list(range(len(table))):
        return table
    missing = min(set(range(len(table) + 1)) - set(table))
    raise value_error(
        "P108.not_a_permutation", node, place, last=max(len(table) - 1, 0), missing=missing
    )
