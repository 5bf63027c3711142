"""Questions about formulas that more than one package asks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from patternc.algebra.value_bounds import Reach, extent
from patternc.ir.formula import Compare, Condition, Expression, Variable
from patternc.ir.parts import children


@lru_cache(maxsize=65536)
def variables_of(formula: Condition | Expression) -> frozenset[str]:
    """The names of the variables in a formula; tables of atoms have none."""
    if isinstance(formula, Variable):
        return frozenset({formula.name})
    return frozenset().union(*(variables_of(child) for child in _children(formula)))


def comparisons(formula: Condition | Expression) -> int:
    """How many comparisons a formula is made of."""
    within = sum(comparisons(child) for child in _children(formula))
    return within + isinstance(formula, Compare)


# What a 64-bit integer holds.
LARGEST = (1 << 63) - 1


def fits(form: object, largest: int, reach: Reach = Reach()) -> bool:  # noqa: B008
    """Do all expressions in a formula or run, and all parts of them, stay within +-`largest`?"""
    if isinstance(form, Expression):
        least, most = extent(form, reach)
        if max(-least, most) > largest:
            return False
    return all(fits(part, largest, reach) for part in _children(form))


def _children(formula: object) -> Iterator[Condition | Expression]:
    for value in children(formula):
        parts = value if isinstance(value, tuple) else (value,)
        yield from (part for part in parts if isinstance(part, Condition | Expression))
