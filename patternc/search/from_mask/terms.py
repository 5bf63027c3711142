"""Terms of programs with their pairs, and the numbers and positions that they are written with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from patternc.frozen import frozen
from patternc.search.from_mask.boards import Bits, Board

_TOKEN = re.compile(r"\w+|->|\*\*|//|[<>=!]=|\S")
# New sets of distances or positions, at most.
_MET = 128
# A negative number is one, as it is for a reader.
_NEGATIVE = re.compile(r"(?<=[\[(,:=] )-(?=\d)|(?<=[\[(,:=])-(?=\d)")


def tokens(text: str) -> int:
    """The length of a text in words, numbers and signs."""
    return len(_TOKEN.findall(_NEGATIVE.sub("", text)))


@frozen
class Term:
    """A term as text, and its pairs at every length."""

    text: str
    holds: Callable[[Board], Bits]

    @property
    def cost(self) -> int:
        return tokens(self.text)


@frozen
class Number:
    """An integer that may depend on n."""

    text: str
    of: Callable[[int], int]


def numbers(value: int, boards: Sequence[Board]) -> Iterator[Number]:
    """A number at the first length: itself, and what it may be made of n, at several lengths."""
    yield Number(str(value), lambda _: value)
    n = boards[0].n
    if len(boards) == 1:
        return
    if 2 * value >= n:
        yield Number(f"n - {n - value}" if value < n else "n", lambda m: m - n + value)
    for divisor in range(2, 9):
        more = value - n // divisor
        if abs(more) <= 1 and n // divisor:
            sign = f" {'+' if more > 0 else '-'} {abs(more)}" if more else ""
            yield Number(
                f"n // {divisor}{sign}",
                lambda m, divisor=divisor, more=more: m // divisor + more,  # type: ignore[misc]
            )


@frozen
class Positions:
    """A set of positions as text, and which of n it holds."""

    text: str
    of: Callable[[int], Bits]


def condition(word: str, numbers: Sequence[int], count: int) -> str:
    """The condition that holds for these of so many heads or layers, ascending."""
    first, last = numbers[0], numbers[-1]
    if len(numbers) == 1:
        return f"{word} == {first}"
    if list(numbers) == list(range(last + 1)):
        return f"{word} < {last + 1}"
    if list(numbers) == list(range(first, count)):
        return f"{word} >= {first}"
    step = numbers[1] - first
    if list(numbers) == list(range(first % step, count, step)):
        return f"{word} % {step} == {first % step}"
    return " or ".join(f"{word} == {number}" for number in numbers)


Run = tuple[int, int]


def runs(held: Bits) -> list[Run]:
    """The maximal half-open runs of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def listed(found: Sequence[Run], n: int, from_end: Callable[[Run], bool]) -> Positions:
    """A list of runs; some count from the end."""
    ends = [(a - n, b - n) if from_end((a, b)) else (a, b) for a, b in found]

    def of(m: int) -> Bits:
        held = np.zeros(m, np.bool_)
        for a, b in ends:
            start, stop = (a + m, b + m) if a < 0 else (a, b)
            held[max(start, 0) : max(stop, 0)] = True
        return held

    return Positions(f"[{', '.join(_run(a, b) for a, b in ends)}]", of)


def _run(a: int, b: int) -> str:
    if b == a + 1:
        return str(a)
    return f"{a}:{'' if a < 0 and b == 0 else b}"


def period(length: int, a: int, b: int) -> Positions:
    return Positions(
        f"period({length}, {a}:{b})",
        lambda m: (np.arange(m) % length >= a) & (np.arange(m) % length < b),
    )


class Fresh:
    """Sets met so far. At one length a set within an earlier one adds nothing to a union."""

    def __init__(self, boards: Sequence[Board]) -> None:
        self._single = len(boards) == 1
        self._met: list[Bits] = []

    def add(self, held: Bits) -> bool:
        """Is the set new, and are there not too many?"""
        if len(self._met) == _MET:
            return False
        if self._single:
            met = any(not (held & ~other).any() for other in self._met)
        else:
            met = any(np.array_equal(held, other) for other in self._met)
        if not met:
            self._met.append(held)
        return not met
