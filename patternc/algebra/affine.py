"""Expressions as sums of terms with factors, so that comparisons can be solved for one of them.

Products and divisions are terms and are not expanded.
"""

from __future__ import annotations

from collections.abc import Iterable

from patternc.algebra.simplify import add, floor_divide, multiply, subtract
from patternc.frozen import frozen
from patternc.ir.formula import Add, Constant, Expression, Multiply, Subtract


@frozen
class Linear:
    """A sum of terms, each with its factor, and a number."""

    terms: frozenset[tuple[Expression, int]]
    number: int = 0

    def times(self, factor: int) -> Linear:
        scaled = frozenset((term, factor * count) for term, count in self.terms)
        return Linear(scaled, factor * self.number)

    def plus(self, number: int) -> Linear:
        return Linear(self.terms, self.number + number)

    def divided(self, size: int) -> Linear:
        """Rounded to minus infinity."""
        return linear(floor_divide(self.expression(), Constant(size)))

    def expression(self) -> Expression:
        """Terms with positive factors first, in the order of their texts."""
        ordered = sorted(self.terms, key=lambda term: (term[1] < 0, str(term[0])))
        found: Expression = Constant(0)
        for term, factor in ordered:
            change = multiply(Constant(abs(factor)), term)
            found = add(found, change) if factor > 0 else subtract(found, change)
        return add(found, Constant(self.number))


def linear(value: Expression) -> Linear:
    match value:
        case Constant(number):
            return Linear(frozenset(), number)
        case Add(left, right):
            return total([linear(left), linear(right)])
        case Subtract(left, right):
            return total([linear(left), linear(right).times(-1)])
        case Multiply(Constant(factor), other) | Multiply(other, Constant(factor)):
            return linear(other).times(factor)
        case _:
            return Linear(frozenset({(value, 1)}))


def total(parts: Iterable[Linear]) -> Linear:
    factors: dict[Expression, int] = {}
    number = 0
    for part in parts:
        number += part.number
        for term, factor in part.terms:
            factors[term] = factors.get(term, 0) + factor
    return Linear(frozenset((term, count) for term, count in factors.items() if count), number)
