"""A question of reachability: a schedule, a length and what is known, as every engine gets it."""

from __future__ import annotations

from collections.abc import Sequence

from patternc.analysis.reach import isl_engine
from patternc.analysis.reach.edges import Layer
from patternc.frozen import frozen
from patternc.ir.sources import TOKENS
from patternc.relation.tables import HeadTables

# Words of 64 columns that one product of the bits may take: n = 23,000 takes 8 million.
MOST_WORDS = 1 << 23


@frozen
class ReachQuery:
    """The edges of the schedule's layers, how many layers, at which length."""

    steps: tuple[Layer, ...]
    n: int
    layers: int
    residual: bool
    tables: Sequence[Sequence[HeadTables]] | None

    @property
    def is_certain(self) -> bool:
        """Whether formulas decide everything, and streams depend on all tokens."""
        every = (edge for step in self.steps for edge in step)
        return not any(edge.literals or edge.rows != TOKENS for edge in every)

    @property
    def is_known(self) -> bool:
        """Whether nothing depends on run-time inputs that are not given."""
        given = self.tables is not None
        return given or all(edge.is_known for step in self.steps for edge in step)

    @property
    def fits_bits(self) -> bool:
        return self.is_known and self.n * -(-self.n // 64) <= MOST_WORDS

    def tables_of(self, layer: int) -> Sequence[HeadTables]:
        """The tables of the heads of a layer."""
        return [HeadTables(self.n)] if self.tables is None else self.tables[layer]

    @property
    def operations(self) -> int:
        """The budget of integer sets for one layer."""
        return isl_engine.HASTY if self.fits_bits else isl_engine.PATIENT
