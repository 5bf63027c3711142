"""Predicates as bounds: which keys j a row i allows, or which rows a key, as comparisons say.

Converts a condition on pairs to text that compares the one position with two numbers of the other,
which a kernel finds once for what it holds, where the condition itself would be worked out for
every pair. What is not a bound is asked pair by pair. Does not print loops over tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import reduce
from itertools import chain
from typing import Literal, NamedTuple

from patternc.algebra.affine import Linear, linear, total
from patternc.algebra.atoms import Compared
from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import MIRRORED, TRUE, conjunction, disjunction
from patternc.emit.text.expressions import Printer
from patternc.emit.text.layout import AND, COMPARISON, OR, Call, Chain, Leaf, Text
from patternc.frozen import frozen
from patternc.ir.formula import (
    All,
    Any,
    Compare,
    CompareOperator,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Not,
    Subtract,
    Variable,
)

# Numbers beyond all positions.
_ABOVE, _BELOW = Leaf("1 << 30"), Leaf("-(1 << 30)")
Position = Literal["i", "j"]


@frozen
class Bounded:
    """Pairs with the position `name` from all of `lower` to all of `upper`, and what else holds.

    `held` concerns the other position alone, `pairs` both.
    """

    name: Position
    lower: tuple[Expression, ...]
    upper: tuple[Expression, ...]
    held: Condition
    pairs: tuple[Condition, ...]

    def conditions(self) -> Iterator[Condition]:
        """All that is worked out, as conditions."""
        ends = self.lower + self.upper
        yield from (self.held, *(Compare("<=", Variable(self.name), end) for end in ends))
        yield from self.pairs


@frozen
class Either:
    """Pairs of any of the items, all of which hold to what is `common` too."""

    items: tuple[Bounded, ...]
    common: tuple[Condition, ...]

    def conditions(self) -> Iterator[Condition]:
        yield from chain.from_iterable(item.conditions() for item in self.items)
        yield from self.common


def keys_of_rows(value: Condition) -> Bounded | Either:
    """The pairs of a condition by the keys of each row, all of them below m."""
    return by_position(value, "j", (linear(Subtract(Variable("m"), Constant(1))),))


def rows_of_keys(value: Condition) -> Bounded | Either:
    """The pairs of a condition by the rows of each key."""
    return by_position(value, "i")


def unbounded(value: Condition, found_by: Callable[[Condition], Bounded | Either]) -> Bounded:
    """The condition as it is, which fits 64 bits where its bounds might not."""
    everything = found_by(TRUE)
    assert isinstance(everything, Bounded)
    return replace(everything, pairs=(value,))


def by_position(
    value: Condition, name: Position, last: tuple[Linear, ...] = ()
) -> Bounded | Either:
    """Bounds of the position `name`, also by `last`; one item for each alternative.

    What concerns that position alone is not a bound of the other's: it stays common to all items.
    """
    common = tuple(
        item for item in items_of(value) if _asks_pairs(item, name) and _is_of(item, name)
    )
    rest = conjunction(item for item in items_of(value) if item not in common)
    denied = [set(items_of(item.operand)) for item in items_of(value) if isinstance(item, Not)]
    found = [
        item
        for item in _alternatives(rest, name)
        if not any(one <= set(items_of(item)) for one in denied)
    ]
    if len(found) < 2:
        return bounded(conjunction([*common, disjunction(found)]), name, last)
    return Either(tuple(bounded(item, name, last) for item in found), common)


def items_of(value: Condition) -> tuple[Condition, ...]:
    return value.items if isinstance(value, All) else (value,)


def _is_of(item: Condition, name: Position) -> bool:
    """Does it concern no other position?"""
    return variables_of(item) & {"i", "j"} == {name}


def _alternatives(value: Condition, name: Position) -> list[Condition]:
    """Conditions of which one must hold: x & (y | z) is two if x asks nothing of pairs."""
    match value:
        case Any(items):
            return [part for item in items for part in _alternatives(item, name)]
        case All(items):
            of_pairs = [item for item in items if _asks_pairs(item, name)]
            match of_pairs:
                case [Any(inner)]:
                    rest = [item for item in items if item not in of_pairs]
                    parts = (conjunction([*rest, part]) for part in inner)
                    return [found for part in parts for found in _alternatives(part, name)]
            return [value]
        case _:
            return [value]


def _asks_pairs(item: Condition, name: Position) -> bool:
    """Is it neither a bound nor decided by the other position?"""
    return name in variables_of(item) and _ends(item, name) is None


def bounded(value: Condition, name: Position, last: tuple[Linear, ...]) -> Bounded:
    items = items_of(value)
    ends = [found for item in items if (found := _ends(item, name)) is not None]
    lower = _tightest([end for found in ends for end in found.lower], max)
    upper = _tightest([*(end for found in ends for end in found.upper), *last], min)
    return Bounded(
        name,
        tuple(end for end in lower if name == "i" or not _is_first_key(end)),
        upper,
        conjunction(item for item in items if name not in variables_of(item)),
        tuple(item for item in items if _asks_pairs(item, name)),
    )


def _is_first_key(end: Expression) -> bool:
    """Is a lower bound that of every key? Keys are never negative, rows may be."""
    return isinstance(end, Constant) and end.value <= 0


def _tightest(ends: list[Linear], tighter: Callable[[int, int], int]) -> tuple[Expression, ...]:
    """The bounds without those that others imply."""
    found: dict[frozenset[tuple[Expression, int]], int] = {}
    for end in ends:
        found[end.terms] = tighter(found.get(end.terms, end.number), end.number)
    return tuple(Linear(*item).expression() for item in found.items())


class Ends(NamedTuple):
    """Lower and upper bounds of a position."""

    lower: list[Linear]
    upper: list[Linear]


def _ends(value: Condition, name: Position) -> Ends | None:
    """The bounds that a comparison is; None if it is not that."""
    match value:
        case Compare("!=", _, _) | Compared("!=", _, _):
            return None
        case Compare(operator, left, right) | Compared(operator, left, right):
            return _solved(linear(Subtract(left, right)), operator, name)
        case _:
            return None


def _solved(difference: Linear, operator: CompareOperator, name: Position) -> Ends | None:
    """Bounds where a sum compares to 0."""
    asked = [item for item in difference.terms if name in variables_of(item[0])]
    if len(asked) != 1:
        return None
    ((term, factor),) = asked
    rest = Linear(difference.terms - set(asked), difference.number).times(-1 if factor > 0 else 1)
    if factor < 0:
        operator, factor = MIRRORED[operator], -factor
    lower = [rest.plus(operator == ">")] if operator in (">", ">=", "==") else []
    upper = [rest.plus(-(operator == "<"))] if operator in ("<", "<=", "==") else []
    if factor > 1:
        lower = [end.plus(factor - 1).divided(factor) for end in lower]
        upper = [end.divided(factor) for end in upper]
    return _of_term(term, Ends(lower, upper), name)


def _of_term(term: Expression, ends: Ends, name: Position) -> Ends | None:
    """Bounds of a position from those of a term that holds it."""
    match term:
        case Variable():
            return ends
        case FloorDivide(inner, Constant(size)) if size > 0:
            first = [total([linear(inner), end.times(-size)]) for end in ends.lower]
            last = [total([linear(inner), end.plus(1).times(-size)]) for end in ends.upper]
            least = [_solved(difference, ">=", name) for difference in first]
            most = [_solved(difference, "<", name) for difference in last]
            return _together([*least, *most])
        case _:
            return None


def _together(found: list[Ends | None]) -> Ends | None:
    known = [ends for ends in found if ends is not None]
    if len(known) < len(found):
        return None
    return Ends(
        [x for ends in known for x in ends.lower], [x for ends in known for x in ends.upper]
    )


def printed(value: Bounded | Either, printer: Printer) -> Text:
    """The text that asks pairs of a row i and a key j."""
    if isinstance(value, Bounded):
        return _printed(value, printer)
    # With bounds on one side only: one comparison with the furthest of them.
    below = [item for item in value.items if not item.lower and not item.pairs]
    above = [item for item in value.items if item.lower and not item.upper and not item.pairs]
    asked = [_printed(item, printer) for item in value.items if item not in below + above]
    if above:
        end = _of_all("tl.minimum", [_lower(item, printer) for item in above])
        asked.append(_compared(above[0], ">=", end, printer))
    if below:
        end = _of_all("tl.maximum", [_upper(item, printer) for item in below])
        asked.append(_compared(below[0], "<=", end, printer))
    common = map(printer.condition, value.common)
    return joined(AND, "&", [joined(OR, "|", asked), *common])


def _printed(value: Bounded, printer: Printer) -> Text:
    asked = []
    if value.lower:
        asked.append(_compared(value, ">=", _lower(value, printer), printer))
    if value.upper or (value.held != TRUE and not value.lower):
        asked.append(_compared(value, "<=", _upper(value, printer), printer))
    asked += map(printer.condition, value.pairs)
    return joined(AND, "&", asked or [printer.condition(TRUE)])


def _lower(value: Bounded, printer: Printer) -> Text:
    """The largest of the lower bounds; above all positions where `held` does not hold."""
    end = _of_all("tl.maximum", map(printer.expression, value.lower))
    return end if value.upper else _where(value.held, end, _ABOVE, printer)


def _upper(value: Bounded, printer: Printer) -> Text:
    """The smallest of the upper bounds; below all positions where `held` does not hold."""
    ends = list(map(printer.expression, value.upper)) or [_ABOVE]
    return _where(value.held, _of_all("tl.minimum", ends), _BELOW, printer)


def _where(held: Condition, end: Text, other: Text, printer: Printer) -> Text:
    return end if held == TRUE else Call("tl.where", (printer.condition(held), end, other))


def _of_all(function: str, ends: Iterable[Text]) -> Text:
    return reduce(lambda left, right: Call(function, (left, right)), ends)


def _compared(value: Bounded, operator: str, end: Text, printer: Printer) -> Text:
    return Chain(COMPARISON, printer.expression(Variable(value.name)), ((operator, end),))


def joined(level: int, operator: str, parts: list[Text]) -> Text:
    first, *rest = parts
    return Chain(level, first, tuple((operator, part) for part in rest)) if rest else first
