"""Closed forms as text: a tally as one expression in n, with `//` and `%`.

Maps a tally to text that Python and sympy read alike. With q = n // p and r = n % p the form is a
polynomial in q whose coefficients depend on r; these are polynomials of r, a few pieces of them, or
have a period again. A text is given only where it is equal to the tally at every n from its start
on: every residue is looked at. The text is not always the shortest possible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import lcm

import numpy as np

from patternc.algebra.evaluate import Integers
from patternc.analysis.cost.quasi_polynomial import Tally, divisors
from patternc.frozen import frozen

MOST_PIECES = 4
MOST_INNER = 128
Coefficients = tuple[Fraction, Fraction, Fraction]
"""Of a polynomial of degree two: of 1, x and x squared."""


class UnclearError(Exception):
    """The values follow no form that a person could read."""


@frozen
class Product:
    """coefficient * the factors, each of them text that binds as tightly as a name."""

    coefficient: Fraction
    factors: tuple[str, ...] = ()


Sum = list[Product]


def described(tally: Tally) -> str:
    """The tally from its start on. Raises `UnclearError` where no readable text is found."""
    text = _described(tally)
    if text is None:
        raise UnclearError
    return text


@lru_cache(maxsize=1024)
def _described(tally: Tally) -> str | None:
    if tally.period == 1:
        return at_residue(tally.at, tally.start, 1)
    table = tally.extended(tally.start + 6 * tally.period)
    values = _Values(table, tally.start, "n")
    try:
        return written(_shortest(values, tally.period, divisors(tally.period)))
    except UnclearError:
        return None


def at_residue(count: Callable[[int], int], n: int, period: int) -> str:
    """The polynomial of the residue of n alone."""
    points = [(x, count(x)) for x in (n, n + period, n + 2 * period)]
    return written(_powers(_through(points), "n"))


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """table[x] for first <= x < len(table), x called `name`."""

    table: Integers
    first: int
    name: str

    def period(self, number: int, period: int, shift: int) -> Integers:
        """The values at x with (x + shift) // period == number."""
        start = number * period - shift
        return self.table[start : start + period]


def _shortest(values: _Values, period: int, periods: Sequence[int]) -> Sum:
    """The polynomials of the residues of x + shift, by the shift that reads best."""
    found: list[Sum] = []
    unshifted = _coefficients(values, period, 0)
    breaks = sorted({period - first for part in unshifted for first in _breaks(part)})
    for shift in (0, *breaks[:MOST_PIECES]):
        coefficients = _coefficients(values, period, shift) if shift else unshifted
        with suppress(UnclearError):
            found.append(_in_period(coefficients, values.name, period, shift, periods))
    if not found:
        raise UnclearError
    return min(found, key=lambda products: len(written(products)))


def _coefficients(values: _Values, period: int, shift: int) -> tuple[Integers, Integers, Integers]:
    """Twice those of 1, q and q squared, q = (x + shift) // period, by the residue."""
    first = -(-(values.first + shift) // period)
    zero, one, two = (values.period(first + k, period, shift) for k in range(3))
    square = two - 2 * one + zero
    linear = 2 * (one - zero) - (2 * first + 1) * square
    return 2 * zero - first * linear - first * first * square, linear, square


def _in_period(
    coefficients: Sequence[Integers], name: str, period: int, shift: int, periods: Sequence[int]
) -> Sum:
    moved = f"({name} + {shift})" if shift else name
    quotient, rest = f"({moved} // {period})", f"{moved} % {period}"
    return [
        Product(item.coefficient / 2, (*_power(quotient, power), *item.factors))
        for power, part in enumerate(coefficients)
        for item in _of_values(part, rest, periods)
    ]


def _of_values(values: Integers, name: str, periods: Sequence[int]) -> Sum:
    """values[x] for 0 <= x < len(values)."""
    pieces = _pieces(values)
    if len(pieces) <= MOST_PIECES:
        return _joined(pieces, name, len(values))
    most = len(values) // 5
    candidates = [period for period in periods if 1 < period <= most]
    candidates += range(2, min(most, MOST_INNER))
    inner = next((period for period in candidates if _recurs(values, period)), None)
    if inner is None:
        raise UnclearError
    return _shortest(_Values(values, 0, name), inner, ())


def _recurs(values: Integers, period: int) -> bool:
    # Nearly every period is refuted at the start.
    return _third_vanishes(values[: 3 * period + 64], period) and _third_vanishes(values, period)


def _third_vanishes(values: Integers, period: int) -> bool:
    zero, one, two, three = (values[k * period : len(values) - (3 - k) * period] for k in range(4))
    return bool((three - 3 * two + 3 * one - zero == 0).all())


def _breaks(values: Integers) -> list[int]:
    """Where the polynomials change; nothing where they change all the time."""
    pieces = _pieces(values)
    return [piece.first for piece in pieces[1:]] if len(pieces) <= MOST_PIECES else []


# --- pieces ---------------------------------------------------------------------------------


@frozen
class Piece:
    first: int
    polynomial: Coefficients


def _pieces(values: Integers) -> list[Piece]:
    """Polynomials in turn; at most one more than what counts as readable."""
    found: list[Piece] = []
    first = 0
    while first < len(values) and len(found) <= MOST_PIECES:
        polynomial, behind = _longest(values, first)
        found.append(Piece(first, polynomial))
        first = behind
    return found


def _longest(values: Integers, first: int) -> tuple[Coefficients, int]:
    """The polynomial that tells most values beyond those it is put through, and where it ends."""
    behind = {count: _leaves(values, first, count) for count in range(1, 4)}
    count = max(behind, key=lambda count: (behind[count] - count, -count))
    through = range(first, min(first + count, len(values)))
    return _through([(x, int(values[x])) for x in through]), behind[count]


def _leaves(values: Integers, first: int, count: int) -> int:
    """The first x at which values leave the polynomial through `count` of them: its differences
    of that order vanish."""
    step = 64
    while first + count < len(values):
        other = np.diff(values[first : first + step + count], count) != 0
        if other.any():
            return first + count + int(np.argmax(other))
        first, step = first + step, 4 * step
    return len(values)


def _joined(pieces: list[Piece], name: str, length: int) -> Sum:
    """The first piece, and what changes at each later one."""
    variable = f"({name})"
    total = _powers(pieces[0].polynomial, variable)
    for before, piece in pairwise(pieces):
        both = zip(piece.polynomial, before.polynomial, strict=True)
        behind = f"(({name} + {length - piece.first}) // {length})"
        total += [
            Product(item.coefficient, (behind, *item.factors))
            for item in _powers([new - old for new, old in both], variable)
        ]
    return total


# --- polynomials ----------------------------------------------------------------------------


def _through(points: list[tuple[int, int]]) -> Coefficients:
    """The polynomial of smallest degree through up to three points."""
    total = [Fraction(0)] * 3
    for at, value in points:
        basis = [Fraction(1)]
        for other, _ in points:
            if other != at:
                basis = _times_linear(basis, -other, at - other)
        for power, part in enumerate(basis):
            total[power] += part * value
    return total[0], total[1], total[2]


def _times_linear(basis: list[Fraction], constant: int, divisor: int) -> list[Fraction]:
    """basis * (x + constant) / divisor."""
    shifted = [Fraction(0), *basis]
    kept = [part * constant for part in basis] + [Fraction(0)]
    return [(one + other) / divisor for one, other in zip(shifted, kept, strict=True)]


def _powers(polynomial: Sequence[Fraction], name: str) -> Sum:
    return [
        Product(part, _power(name, power)) for power, part in enumerate(polynomial) if part != 0
    ]


def _power(name: str, power: int) -> tuple[str, ...]:
    return () if power == 0 else ((name,) if power == 1 else (f"{name}**{power}",))


def written(products: Sum) -> str:
    """The sum as text, whole numbers only: one division of all of it at the end."""
    total: dict[tuple[str, ...], Fraction] = {}
    for item in products:
        total[item.factors] = total.get(item.factors, Fraction(0)) + item.coefficient
    kept = {factors: part for factors, part in total.items() if part != 0}
    scale = lcm(*(part.denominator for part in kept.values()))
    order = sorted(kept, key=lambda factors: (-sum(_degree(item) for item in factors), factors))
    text = _added([(int(kept[factors] * scale), factors) for factors in order])
    return text if scale == 1 else f"({text}) // {scale}"


def _degree(factor: str) -> int:
    return 2 if factor.endswith("**2") else 1


def _added(terms: list[tuple[int, tuple[str, ...]]]) -> str:
    if not terms:
        return "0"
    text = ""
    for number, factors in terms:
        sign = ("-" if number < 0 else "") if not text else (" - " if number < 0 else " + ")
        size = [str(abs(number))] if abs(number) != 1 or not factors else []
        text += sign + "*".join([*size, *factors])
    return text
