"""Planes: the pairs of a formula as sets and as runs of every row, ready to be counted.

Maps a formula over i, j, n, m and the number of slots of its keys to integer sets in n alone, and
to intervals over the keys of a query. Where neither formula nor slots depend on n, the pairs at n
are those whose greater position is below n: the runs of one position then serve every n. Counting
is in `quasi_polynomial`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import assert_never

from patternc.algebra.eliminate_floors import straightened
from patternc.algebra.intervals import Interval
from patternc.algebra.isl_context import context
from patternc.algebra.isl_loops import loops_of
from patternc.algebra.isl_sets import TileSet, basic_parts, text_of, without_slots
from patternc.algebra.queries import variables_of
from patternc.frozen import frozen
from patternc.ir.formula import Condition, Variable
from patternc.ir.sources import Pool
from patternc.relation.coordinates import ZERO, IndexSpace, substitute

Runs = tuple[Interval, ...]
Sides = tuple[Runs, Runs]
Extent = int | Pool | None
"""How many slots there are at n: a number, the windows of a pool, or None for n of them."""


@frozen
class Plane:
    """The pairs 0 <= i < n, 0 <= j < slots of a formula without tables."""

    formula: Condition
    slots: Extent = None

    @property
    def grows(self) -> bool:
        """Whether a longer sequence only adds positions: no pair comes or goes within n."""
        named = variables_of(self.formula)
        of_n = "n" in named or (self.slots is None and "m" in named)
        return not of_n and not isinstance(self.slots, Pool)

    def at_lengths(self) -> TileSet:
        """{ [i, j] } with n the only parameter in use."""
        return _set(f"0 <= i < n and 0 <= j < m and {_slots(self.slots)}", self.formula)

    def in_rows(self) -> Runs:
        """Runs over the keys of row i, for every i and n."""
        return _runs(self.at_lengths())

    def new_at(self) -> Sides:
        """Runs over the pairs that position i brings: its row, and its column above the row."""
        return _new_at(self)

    def behind(self) -> TileSet:
        """{ [i, j] : j <= i }, or with the numbered slots of another source; for every n."""
        keys = "j <= i" if self.slots is None else f"j < m and m = {self.slots}"
        return _set(f"0 <= i and 0 <= j and {keys}", self.formula)


@lru_cache(maxsize=4096)
def _new_at(plane: Plane) -> Sides:
    if plane.slots is not None:
        return _runs(plane.behind()), ()
    below, above = (
        _set("0 <= j < i", formula) for formula in (plane.formula, _transposed(plane.formula))
    )
    # Of two texts for one set that of the formula has the plainer runs.
    return _runs(plane.behind()), _runs(below if below.is_equal(above) else above)


def _set(bounds: str, formula: Condition) -> TileSet:
    text = f"{bounds} and ({text_of(straightened(formula))})"
    return without_slots(TileSet(f"[n, m] -> {{ [i, j] : {text} }}", context()))


def _slots(slots: Extent) -> str:
    match slots:
        case None:
            return "m = n"
        case int():
            return f"m = {slots}"
        case Pool():
            return _windows(slots)
        case _:
            assert_never(slots)


def _windows(pool: Pool) -> str:
    """`relation.sources.windows` as a condition."""
    whole = f"(floor((n - {pool.size}) / {pool.stride}) + 1)"
    if pool.tail != "clip":
        return f"((n < {pool.size} and m = 0) or (n >= {pool.size} and m = {whole}))"
    short = f"(n < 1 and m = 0) or (1 <= n < {pool.size} and m = 1)"
    last = (
        f"n > {pool.stride} * {whole} and n > {pool.stride} * {whole} + {pool.size - pool.stride}"
    )
    long = f"(m = {whole} and not ({last})) or (m = {whole} + 1 and {last})"
    return f"({short} or (n >= {pool.size} and ({long})))"


def _transposed(formula: Condition) -> Condition:
    scope = IndexSpace(Variable("j"), Variable("i"), Variable("n"), Variable("n"), first=ZERO)
    return substitute(formula, scope)


def _runs(plane: TileSet) -> Runs:
    return tuple(run for part in basic_parts(plane) for run in loops_of(part))
