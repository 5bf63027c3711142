"""Diagonals: the pairs of formulas that ask for the distance of two positions alone.

Maps such a formula to runs of distances i - j, and these to F(n), the sum of n - |i - j| over the
distances below n. Between two of them F is one polynomial, which is the form that is shown; of the
powers of two it is one text for every n. Does not handle runs without an end, which have tallies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, product

from patternc.algebra.affine import Linear, linear, total
from patternc.analysis.cost.pair_sets import Plane
from patternc.frozen import frozen
from patternc.ir.formula import All, Any, Compare, Condition, Not, Variable

# Distances least .. greatest; those of more digits are no distances.
Run = tuple[int, int]
_FAR = 1 << 62
_I, _J = Variable("i"), Variable("j")


@frozen
class Diagonals:
    """Distances |i - j| as runs least .. greatest, each with the number of sides it is on."""

    runs: tuple[tuple[int, int, int], ...]
    period: int = 1

    @property
    def start(self) -> int:
        """From this n on a longer sequence meets no further distance."""
        return max((high for _, high, _ in self.runs), default=0) + 1

    def at(self, n: int) -> int:
        return sum(times * _pairs(low, min(high, n - 1), n) for low, high, times in self.runs)

    def lengths(self, n: int) -> tuple[int, int]:
        """The least and greatest length round n at which F is one polynomial."""
        ends = [end for low, high, _ in self.runs for end in (low, high)]
        below, above = [end for end in ends if end <= n], [end for end in ends if end > n]
        return max(below, default=0), min(above, default=_FAR)

    @property
    def base(self) -> int | None:
        """The number whose powers, and perhaps 0, are the distances."""
        if any(times > 1 or high - low > 2 for low, high, times in self.runs):
            return None
        singles = sorted(at for low, high, _ in self.runs for at in range(low, high + 1) if at)
        if len(singles) < 3 or singles[0] != 1:
            return None
        base = singles[1]
        return base if singles == [base**k for k in range(len(singles))] else None

    @property
    def text(self) -> str | None:
        """F for every n >= 1, of the powers of two with or without 0; None of anything else."""
        if self.base != 2:
            return None
        own = "n + " if self.runs[0][0] == 0 else ""
        return f"{own}n*ceil_log2(n) - 2**ceil_log2(n) + 1"


def _pairs(low: int, high: int, n: int) -> int:
    """The sum of n - d over low .. high."""
    return (high - low + 1) * (2 * n - low - high) // 2 if high >= low else 0


def diagonals(planes: Sequence[Plane]) -> Diagonals | None:
    """The pairs of any of the planes, over n keys; None where more than distances decides."""
    if any(plane.slots is not None for plane in planes):
        return None
    runs: list[Run] = []
    for plane in planes:
        found = _distances(plane.formula)
        if found is None:
            return None
        runs += found
    merged = _merged(runs)
    if any(low <= -_FAR or high >= _FAR for low, high in merged):
        return None
    return Diagonals(tuple(part for run in merged for part in _sides(run)))


def _sides(run: Run) -> Iterator[tuple[int, int, int]]:
    """A run of i - j as runs of |i - j|."""
    low, high = run
    if low < 0 < high:
        yield 0, 0, 1
        yield 1, -low, 1
        yield 1, high, 1
    else:
        yield min(abs(low), abs(high)), max(abs(low), abs(high)), 1


def _distances(formula: Condition) -> list[Run] | None:
    match formula:
        case All(items):
            held: list[Run] = [(-_FAR, _FAR)]
            for item in items:
                found = _distances(item)
                if found is None:
                    return None
                met = ((max(a, c), min(b, d)) for (a, b), (c, d) in product(held, found))
                held = [run for run in met if run[0] <= run[1]]
            return held
        case Any(items):
            parts = [_distances(item) for item in items]
            known = [part for part in parts if part is not None]
            return [run for part in known for run in part] if len(known) == len(parts) else None
        case Not(operand):
            taken = _distances(operand)
            return None if taken is None else _others(taken)
        case Compare(operator, left, right):
            return _compared(operator, total([linear(left), linear(right).times(-1)]))
        case _:
            return None


def _compared(operator: str, value: Linear) -> list[Run] | None:
    """`times * (i - j) + number OPERATOR 0` as runs of i - j."""
    factors = dict(value.terms)
    times = factors.pop(_I, 0)
    if times not in (1, -1) or factors != {_J: -times}:
        return None
    at = -times * value.number
    match operator:
        case "==":
            return [(at, at)]
        case "!=":
            return _others([(at, at)])
        case "<=" | "<" | ">=" | ">":
            strict, below = operator in "<>", (operator[0] == "<") == (times == 1)
            at += (-1 if below else 1) if strict else 0
            return [(-_FAR, at) if below else (at, _FAR)]
        case _:
            return None


def _others(runs: list[Run]) -> list[Run]:
    """The distances that no run holds."""
    edges = [(-_FAR - 1, -_FAR - 1), *_merged(runs), (_FAR + 1, _FAR + 1)]
    gaps = ((a[1] + 1, b[0] - 1) for a, b in pairwise(edges))
    return [gap for gap in gaps if gap[0] <= gap[1]]


def _merged(runs: Iterable[Run]) -> list[Run]:
    found: list[Run] = []
    for low, high in sorted(runs):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return found
