"""Tilings: a branch and a tile shape to closed-form runs of key tiles.

Integer sets find the full and partial tiles for every n at once. Where they exceed their budget the
runs list every tile as partial, and the tiling says that it is not exact. Does not need a given n.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from patternc.algebra import simplify
from patternc.algebra.intervals import filter_of
from patternc.algebra.isl_context import BudgetError, KeyCount, budget
from patternc.algebra.isl_loops import condition_of, loops_of
from patternc.algebra.isl_sets import TileSet, pairs, tiles, touched_tiles, transposed, universe
from patternc.frozen import frozen
from patternc.ir.formula import Condition, Constant, Variable
from patternc.relation.relation import Branch, Conjunct
from patternc.tiling.tiling import Interval, TableTiles, Tiling

Runs = tuple[Interval, ...]
# Tiles that are sooner looked at than compared with the number of all.
FAR = 1 << 16


@frozen
class Classified:
    """Full and partial runs of a formula; not `exact`: every tile is listed as partial."""

    full: Runs
    partial: Runs
    exact: bool = True


def tiling(branch: Branch, query_tile: int, key_tile: int, rows_beyond_n: bool = False) -> Tiling:
    """The tiles of `branch`, for every n.

    With `rows_beyond_n` full tiles are full for the rows past n too: shorter loops for kernels,
    at the price of a few more partial tiles in the last row of tiles.
    """
    found = classify(branch.formula, query_tile, key_tile, branch.keys, rows_beyond_n)
    products = tuple(
        _product(conjunct, query_tile, key_tile, branch.keys) for conjunct in branch.conjuncts
    )
    return Tiling(query_tile, key_tile, found.full, found.partial, products, found.exact)


@lru_cache(maxsize=4096)
def classify(
    formula: Condition,
    query_tile: int,
    key_tile: int,
    keys: KeyCount = "n",
    rows_beyond_n: bool = False,
) -> Classified:
    """Runs over key tiles of a query tile."""
    return _classify(
        formula,
        lambda: tiles(formula, query_tile, key_tile, rows_beyond_n, keys),
        outer=(query_tile, "n"),
        inner=(key_tile, keys),
    )


@lru_cache(maxsize=4096)
def classify_by_key(
    formula: Condition,
    query_tile: int,
    key_tile: int,
    keys: KeyCount = "n",
    rows_beyond_n: bool = False,
) -> Classified:
    """Runs over query tiles of a key tile: the same tiles, read by columns."""

    def columns() -> tuple[TileSet, TileSet]:
        full, partial = tiles(formula, query_tile, key_tile, rows_beyond_n, keys)
        return transposed(full), transposed(partial)

    return _classify(formula, columns, outer=(key_tile, keys), inner=(query_tile, "n"))


def _classify(
    formula: Condition,
    sets: Callable[[], tuple[TileSet, TileSet]],
    outer: tuple[int, KeyCount],
    inner: tuple[int, KeyCount],
) -> Classified:
    """`outer` and `inner` are the sizes of a row's and of a value's tile, and what they count."""
    if formula == simplify.FALSE:
        return Classified((), ())
    try:
        with budget():
            full, partial = (_runs(loops_of(part, *outer), every_tile(*inner)) for part in sets())
            return Classified(full, partial)
    except BudgetError:
        return Classified((), (every_tile(*inner),), exact=False)


@lru_cache(maxsize=4096)
def candidate_tiles(
    formula: Condition, query_tile: int, key_tile: int, keys: KeyCount = "n"
) -> Condition:
    """Does tile (a, b), written i and j, hold a pair of the formula? True where unknown."""
    if formula in (simplify.TRUE, simplify.FALSE):
        return formula
    try:
        with budget():
            return condition_of(
                touched_tiles(pairs(formula) & universe(keys), query_tile, key_tile)
            )
    except BudgetError:
        return simplify.TRUE


def every_tile(tile: int, count: KeyCount = "n") -> Interval:
    """All tiles of `count` positions."""
    rounded = simplify.add(Variable(count), Constant(tile - 1))
    return Interval(simplify.TRUE, Constant(0), simplify.floor_divide(rounded, Constant(tile)))


def _product(conjunct: Conjunct, query_tile: int, key_tile: int, keys: KeyCount) -> TableTiles:
    found = classify(conjunct.formula, query_tile, key_tile, keys)
    return TableTiles(found.full + found.partial, conjunct.literals, conjunct.formula)


def _runs(loops: tuple[Interval, ...], every: Interval) -> Runs:
    """Loops with steps as loops with a filter: tiles are always visited in steps of one."""
    loops = tuple(loop if loop.step == 1 else _filtered(loop) for loop in loops)
    return tuple(_within(loop, every) for loop in loops)


def _within(loop: Interval, every: Interval) -> Interval:
    """Without the tiles behind all, where a filter alone leaves them out and they are many."""
    match loop.stop:
        case Constant(stop) if stop > FAR and filter_of(loop) != simplify.TRUE:
            return replace(loop, stop=simplify.minimum(loop.stop, every.stop))
        case _:
            return loop


def _filtered(loop: Interval) -> Interval:
    passed = simplify.subtract(Variable("j"), loop.start)
    on_step = simplify.compare(simplify.modulo(passed, Constant(loop.step)), "==", Constant(0))
    return Interval(simplify.conjunction([loop.guard, on_step]), loop.start, loop.stop)
