"""The receptive field as a formula in the number of layers.

Maps one layer, repeated, to a condition on i, j, n and k that holds where k layers connect i with
j, by isl's powers of a relation. Source: Verdoolaege, Cohen and Beletska 2011. Does not handle
tables, key sources or schedules whose layers differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from patternc.algebra import isl_maps as maps
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.printer import FormulaPrinter
from patternc.analysis.reach.edges import edges_of
from patternc.ir.formula import Condition
from patternc.ir.sources import TOKENS
from patternc.printed import Printed
from patternc.relation.relation import Relation

# About 1 s: steps late in a power cost many times those before; of the examples without a formula
# within this bound none has one within twice of it.
OPERATIONS = 100_000
MOST_LAYERS = 6
# Of several parts with more floor divisions single operations of a power take minutes, which no
# budget of operations stops; no example has a formula there.
MOST_DIVISIONS = 4
_TEXT = FormulaPrinter({"m": "k"})


@dataclass(frozen=True, slots=True, repr=False)
class ClosedFormReach(Printed):
    """The pairs (i, j) that k layers connect at n positions, for k >= `since`.

    `condition` is over i, j and n, and m stands for k. Where not `exact` it may hold for further
    pairs.
    """

    printer: ClassVar[str] = "report.printing:growth"

    condition: Condition
    exact: bool
    since: int = 1

    @property
    def formula(self) -> str:
        """The condition as text, over i, j, k and n."""
        return _TEXT.condition(self.condition)


def growth(
    heads: Sequence[Relation], residual: bool = True, operations: int = OPERATIONS
) -> ClosedFormReach | None:
    """The field after k layers of these heads; None where no formula was found.

    Raises `ValueError` where tables or key sources decide.
    """
    edges = edges_of(heads)
    if any(edge.literals or edge.source != TOKENS for edge in edges):
        raise ValueError("a formula in the layers is known for relations on the tokens alone")
    try:
        with budget(operations):
            pairs = maps.united(maps.symbolic(edge.formula) for edge in edges)
            if residual:
                pairs = pairs.union(maps.symbolic(maps.DIAGONAL))
            pairs = pairs.coalesce()
            parts, divisions = maps.divisions(pairs)
            if parts > 1 and divisions > MOST_DIVISIONS:
                return None
            powers, exact = maps.power(pairs)
            settled = None if exact else _settled(pairs)
            return settled or ClosedFormReach(maps.condition_of_powers(powers), exact)
    except BudgetError:
        return None


def _settled(pairs: maps.Map) -> ClosedFormReach | None:
    """The fields where a few layers connect all that any number does."""
    fields = pairs
    for layers in range(1, MOST_LAYERS):
        later = fields.apply_range(pairs).coalesce()
        if later.is_equal(fields):
            return ClosedFormReach(maps.condition_of_pairs(fields), True, layers)
        fields = later
    return None
