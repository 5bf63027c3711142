"""The lengths that a question is about: all, a span, or those of a form such as n % 32 == 0.

Does not say why a length has no meaning.
"""

from __future__ import annotations

from functools import lru_cache
from math import lcm

import numpy as np

from patternc.algebra.evaluate import holds
from patternc.algebra.filtered_intervals import period_of
from patternc.algebra.isl_maps import first_length
from patternc.algebra.simplify import TRUE
from patternc.algebra.walk import sides_of
from patternc.frozen import frozen
from patternc.ir.formula import Condition

MOST = (1 << 31) - 1
# Beyond every number in a condition its residues alone decide.
_FAR = 1 << 40
MOST_RESIDUES = 1 << 16


@frozen
class Lengths:
    """The n of `span`, ends included (None: every n >= 1), at which `when` holds; it names n alone.

    `text` is how the condition is written.
    """

    span: tuple[int, int] | None = None
    when: Condition = TRUE
    text: str = ""

    def __contains__(self, n: int) -> bool:
        least, most = self.span or (1, MOST)
        return least <= n <= most and bool(np.all(holds(self.when, {"n": n})))

    def following(self, n: int) -> int | None:
        """The first of them from n on."""
        least, most = self.span or (1, MOST)
        return first_length(self.when, max(n, least), most)

    @property
    def note(self) -> str:
        """Behind `for every n`."""
        return f" with {self.text}" if self.text else ""


EVERY_LENGTH = Lengths()


@lru_cache(maxsize=256)
def residues(when: Condition) -> tuple[int, tuple[int, ...]] | None:
    """A period, and the residues of long lengths of the form; None where there are too many."""
    period = lcm(1, *map(period_of, sides_of(when)))
    if period > MOST_RESIDUES:
        return None
    far = _FAR - _FAR % period + np.arange(period)
    held = np.broadcast_to(holds(when, {"n": far}), period)
    return period, tuple(np.flatnonzero(held).tolist())
