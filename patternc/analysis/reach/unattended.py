"""How many rows have no key, and how many keys no row attends to, at one length.

Maps the relations of one layer to counts. Formulas are answered by integer sets at any length;
pairs of tables are listed, up to some million positions. Keys are tokens; the keys of a row may
appear on any source. The first such position is reported by the warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from patternc.algebra import isl_maps as maps
from patternc.algebra.evaluate import Integers
from patternc.algebra.intervals import Sizes, values_of_row
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.work_budget import EffortError
from patternc.analysis.reach.isl_engine import runs_of
from patternc.analysis.reach.row_sizes import row_sizes
from patternc.analysis.table_pairs import UnknownError, held
from patternc.frozen import frozen
from patternc.ir.sources import TOKENS
from patternc.relation.relation import Branch, Relation
from patternc.relation.tables import HeadTables
from patternc.semantics.errors import InputError

# About 0.3 s.
OPERATIONS = 300_000
MOST_POSITIONS = 1 << 21

Side = Literal["rows", "keys"]
Placed = tuple[Branch, HeadTables]


@frozen
class Unattended:
    """`empty_rows[head]` have no key; `unseen_keys` no head attends to. None: not known."""

    empty_rows: tuple[int | None, ...]
    unseen_keys: int | None


def unattended(heads: Sequence[Relation], tables: Sequence[HeadTables]) -> Unattended:
    """The counts of one layer; `tables[head]` are those of every head."""
    placed = [
        [(branch, tables[head % len(tables)]) for branch in relation.branches]
        for head, relation in enumerate(heads)
    ]
    n = tables[0].n
    every = [(branch, own) for each in placed for branch, own in each if branch.source == TOKENS]
    return Unattended(
        tuple(_left_out(each, "rows", n) for each in placed), _left_out(every, "keys", n)
    )


def _left_out(branches: Sequence[Placed], side: Side, n: int) -> int | None:
    """Positions of one side without a pair of any branch."""
    try:
        with budget(OPERATIONS):
            bare = _bare(branches, side, n)
            if bare.is_empty() or not any(branch.conjuncts for branch, _ in branches):
                return row_sizes(runs_of(bare), n).total
            return _beside_tables(bare, branches, side, n)
    except (BudgetError, EffortError, InputError, UnknownError):
        return None


def _bare(branches: Sequence[Placed], side: Side, n: int) -> maps.Map:
    """{ [p] -> [p] } of the positions that no formula covers, the shortest formulas first."""
    bare = maps.identity(n)
    known = {(branch.source, branch.formula): (branch, own) for branch, own in branches}
    for branch, own in sorted(known.values(), key=lambda each: len(repr(each[0].formula))):
        bare = bare.subtract(_positions(branch, own, side))
        if bare.is_empty():
            break
    return bare


def _positions(branch: Branch, tables: HeadTables, side: Side) -> maps.Map:
    """{ [p] -> [p] } of the positions that the formula of a branch covers."""
    own = tables.of(branch.source)
    pairs = maps.held(branch.formula, own.n, own.m, branch.keys)
    return maps.diagonal_of(pairs.domain() if side == "rows" else pairs.range())


def _beside_tables(bare: maps.Map, branches: Sequence[Placed], side: Side, n: int) -> int:
    if n > MOST_POSITIONS:
        raise UnknownError
    left = np.zeros(n, np.bool_)
    for run in runs_of(maps.rows_of(bare)):
        left[values_of_row(run, 0, Sizes(n, n))] = True
    for covered in _listed(branches, side):
        left[covered] = False
    return int(left.sum())


def _listed(branches: Sequence[Placed], side: Side) -> Iterator[Integers]:
    for branch, tables in branches:
        for conjunct in branch.conjuncts:
            for row, key in held(conjunct, tables.of(branch.source)):
                yield row if side == "rows" else key
