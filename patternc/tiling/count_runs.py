"""Counting the pairs of a formula by the runs of its rows, or by those of rows of blocks.

Maps a formula and the numbers of rows and keys to a count, in a time that hardly grows with them;
None where integer sets have no plain runs. Does not handle tables.
"""

from __future__ import annotations

from patternc.algebra.filtered_intervals import counted
from patternc.algebra.intervals import Sizes, filter_of
from patternc.algebra.isl_context import KeyCount
from patternc.algebra.simplify import FALSE, TRUE, conjunction
from patternc.algebra.walk import map_leaves
from patternc.algebra.whole_blocks import in_blocks
from patternc.ir.formula import Compare, Condition, Variable
from patternc.tiling.key_runs import key_runs

CUT = Compare("<=", Variable("j"), Variable("i"))
BEFORE = Compare("<", Variable("j"), Variable("i"))
WITHIN = Compare("==", Variable("j"), Variable("i"))


def pairs_by_runs(formula: Condition, keys: KeyCount, sizes: Sizes) -> int | None:
    runs = key_runs(formula, keys)
    if runs is None or any(filter_of(run) != TRUE for run in runs):
        return None
    return sum(counted(run, sizes.n, sizes) for run in runs)


def pairs_by_blocks(formula: Condition, rows: int, keys: int) -> int | None:
    """Of a formula that asks for blocks, and perhaps everywhere for keys up to the row."""
    size, of_blocks = in_blocks(formula)
    if size > 1:
        return _of_blocks(of_blocks, size, rows, keys)
    whole = map_leaves(formula, lambda leaf: TRUE if leaf == CUT else leaf)
    ahead = map_leaves(formula, lambda leaf: FALSE if leaf == CUT else leaf)
    size, of_blocks = in_blocks(whole)
    if size == 1 or ahead != FALSE or rows != keys:
        return None
    before = _of_blocks(conjunction([of_blocks, BEFORE]), size, rows, keys)
    within = _on_diagonal(conjunction([of_blocks, WITHIN]), size, rows)
    return None if before is None or within is None else before + within


def _of_blocks(formula: Condition, size: int, rows: int, keys: int) -> int | None:
    """All pairs of the blocks; the last row and column of blocks are there in part."""
    (height, more_rows), (width, more_keys) = divmod(rows, size), divmod(keys, size)
    of_rows = ((height, size - more_rows), (height + 1, more_rows))
    of_keys = ((width, size - more_keys), (width + 1, more_keys))
    total = 0
    for row, row_weight in of_rows:
        for key, key_weight in of_keys:
            found = pairs_by_runs(formula, "m", Sizes(row, key))
            if found is None:
                return None
            total += row_weight * key_weight * found
    return total


def _on_diagonal(formula: Condition, size: int, rows: int) -> int | None:
    """The pairs up to the row of blocks with themselves."""
    whole, rest = divmod(rows, size)
    held = [pairs_by_runs(formula, "m", Sizes(count, count)) for count in (whole, whole + 1)]
    if held[0] is None or held[1] is None:
        return None
    return held[0] * _triangle(size) + (held[1] - held[0]) * _triangle(rest)


def _triangle(size: int) -> int:
    return size * (size + 1) // 2
