"""Rows that would have two projections of their own.

Converts a pattern's text and one (layer, head) to the sets of rows with `projection=`, and those
that meet. Sets are compared for a long sequence, so that the ends keep apart; two run-time sets
meet where they are the same. Does not handle `blocks(parts=p)`, whose queries depend on the length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from math import gcd

from patternc.frozen import frozen
from patternc.ir.formula import Constant, Expression
from patternc.ir.terms import Listing, Period, PositionRange, Positions, RunTimeSet
from patternc.language.check.environment import Environment
from patternc.language.elaborate.attachment_errors import two_projections
from patternc.language.elaborate.bound_arguments import BoundArguments
from patternc.language.elaborate.constants import constant
from patternc.language.elaborate.positions import positions, written
from patternc.language.syntax.ast import Call, Lift, Name, Node, Range, children, node_of
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.source import Span

_LONG = 2**40
_CALLS = ("rows", "global")


@frozen
class _Every:
    """Rows p with start <= p mod length < stop."""

    length: int
    start: int
    stop: int


@frozen
class _Named:
    """A run-time set of blocks of `unit` rows."""

    name: str
    unit: int


# Half-open ranges of rows, or one of the above.
_Rows = tuple[tuple[int, int], ...] | _Every | _Named


@frozen
class _Projected:
    rows: _Rows
    projection: str
    span: Span


def check_projections(node: Node, place: Environment) -> Iterator[Diagnostic]:
    """Two projections for one row; each branch of a `difference` has its own."""
    for apart in _apart(node, place):
        yield from _check(apart, place)


def _apart(node: Node, place: Environment) -> Iterator[Node | Range]:
    match written(node, place):
        case Call("difference", arguments):
            for argument in arguments:
                if argument.name is None:
                    yield from _apart(node_of(argument), place)
        case _:
            yield node


def _check(node: Node | Range, place: Environment) -> Iterator[Diagnostic]:
    found = dict.fromkeys(_projected(node, place, 1, set()))
    for first, second in combinations(found, 2):
        if first.projection != second.projection and _meet(first.rows, second.rows):
            names = first.projection, second.projection
            yield two_projections(*names, second.span, first.span, place.where())


def _projected(
    node: Node | Range, place: Environment, unit: int, seen: set[tuple[str, int]]
) -> Iterator[_Projected]:
    """`unit` is how many rows one position stands for; lets in `seen` were looked at."""
    match node:
        case Name(name) if name in place.lets:
            if (name, unit) not in seen:
                seen.add((name, unit))
                yield from _projected(place.lets[name], place, unit, seen)
        case Call("random"):
            return
        case Call(function) if function in _CALLS:
            given = BoundArguments.of(node, replace(place, values=_long(place, unit), known={}))
            if "projection" in given:
                rows = _rows(positions(given.value("positions"), given.place), unit)
                yield _Projected(rows, given.word("projection"), node.span)
        case Lift(call, body):
            (argument,) = call.arguments
            if argument.name is None and not isinstance(argument.value, Range):
                size = constant(node_of(argument), place)
                yield from _projected(body, place, unit * size, seen)
        case _:
            for child in children(node):
                yield from _projected(child, place, unit, seen)


def _long(place: Environment, unit: int) -> dict[str, int]:
    return {**place.values, "n": -(-_LONG // unit)}


def _rows(found: Positions, unit: int) -> _Rows:
    match found:
        case Listing(ranges):
            return tuple(_interval(one, -(-_LONG // unit), unit) for one in ranges)
        case Period(length, start, stop):
            return _Every(length * unit, start * unit, stop * unit)
        case RunTimeSet(name):
            return _Named(name, unit)


def _interval(found: PositionRange, n: int, unit: int) -> tuple[int, int]:
    if not all(isinstance(end, Constant | None) for end in (found.start, found.stop)):
        return 0, n * unit  # a size of the call decides
    start = _end(found.start, 0, n)
    stop = start + 1 if found.single else _end(found.stop, n, n)
    return max(start, 0) * unit, min(stop, n) * unit


def _end(end: Expression | None, default: int, n: int) -> int:
    if end is None:
        return default
    assert isinstance(end, Constant)
    return end.value + n if end.value < 0 else end.value


def _meet(first: _Rows, second: _Rows) -> bool:
    match first, second:
        case tuple(), tuple():
            return any(max(a, c) < min(b, d) for a, b in first for c, d in second)
        case tuple(), _Every():
            return any(_crosses(a, b, second) for a, b in first)
        case _Every(), tuple():
            return any(_crosses(a, b, first) for a, b in second)
        case _Every(), _Every():
            common = gcd(first.length, second.length)
            narrow = _Every(common, first.start, first.stop)
            return _crosses(second.start, second.stop, narrow)
        case _:
            return first == second


def _crosses(start: int, stop: int, every: _Every) -> bool:
    """Whether a range holds a row of a period."""
    if start >= stop:
        return False
    before = (start - every.start) % every.length
    return before < every.stop - every.start or before + stop - start > every.length
