"""What tables say of whole tiles: whether some pair may be held, and whether every pair is.

Maps a condition and tiles to two booleans a tile, from the values of its rows and of its keys: what
concerns one position is known exactly, what compares both by the least and greatest value of each.
`some` is never false where a pair is held, `every` never true where one is not. Time and memory
grow with the positions and the tiles, not with the pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from patternc.algebra.atoms import Compared, Member, SameLabel
from patternc.algebra.evaluate import Values, evaluate
from patternc.algebra.queries import variables_of
from patternc.algebra.walk import children
from patternc.algebra.work_budget import strips
from patternc.ir.formula import (
    Absolute,
    Add,
    All,
    Any,
    Atom,
    Compare,
    CompareOperator,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Maximum,
    Minimum,
    Modulo,
    Multiply,
    Not,
    Subtract,
    Truth,
)
from patternc.relation.tables import Tables

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
_Number = TypeVar("_Number", bound=np.generic)
_NONE = np.iinfo(np.int64).max


class Verdict(NamedTuple):
    """Of each tile: may some pair be held, and is every pair of it?"""

    some: Booleans
    every: Booleans


class Range(NamedTuple):
    """The least and the greatest value in each tile."""

    low: Integers
    high: Integers


class LabelBounds(NamedTuple):
    """Of the labels in each tile: the least without negative ones, the greatest, the least."""

    low: Integers
    high: Integers
    least: Integers


@dataclass(slots=True)
class Tiles:
    """Tiles (row[t], tile[t]) of the shape `sizes`, and the tables that decide about them."""

    row: Integers
    tile: Integers
    sizes: tuple[int, int]
    tables: Tables
    _known: dict[tuple[Expression, str], Range] = field(default_factory=dict)

    def verdict(self, condition: Condition) -> Verdict:
        match condition:
            case Truth(held):
                return self._alike(held)
            case All(items):
                return _both(map(self.verdict, items))
            case Any(items):
                return _inverted(_both(_inverted(self.verdict(item)) for item in items))
            case Not(operand):
                return _inverted(self.verdict(operand))
            case _:
                return self._leaf(condition)

    def _leaf(self, leaf: Compare | Atom) -> Verdict:
        names = variables_of(leaf) & {"i", "j"}
        if len(names) < 2:
            name = next(iter(names), "i")
            marks = self._by_tile(
                name,
                lambda values: self.tables.holds(leaf, values),
                (np.logical_or, np.logical_and),
            )
            return Verdict(*(self._spread(name, part) for part in marks))
        match leaf:
            case Compare(operator, left, right) | Compared(operator, left, right):
                return _compared(operator, self._range(left), self._range(right))
            case SameLabel():
                return self._labels(leaf)
            case Member(table, position):
                return self._members(self.tables.members(table), self._range(position))
            case _:
                return Verdict(*(self._alike(held).some for held in (True, False)))

    def _members(self, members: Booleans, among: Range) -> Verdict:
        """Members among the numbers between the least and the greatest of a tile."""
        before = np.append(0, members.cumsum())
        first, last = (before[end.clip(0, len(members))] for end in (among.low, among.high + 1))
        return Verdict(last > first, last - first == among.high - among.low + 1)

    def _alike(self, held: bool) -> Verdict:
        marks = np.full(len(self.row), held)
        return Verdict(marks, marks)

    def _spread(self, name: str, values: NDArray[_Number]) -> NDArray[_Number]:
        """What is known of the tiles of one side, at each tile."""
        return values[self.row if name == "i" else self.tile]

    def _by_tile(
        self,
        name: str,
        of: Callable[[Values], NDArray[_Number]],
        reductions: tuple[np.ufunc, ...],
    ) -> list[NDArray[_Number]]:
        """A function of the positions of one side, reduced to one value for each tile of it."""
        count, size = (
            (self.tables.n, self.sizes[0]) if name == "i" else (self.tables.m, self.sizes[1])
        )

        def within(first: int, stop: int) -> NDArray[_Number]:
            at = np.arange(first, stop)
            return np.broadcast_to(of({"i": at, "j": at}), at.shape)

        if not count:
            return [within(0, 0)] * len(reductions)
        values = np.concatenate([within(*strip) for strip in strips(count)])
        starts = np.arange(0, count, size)
        reduced: list[NDArray[_Number]] = [by.reduceat(values, starts) for by in reductions]
        return reduced

    def _range(self, value: Expression) -> Range:
        names = variables_of(value) & {"i", "j"}
        if isinstance(value, Constant):
            ends = np.full(len(self.row), value.value)
            return Range(ends, ends)
        if len(names) < 2:
            return self._of_side(next(iter(names), "i"), value)
        if isinstance(value, Absolute):
            return _absolute(self._range(value.operand))
        left, right = children(value)
        return _combined(value, self._range(left), self._range(right))

    def _of_side(self, name: str, value: Expression) -> Range:
        if (value, name) not in self._known:
            sizes = self.tables.sizes.values

            def at(values: Values) -> Integers:
                return np.asarray(evaluate(value, {**sizes, **values}, self.tables.read))

            ends = self._by_tile(name, at, (np.minimum, np.maximum))
            self._known[value, name] = Range(*(self._spread(name, end) for end in ends))
        return self._known[value, name]

    def _labels(self, atom: SameLabel) -> Verdict:
        """Labels that meet, as far as their bounds tell; negative ones meet nothing."""
        rows, keys = (self._label_bounds(atom, name) for name in ("i", "j"))
        some = (rows.low <= keys.high) & (keys.low <= rows.high)
        alike = [(each.least == each.high) & (each.least >= 0) for each in (rows, keys)]
        return Verdict(some, alike[0] & alike[1] & (rows.least == keys.least))

    def _label_bounds(self, atom: SameLabel, name: str) -> LabelBounds:
        position = atom.row if name == "i" else atom.key
        sizes = self.tables.sizes.values

        def at(values: Values) -> Integers:
            return self.tables.label(atom.table, evaluate(position, {**sizes, **values}))

        def labelled(values: Values) -> Integers:
            found = at(values)
            return np.where(found >= 0, found, _NONE)

        low = self._by_tile(name, labelled, (np.minimum,))
        ends = self._by_tile(name, at, (np.maximum, np.minimum))
        return LabelBounds(*(self._spread(name, end) for end in low + ends))


def _both(parts: Iterator[Verdict]) -> Verdict:
    return reduce(lambda a, b: Verdict(a.some & b.some, a.every & b.every), parts)


def _inverted(found: Verdict) -> Verdict:
    return Verdict(~found.every, ~found.some)


def _compared(operator: CompareOperator, left: Range, right: Range) -> Verdict:
    match operator:
        case "<":
            return Verdict(left.low < right.high, left.high < right.low)
        case "<=":
            return Verdict(left.low <= right.high, left.high <= right.low)
        case ">" | ">=":
            return _compared("<" if operator == ">" else "<=", right, left)
        case "==":
            some = (left.low <= right.high) & (right.low <= left.high)
            return Verdict(some, (left.low == right.high) & (left.high == right.low))
        case "!=":
            return _inverted(_compared("==", left, right))


def _combined(value: Expression, left: Range, right: Range) -> Range:
    """A value of two sides, whose values are taken as independent."""
    match value:
        case Add():
            return Range(left.low + right.low, left.high + right.high)
        case Subtract():
            return Range(left.low - right.high, left.high - right.low)
        case Multiply():
            ends = [one * other for one in left for other in right]
            return Range(np.minimum.reduce(ends), np.maximum.reduce(ends))
        case FloorDivide():
            return Range(left.low // right.low, left.high // right.low)
        case Modulo():
            once = left.low // right.low == left.high // right.low
            low, high = (np.where(once, end % right.low, 0) for end in left)
            return Range(low, np.where(once, high, right.low - 1))
        case Minimum():
            return Range(*(np.minimum(*ends) for ends in zip(left, right, strict=True)))
        case Maximum():
            return Range(*(np.maximum(*ends) for ends in zip(left, right, strict=True)))
        case _:
            raise TypeError(f"{type(value).__name__} has no two sides")


def _absolute(found: Range) -> Range:
    least = np.maximum(0, np.maximum(found.low, -found.high))
    return Range(least, np.maximum(-found.low, found.high))
