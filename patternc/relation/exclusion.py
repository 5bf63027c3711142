"""Formulas that no pair satisfies together, as their texts show.

From two formulas to whether one surely excludes the other: they bound one expression from both
sides, or one leaves out what the other is part of. Does not decide what integer sets decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from patternc.algebra.affine import Linear, linear, total
from patternc.frozen import frozen
from patternc.ir.formula import (
    Add,
    All,
    Any,
    Compare,
    CompareOperator,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Multiply,
    Not,
    Variable,
)


# Equal bounds are one object, so that looking one up takes no time.
@dataclass(frozen=True, slots=True, eq=False)
class _Bound:
    """At least `limit`, or below it, is `factor` times a value; the factor is positive."""

    factor: int
    limit: Linear


@frozen
class _Bounds:
    """Of one value: each of `lows` and each of `highs`."""

    lows: tuple[_Bound, ...] = ()
    highs: tuple[_Bound, ...] = ()


@frozen
class Facts:
    """Of a formula: the bounds of values, its conjuncts, and those of what it leaves out."""

    bounds: dict[Expression, _Bounds]
    conjuncts: frozenset[Condition]
    absent: tuple[frozenset[Condition], ...]


def facts(formula: Condition) -> Facts:
    conjuncts = conjuncts_of(formula)
    compared = (item for item in conjuncts if isinstance(item, Compare))
    absent = (part for item in conjuncts if isinstance(item, Not) for part in _parts(item.operand))
    sets = tuple(frozenset(conjuncts_of(part)) for part in absent)
    return Facts(_bounds(compared), frozenset(conjuncts), sets)


def exclude(one: Facts, other: Facts) -> bool:
    """Whether surely no pair satisfies both."""
    return _bounded_apart(one, other) or _leaves_out(one, other) or _leaves_out(other, one)


def conjuncts_of(condition: Condition) -> tuple[Condition, ...]:
    return condition.items if isinstance(condition, All) else (condition,)


def _parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.items if isinstance(condition, Any) else (condition,)


def _leaves_out(one: Facts, other: Facts) -> bool:
    return any(part <= other.conjuncts for part in one.absent)


def _bounded_apart(one: Facts, other: Facts) -> bool:
    for value, ours in one.bounds.items():
        theirs = other.bounds.get(value)
        if theirs is not None and (_below(ours, theirs) or _below(theirs, ours)):
            return True
    return False


def _below(one: _Bounds, other: _Bounds) -> bool:
    return any(_ends_before(high, low) for high, low in product(one.highs, other.lows))


@lru_cache(maxsize=1 << 16)
def _ends_before(high: _Bound, low: _Bound) -> bool:
    """Whether surely no value is below one and at least the other."""
    change = total([low.limit.times(high.factor), high.limit.times(-low.factor)])
    return change.number >= 0 and all(
        factor > 0 and _is_natural(term) for term, factor in change.terms
    )


def _is_natural(value: Expression) -> bool:
    """Whether it is surely not negative: what counts positions or slots."""
    match value:
        case Variable(name):
            return name in ("n", "m")
        case Constant(number):
            return number >= 0
        case Add(left, right) | Multiply(left, right) | FloorDivide(left, right):
            return _is_natural(left) and _is_natural(right)
        case _:
            return False


def _bounds(comparisons: Iterable[Compare]) -> dict[Expression, _Bounds]:
    found: dict[Expression, _Bounds] = {}
    for item in comparisons:
        value, factor = _scaled(item.left)
        known, own = found.get(value, _Bounds()), _of(item.operator, factor, item.right)
        found[value] = _Bounds(known.lows + own.lows, known.highs + own.highs)
    return found


def _scaled(value: Expression) -> tuple[Expression, int]:
    """What is multiplied by a positive number, and the number."""
    match value:
        case Multiply(Constant(factor), operand) if factor > 0:
            return operand, factor
        case _:
            return value, 1


@lru_cache(maxsize=1 << 14)
def _of(operator: CompareOperator, factor: int, right: Expression) -> _Bounds:
    limit = linear(right)
    this, above = _bound(factor, limit), _bound(factor, limit.plus(1))
    match operator:
        case "<":
            return _Bounds((), (this,))
        case "<=":
            return _Bounds((), (above,))
        case "==":
            return _Bounds((this,), (above,))
        case ">=":
            return _Bounds((this,), ())
        case ">":
            return _Bounds((above,), ())
        case "!=":
            return _Bounds()


@lru_cache(maxsize=1 << 14)
def _bound(factor: int, limit: Linear) -> _Bound:
    return _Bound(factor, limit)
