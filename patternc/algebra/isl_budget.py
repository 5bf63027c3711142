"""Conditions whose integer sets may grow beyond all bounds, told from their form.

The budget of integer sets counts operations, and where divisions by unlike numbers meet, an
operation takes longer and longer: a hundred thousand take half a minute, two million days. Such
conditions get a small budget: no clock, so that results are the same everywhere. Plain is what
compares one division of i with one of j, as most relations do. Does not build integer sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from patternc.algebra.affine import Linear, linear
from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import floor_divide
from patternc.algebra.walk import children, leaves, sides_of
from patternc.algebra.whole_blocks import block_sizes
from patternc.ir.formula import (
    Absolute,
    Add,
    Compare,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Maximum,
    Minimum,
    Modulo,
    Multiply,
    Reading,
    Scalar,
    Subtract,
    Variable,
)

# More choices of `min` and `max` in one comparison than these are not looked through.
MOST_CHOICES = 16
# Divisors of one comparison of which none divides another.
MOST_DIVISORS = 2
# And those of all comparisons.
MOST_TOGETHER = 3
LARGEST_FACTOR = 1 << 10


@lru_cache(maxsize=65536)
def is_tangled(condition: Condition) -> bool:
    """Whether some comparison is not plain, or all of them have too many unlike divisors."""
    return _unlike(_all_divisors(condition)) > MOST_TOGETHER or _has_knot(condition)


def _compared(condition: Condition) -> Iterator[Compare]:
    return (leaf for leaf in leaves(condition) if isinstance(leaf, Compare))


def _all_divisors(condition: Condition) -> set[int]:
    return {size for side in sides_of(condition) for size in _divisors(side)}


def _has_knot(condition: Condition) -> bool:
    return not all(map(_is_plain_comparison, _compared(condition)))


@lru_cache(maxsize=65536)
def _is_plain_comparison(given: Compare) -> bool:
    return _is_plain(_by_blocks(Subtract(given.left, given.right)))


def _is_plain(difference: Expression) -> bool:
    """Every position in one term, and few unlike divisors."""
    choices, divisors = _choices(difference), set(_divisors(difference))
    if len(choices) > MOST_CHOICES or _unlike(divisors) > MOST_DIVISORS:
        return False
    return all(_is_plain_sum(linear(choice)) for choice in choices)


def _is_plain_sum(found: Linear) -> bool:
    divisions = [term for term, _ in found.terms if isinstance(term, FloorDivide | Modulo)]
    sides = [variables_of(term) - {"n"} for term, _ in found.terms]
    apart = len(frozenset().union(*sides)) == sum(map(len, sides))
    apart = apart or _is_of_residues(found)
    small = all(
        abs(factor) <= LARGEST_FACTOR or _is_block(term, factor) for term, factor in found.terms
    )
    return apart and small and all(_is_plain_division(each, len(sides) == 1) for each in divisions)


def _is_block(term: Expression, factor: int) -> bool:
    """The first position of a block, or what is left of one."""
    match term:
        case FloorDivide(_, Constant(size)):
            return factor % size == 0
        case _:
            return False


def _is_of_residues(found: Linear) -> bool:
    """Positions, their blocks and residues, whose sizes divide one another."""
    divided = [term.left for term, _ in found.terms if isinstance(term, FloorDivide | Modulo)]
    alike = _unlike(set(_divisors(found.expression()))) == 1
    inside = [term for position in divided for term, _ in linear(position).terms]
    every = [variables_of(term) for term, _ in found.terms]
    alone = all(isinstance(term, Variable) for term in inside)
    return alike and alone and all(len(names) == 1 and "n" not in names for names in every)


def _is_plain_division(division: Expression, alone: bool) -> bool:
    """Of a sum of positions, or of one other plain division and a number; n leaves no remainder.

    A division of a division has a divisor that divides the other, unless it is `alone`.
    """
    assert isinstance(division, FloorDivide | Modulo)
    if "n" in variables_of(division):
        return isinstance(division, FloorDivide) or division.left == Variable("n")
    found = linear(division.left)
    inner = [term for term, _ in found.terms if isinstance(term, FloorDivide | Modulo)]
    if not inner:
        mixed = len(found.terms) > 1
        return all(abs(factor) <= (1 if mixed else LARGEST_FACTOR) for _, factor in found.terms)
    chained = alone or _unlike(set(_divisors(division))) == 1
    alike = len(found.terms) == len(inner) and len(set(_divisors(found.expression()))) == 1
    return chained and alike and all(_is_plain_division(each, alone) for each in inner)


def _choices(expression: Expression) -> list[Expression]:
    """What the expression may be: one operand for each `min` and `max`."""
    match expression:
        case Minimum(left, right) | Maximum(left, right):
            return [*_choices(left), *_choices(right)]
        case Absolute(operand):
            return _choices(operand)
        case Add(left, right) | Subtract(left, right) | Multiply(left, right):
            pairs = product(_choices(left)[:MOST_CHOICES], _choices(right)[:MOST_CHOICES])
            return [type(expression)(*pair) for pair in pairs]
        case FloorDivide(left, right) | Modulo(left, right):
            return [type(expression)(choice, right) for choice in _choices(left)]
        case _:
            return [expression]


def _by_blocks(difference: Expression) -> Expression:
    """With blocks for positions, where all that is asked of i and j is their blocks."""
    found = list(block_sizes(difference))
    size = min(found, default=0)
    if size < 2 or any(block % size for block in found):
        return difference
    return _divided(difference, size)


def _divided(expression: Expression, size: int) -> Expression:
    match expression:
        case FloorDivide(Variable("i" | "j") as position, Constant(block)):
            return floor_divide(position, Constant(block // size))
        case Constant() | Variable() | Scalar() | Reading():
            return expression
        case Absolute(operand):
            return Absolute(_divided(operand, size))
        case _:
            left, right = expression.left, expression.right
            return type(expression)(_divided(left, size), _divided(right, size))


def _divisors(expression: Expression) -> Iterator[int]:
    """What i and j are divided by, themselves or in sums."""
    if not variables_of(expression) & {"i", "j"}:
        return
    match expression:
        case FloorDivide(_, Constant(divisor)) | Modulo(_, Constant(divisor)):
            yield divisor
    for operand in children(expression):
        yield from _divisors(operand)


def _unlike(divisors: set[int]) -> int:
    """How many of the divisors divide no other."""
    return sum(
        all(other % divisor or other == divisor for other in divisors) for divisor in divisors
    )
