"""Conditions that ask of i and j only in which block of a size they are, said of blocks.

Maps a condition to that size and to the condition over block numbers, written i and j. Does not
handle tables, nor conditions on n.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import gcd

from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import compare, floor_divide
from patternc.algebra.walk import Leaf, children, leaves, map_children, map_leaves, sides_of
from patternc.ir.formula import (
    Compare,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Truth,
    Variable,
)


@lru_cache(maxsize=1024)
def in_blocks(condition: Condition) -> tuple[int, Condition]:
    """The size of the blocks, 1 where there are none, and the condition on block numbers."""
    plain = all(isinstance(leaf, Compare | Truth) for leaf in leaves(condition))
    if not plain or variables_of(condition) & {"n", "m"}:
        return 1, condition
    size = gcd(*(size for side in sides_of(condition) for size in block_sizes(side)))
    return (
        (size, map_leaves(condition, lambda leaf: _leaf(leaf, size)))
        if size > 1
        else (1, condition)
    )


def block_sizes(expression: Expression) -> Iterator[int]:
    """What i and j themselves are divided by."""
    match expression:
        case FloorDivide(Variable("i" | "j"), Constant(size)):
            yield size
        case Variable("i" | "j"):
            yield 1
        case _:
            for operand in children(expression):
                yield from block_sizes(operand)


def _leaf(leaf: Leaf, size: int) -> Condition:
    match leaf:
        case Compare(operator, left, right):
            return compare(_divided(left, size), operator, _divided(right, size))
        case _:
            return leaf


def _divided(expression: Expression, size: int) -> Expression:
    match expression:
        case FloorDivide(Variable("i" | "j") as position, Constant(block)):
            return floor_divide(position, Constant(block // size))
        case _:
            return map_children(expression, lambda operand: _divided(operand, size))
