"""Closed forms of sums: several tallies as one text, with the lengths at which it holds.

Maps tallies, each a number of times, to a `Form`. Polynomials add up to one; what has a period of
its own stays a summand. Where a summand follows no readable form, the text is the polynomial of the
residue of one n, and says so. Counting is in `quasi_polynomial`.
"""

from __future__ import annotations

from functools import lru_cache
from math import lcm
from typing import Literal

from patternc.algebra.lengths import EVERY_LENGTH, Lengths, residues
from patternc.analysis.cost.diagonals import Diagonals
from patternc.analysis.cost.format_closed_form import UnclearError, at_residue, described
from patternc.analysis.cost.quasi_polynomial import Sparse, Tally, UncountedError, shortest, summed
from patternc.frozen import frozen

Order = Literal["O(1)", "O(n)", "O(n log n)", "O(n**2)"]
MOST_FORMS = 1 << 12
Parts = tuple[tuple[int, Tally | Sparse | Diagonals], ...]


@frozen
class Form:
    """`expression` in n, equal to the count at every n >= start with n % period == residue."""

    expression: str
    start: int = 0
    period: int = 1
    residue: int = 0
    when: str = ""

    def __str__(self) -> str:
        also = f", n % {self.period} == {self.residue}" if self.period > 1 else ""
        also = f", {self.when}" if self.when else also
        return f"{self.expression} for n >= {self.start}{also}"


@frozen
class Count:
    """A sum of tallies; exact at every n >= start that `multiple` divides."""

    parts: Parts
    start: int = 0
    multiple: int = 1

    def holds_at(self, n: int) -> bool:
        return n >= self.start and n % self.multiple == 0

    def at(self, n: int) -> int:
        return sum(times * tally.at(n) for times, tally in self.parts)

    def __add__(self, other: Count) -> Count:
        start, multiple = max(self.start, other.start), lcm(self.multiple, other.multiple)
        return Count(self.parts + other.parts, start, multiple)

    def times(self, number: int) -> Count:
        parts = tuple((number * times, tally) for times, tally in self.parts)
        return Count(parts, self.start, self.multiple)

    @property
    def order(self) -> Order:
        """How fast it grows with n: by the polynomial of any residue, of degree two at most."""
        start = max((tally.start for _, tally in self.parts), default=0)
        period = lcm(*(tally.period for _, tally in self.parts))
        if any(isinstance(tally, Diagonals) and tally.base for _, tally in self.parts):
            rest = Count(tuple(part for part in self.parts if not isinstance(part[1], Diagonals)))
            return "O(n**2)" if rest.order == "O(n**2)" else "O(n log n)"
        zero, one, two = (self.at(start + k * period) for k in range(3))
        return "O(n**2)" if two - 2 * one + zero else ("O(n)" if one - zero else "O(1)")

    def form(self, n: int, lengths: Lengths = EVERY_LENGTH) -> Form:
        """The form that serves n and all of `lengths`, else as many other lengths as can be."""
        shorter = _of_lengths(self, lengths) if lengths.text else None
        return shorter or _near(self, n) or _form(self.parts, self.start, self.multiple, n)


def _of_lengths(count: Count, lengths: Lengths) -> Form | None:
    """The one polynomial of all long lengths of a form, if there is one."""
    start = max([count.start, *(tally.start for _, tally in count.parts)])
    period = lcm(count.multiple, *(tally.period for _, tally in count.parts))
    found = residues(lengths.when)
    if found is None or not found[1]:
        return None
    own, rests = found
    every = lcm(period, own)
    if every // own * len(rests) > MOST_FORMS:
        return None
    # Where the condition is settled its residues alone decide.
    firsts = [
        start + (rest + turn * own - start) % every
        for rest in rests
        for turn in range(every // own)
    ]
    if any(first % count.multiple for first in firsts):
        return None
    texts = {at_residue(count.at, first, every) for first in firsts}
    return Form(texts.pop(), start, when=lengths.text) if len(texts) == 1 else None


def _near(count: Count, n: int) -> Form | None:
    """The form of diagonals: one text where there is one, else that of the lengths around n."""
    found = [tally for _, tally in count.parts if isinstance(tally, Diagonals)]
    if len(count.parts) == len(found) == 1 and count.parts[0][0] == 1 and found[0].text:
        return Form(found[0].text, max(1, count.start), count.multiple, 0)
    others = [tally for _, tally in count.parts if not isinstance(tally, Diagonals)]
    settled = all(n >= tally.start for tally in others)
    if not found or not settled or n >= max(tally.start for tally in found):
        return None
    low = max([count.start, *(tally.lengths(n)[0] for tally in found), *(x.start for x in others)])
    high = min(tally.lengths(n)[1] for tally in found)
    period = lcm(count.multiple, *(tally.period for tally in others))
    first = low + (n - low) % period
    if first + 2 * period > high:
        return Form(str(count.at(n)), n, when=f"n <= {n}")
    rest = f", n % {period} == {n % period}" if period > 1 else ""
    return Form(at_residue(count.at, first, period), low, when=f"n <= {high}{rest}")


@lru_cache(maxsize=1024)
def _form(parts: Parts, start: int, multiple: int, n: int) -> Form:
    everywhere = _everywhere(parts)
    if everywhere is not None:
        expression, first = everywhere
        return Form(expression, max(start, first), multiple, 0)
    start = max([start, *(tally.start for _, tally in parts)])
    period = lcm(multiple, *(tally.period for _, tally in parts))
    first = start + (n - start) % period
    return Form(at_residue(Count(parts).at, first, period), start, period, n % period)


@lru_cache(maxsize=1024)
def _everywhere(parts: Parts) -> tuple[str, int] | None:
    """The sum as text, and the n from which on it holds; None where no text is readable."""
    by_period: dict[int, list[tuple[int, Tally]]] = {}
    for times, tally in parts:
        if not isinstance(tally, Tally):
            return None
        by_period.setdefault(tally.period, []).append((times, tally))
    try:
        sums = [_summed(equal) for _, equal in sorted(by_period.items(), reverse=True)]
        texts = [described(tally) for tally in sums]
    except (UncountedError, UnclearError):
        return None
    text = " + ".join(text for text in texts if text != "0") or "0"
    return text, max((tally.start for tally in sums), default=0)


def _summed(parts: list[tuple[int, Tally]]) -> Tally:
    match parts:
        case [(1, alone)]:
            return alone
        case _:
            return shortest(summed(parts))
