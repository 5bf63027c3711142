"""Sets of positions: what `columns`, `rows` and `global` hold, and pools of draws.

Parts of terms, and as terms are: every number known but n. Positions count tokens, or blocks inside
a `Blocks` or `Parts`.
"""

from __future__ import annotations

from patternc.frozen import frozen
from patternc.ir.formula import Expression


@frozen
class PositionRange:
    """Positions start <= p < stop inside 0..n-1; a negative end counts from n, None is open.

    A single position p is the range with `single` true and `start` = p, `stop` = None.
    """

    start: Expression | None
    stop: Expression | None
    single: bool = False


@frozen
class Listing:
    """The union of ranges; `columns([0:4, -1])`."""

    ranges: tuple[PositionRange, ...]


@frozen
class Period:
    """Every position p with start <= p mod length < stop."""

    length: int
    start: int
    stop: int


@frozen
class RunTimeSet:
    """A set given at call time: a boolean tensor [n] or [batch, n], or an index tensor."""

    name: str


Positions = Listing | Period | RunTimeSet
