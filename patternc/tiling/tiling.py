"""Layouts: which key tiles a query tile visits, in closed form.

Made from a relation and a tile shape. Query tile a holds positions a*query_tile .. (a+1)*query_tile
- 1, key tile b likewise. A listed tile is *full* when every pair of it is in the set, for all its
rows below n and all its keys (a key tile cut by n is never full), and *partial* otherwise. Does not
handle devices or kernels.
"""

from __future__ import annotations

from patternc.algebra.intervals import Interval
from patternc.algebra.simplify import TRUE
from patternc.frozen import frozen
from patternc.ir.formula import Condition
from patternc.relation.cases import Literal


@frozen
class TableTiles:
    """Pairs of `formula` that also satisfy every literal; `runs` are the formula's tiles."""

    runs: tuple[Interval, ...]
    literals: tuple[Literal, ...]
    formula: Condition = TRUE


@frozen
class Tiling:
    """The tiles of one set: closed-form runs, and products whose tiles depend on tables.

    Rows of the runs are query tiles, values key tiles, steps are 1. The runs are disjoint. A tile
    of a product that no run lists is partial. Where `exact` is false some tiles of the partial
    runs may be full or hold no pair.
    """

    query_tile: int
    key_tile: int
    full: tuple[Interval, ...]
    partial: tuple[Interval, ...]
    products: tuple[TableTiles, ...]
    exact: bool = True


__all__ = ["Interval", "Literal", "TableTiles", "Tiling"]
