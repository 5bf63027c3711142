"""Cells: positions that formulas and tables of blocks cannot tell apart.

A formula is cellular where i and j appear in quotients and remainders only: then it holds for a
pair if it holds for any other pair of the same two cells. `j <= i` beside it is a cut. Maps edges
to cells at one length. Does not compose layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from patternc.algebra import cells
from patternc.algebra.cells import UncellularError
from patternc.algebra.evaluate import Booleans, Integers, Values, evaluate
from patternc.algebra.simplify import conjunction
from patternc.analysis.reach.edges import Edge, Layer
from patternc.frozen import frozen
from patternc.ir.formula import (
    All,
    Compare,
    Condition,
    Expression,
    Variable,
)
from patternc.ir.sources import TOKENS
from patternc.relation.coordinates import IndexSpace, in_index_space
from patternc.relation.tables import Tables

KEY, ROW, LENGTH = Variable("j"), Variable("i"), Variable("n")
CUT = Compare("<=", KEY, ROW)
_ON_ROWS = IndexSpace(ROW, ROW, LENGTH, LENGTH)


class ManyCellsError(Exception):
    """The positions do not fall into few cells."""


@frozen
class Cells:
    """`of[i]` is the cell of position i, numbered by their first positions; cells are not empty."""

    of: Integers
    first: Integers
    last: Integers
    size: Integers


@lru_cache(maxsize=4096)
def without_cut(formula: Condition) -> tuple[Condition, bool]:
    """The formula without `j <= i`, and whether that stood in it."""
    items = formula.items if isinstance(formula, All) else (formula,)
    rest = conjunction(item for item in items if item != CUT)
    return rest, CUT in items


def cells_of(layers: Iterable[Layer], n: int, most: int) -> Cells:
    """The cells of all edges together, cuts left out. Raises `ManyCellsError`."""
    found: dict[Expression, None] = {}
    for edge in {edge for layer in layers for edge in layer}:
        if edge.source != TOKENS:
            raise ManyCellsError
        found.update(dict.fromkeys(coordinates(edge)))
    return _numbered(sorted(found, key=repr), n, most)


def coordinates(edge: Edge) -> Iterator[Expression]:
    """What tells the positions of an edge apart, cuts left out: expressions in i."""
    told = (without_cut(edge.formula)[0], *(literal.atom for literal in edge.literals))
    try:
        for condition in told:
            for _, expression in cells.coordinates(condition):
                yield in_index_space(expression, _ON_ROWS)
    except UncellularError as error:
        raise ManyCellsError from error


def held(edge: Edge, tables: Tables, among: Cells) -> Booleans:
    """Which cells see which by an edge, a cut left out: booleans [cells, cells]."""
    values: Values = {"i": among.first[:, None], "j": among.first[None, :]}
    rest, _ = without_cut(edge.formula)
    found = np.asarray(tables.holds(rest, values))
    for literal in edge.literals:
        found = found & (np.asarray(tables.holds(literal.atom, values)) == literal.positive)
    return np.broadcast_to(found, (len(among.first),) * 2)


def _numbered(coordinates: Sequence[Expression], n: int, most: int) -> Cells:
    rows, cell = np.arange(n), np.zeros(n, np.int64)
    for coordinate in coordinates:
        value = np.broadcast_to(evaluate(coordinate, {"i": rows, "n": n}), n)
        both = cell * (int(value.max()) - int(value.min()) + 1) + value - value.min()
        names, cell = np.unique(both, return_inverse=True)
        if len(names) > most:
            raise ManyCellsError
    _, first, cell, size = np.unique(
        cell, return_index=True, return_inverse=True, return_counts=True
    )
    last = np.zeros(len(first), np.int64)
    np.maximum.at(last, cell, rows)
    return Cells(cell, first, last, size)
