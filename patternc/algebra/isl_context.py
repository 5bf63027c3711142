"""The context of isl in each thread, and the budget of operations that calls run under.

With `isl_sets`, `isl_maps` and `isl_loops` the only importer of islpy. Beyond its budget, or where
isl fails at a step of its own, a computation raises `BudgetError`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import islpy as isl

# 100,000 operations take about 0.1 s.
BUDGET = 2_000_000
KeyCount = Literal["n", "m"]
_LOCAL = threading.local()


class BudgetError(Exception):
    """The integer sets of this relation are too large to compute with."""


def context() -> isl.Context:
    """The context of this thread; isl objects of two contexts never meet."""
    if not hasattr(_LOCAL, "context"):
        _LOCAL.context = _fresh_context()
    return _LOCAL.context


def _fresh_context() -> isl.Context:
    created = isl.Context()
    created.set_on_error(isl.on_error.CONTINUE if hasattr(isl, "on_error") else 1)
    return created


@contextmanager
def separate_context() -> Iterator[None]:
    """Another context, with a budget of its own; nothing made inside may be used outside."""
    outside, _LOCAL.context = context(), _fresh_context()
    try:
        yield
    finally:
        _LOCAL.context = outside


@contextmanager
def budget(operations: int | None = None) -> Iterator[None]:
    """Bounds the isl operations inside, by default `BUDGET`; the outermost budget is in force."""
    present = context()
    if present.get_max_operations():
        yield
        return
    present.reset_operations()
    present.set_max_operations(operations or BUDGET)
    try:
        yield
    except BudgetError:
        raise
    except Exception as error:
        # Past the budget isl returns nothing at all from some calls, and islpy stumbles over it.
        if _is_used_up(present):
            used = f"more than {present.get_max_operations()} integer set operations"
            raise BudgetError(used) from error
        if _is_internal(error):
            raise BudgetError("integer sets fail at this relation") from error
        raise
    finally:
        present.set_max_operations(0)
        present.reset_operations()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Nothing inside is stopped by the budget; what it takes counts, and may be too much behind it.

    For isl's AST generator: stopped halfway it leaves the memory of the process damaged (2026.2).
    """
    present = context()
    most = present.get_max_operations()
    present.set_max_operations(0)
    try:
        yield
    finally:
        present.set_max_operations(most)
    if most and _is_used_up(present):
        raise BudgetError(f"more than {most} integer set operations")


def lower_budget(operations: int) -> None:
    """Lowers the budget in force to `operations`, where it is greater."""
    present = context()
    if present.get_max_operations() > operations:
        present.set_max_operations(operations)


def _is_internal(error: Exception) -> bool:
    """Whether isl failed at a step of its own, and not at what it was given."""
    return isinstance(error, isl.Error) and "/isl_ast" in str(error)


def _is_used_up(present: isl.Context) -> bool:
    """Whether no operation is left: isl tells an overrun apart from mistakes in some calls only."""
    try:
        isl.Set.universe(isl.Space.set_alloc(present, 0, 1)).complement()
    except isl.Error:
        return True
    return False
