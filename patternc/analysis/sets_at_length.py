"""Questions about formulas at one length, answered by integer sets.

Maps conditions on i, j, n and m to sets with the sizes inserted, each query under a small budget;
`None` means that the budget was exceeded. Does not handle tables, or every n at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, TypeVar

import numpy as np

from patternc.algebra.evaluate import Integers
from patternc.algebra.intervals import Interval, Sizes, values_of_row
from patternc.algebra.isl_context import BudgetError, budget, context
from patternc.algebra.isl_loops import loops_of
from patternc.algebra.isl_sets import TileSet, basic_parts, text_of
from patternc.ir.formula import Condition

# About 0.2 s.
OPERATIONS = 200_000

Side = Literal["i", "j"]
"""Query positions below n, or slots of the key source; these may be seen by rows from n on."""
Formulas = tuple[tuple[Condition, int], ...]
"""Conditions, each with the number m of slots it ranges over."""
_Answer = TypeVar("_Answer")


@lru_cache(maxsize=4096)
def first_left_out(formulas: Formulas, n: int, side: Side, count: int) -> int | None:
    """The first of `count` positions without a pair of any formula; -1 where all have one."""

    def answer() -> int:
        left = _left_out(formulas, n, side, count)
        return -1 if left.is_empty() else int(left.dim_min_val(1).to_python())

    return _within_budget(answer)


@lru_cache(maxsize=256)
def left_out(formulas: Formulas, n: int, side: Side, count: int) -> Integers | None:
    """Every one of `count` positions without a pair of any formula, in no order."""

    def answer() -> tuple[Interval, ...]:
        # Loops are read off sets of two parameters.
        left = TileSet("[n, m] -> { [a, p] }", context()) & _left_out(formulas, n, side, count)
        parts = basic_parts(left)
        return tuple(run for part in parts for run in loops_of(part))

    runs = _within_budget(answer)
    if runs is None:
        return None
    found = [values_of_row(run, 0, Sizes(n, count)) for run in runs]
    return np.concatenate([np.zeros(0, np.int64), *found])


def _left_out(formulas: Formulas, n: int, side: Side, count: int) -> TileSet:
    """The positions as { [0, p] }."""
    left = _set(f"[a, p] : a = 0 and 0 <= p < {count}")
    # A sequence goes on: what rows after the end see is not left out.
    seen = "i : 0 <= i" if side == "j" else "j : 0 <= j < m"
    for formula, m in formulas:
        inside = f"m = {m} and 0 <= {side} < {count} and exists ({seen} and {_at(formula, n)})"
        left -= _set(f"[a, {side}] : a = 0 and {inside}")
        if left.is_empty():
            break
    return left


@lru_cache(maxsize=4096)
def first_ahead(formula: Condition, n: int, block: int = 1) -> tuple[int, int] | None:
    """The first pair (i, j) of tokens with j in a later block than i; (-1, -1) without one."""

    def answer() -> tuple[int, int]:
        later = "j > i" if block == 1 else f"floor(j / {block}) > floor(i / {block})"
        ahead = _set(f"[i, j] : {later} and {_inside(formula, n, n)}").lexmin()
        if ahead.is_empty():
            return -1, -1
        row, key = (int(ahead.dim_min_val(side).to_python()) for side in (0, 1))
        return row, key

    return _within_budget(answer)


@lru_cache(maxsize=4096)
def first_within(
    formula: Condition, n: int, m: int, rows: tuple[int, int], keys: tuple[int, int]
) -> tuple[int, int] | None:
    """The first pair (i, j) in rows and keys start <= p < stop; (-1, -1) without one."""

    def answer() -> tuple[int, int]:
        box = f"{rows[0]} <= i < {rows[1]} and {keys[0]} <= j < {keys[1]}"
        held = _set(f"[i, j] : {box} and {_inside(formula, n, m)}").lexmin()
        if held.is_empty():
            return -1, -1
        return held.dim_min_val(0).to_python(), held.dim_min_val(1).to_python()

    return _within_budget(answer)


@lru_cache(maxsize=4096)
def looks_back(formula: Condition, n: int) -> bool | None:
    """Whether the formula holds j <= i on the infinite plane.

    Without the ends of the sequence, so that `columns([0])` is not causal by standing at the start.
    """
    return _within_budget(lambda: _set(f"[i, j] : j > i and {_at(formula, n)}").is_empty())


@lru_cache(maxsize=4096)
def leaves_the_diagonal(formula: Condition, n: int) -> bool | None:
    """Whether some pair of tokens has j < i."""
    behind = f"[i, j] : j < i and {_inside(formula, n, n)}"
    return _within_budget(lambda: not _set(behind).is_empty())


@lru_cache(maxsize=4096)
def first_shared(left: Condition, right: Condition, n: int, m: int) -> tuple[int, int] | None:
    """The first pair (i, j) that both formulas hold; (-1, -1) without one."""

    def answer() -> tuple[int, int]:
        one, other = (_set(f"[i, j] : {_inside(formula, n, m)}") for formula in (left, right))
        both = (one & other).lexmin()
        if both.is_empty():
            return -1, -1
        return both.dim_min_val(0).to_python(), both.dim_min_val(1).to_python()

    return _within_budget(answer)


@lru_cache(maxsize=4096)
def are_equal(left: Condition, right: Condition, n: int, m: int) -> bool | None:
    """Whether two formulas hold the same pairs."""

    def answer() -> bool:
        one, other = (_set(f"[i, j] : {_inside(formula, n, m)}") for formula in (left, right))
        return bool(one.is_equal(other))

    return left == right or _within_budget(answer)


def _within_budget(answer: Callable[[], _Answer]) -> _Answer | None:
    try:
        with budget(OPERATIONS):
            return answer()
    except BudgetError:
        return None


def _inside(formula: Condition, n: int, m: int) -> str:
    return f"m = {m} and 0 <= i < n and 0 <= j < m and {_at(formula, n)}"


def _at(formula: Condition, n: int) -> str:
    return f"n = {n} and ({text_of(formula)})"


def _set(body: str) -> TileSet:
    """A set over n and m, which are numbers in `body`, without them."""
    return TileSet(f"[n, m] -> {{ {body} }}", context()).project_out_all_params()
