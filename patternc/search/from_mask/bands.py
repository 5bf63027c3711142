"""Terms of the distance j - i: windows, dilated windows, half-planes, strides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from patternc.frozen import frozen
from patternc.search.from_mask.boards import Bits, Board, Integers
from patternc.search.from_mask.terms import Fresh, Number, Term, numbers, runs

# Residues are tried up to this modulus.
_MODULUS = 64
_BANDS = 32


@frozen
class Distances:
    """Which distances of a board are wanted and which are barred; index d + n - 1."""

    wanted: Bits
    barred: Bits
    zero: int

    @classmethod
    def of(cls, board: Board, region: Bits | None = None) -> Distances:
        n = board.n
        at = board.j - board.i + n - 1
        among = [board.wanted, board.barred]
        if region is not None:
            among = [part & region for part in among]
        size = 2 * n - 1
        wanted, barred = (np.bincount(at[part], minlength=size) > 0 for part in among)
        return cls(wanted, barred, n - 1)

    def bands(self) -> Iterator[tuple[int, int, bool, bool]]:
        """Maximal runs of distances (lo, hi) without a barred one, and which sides are open."""
        size = len(self.wanted)
        for a, b in runs(~self.barred):
            inside = np.flatnonzero(self.wanted[a:b])
            if len(inside):
                lo, hi = a + int(inside[0]) - self.zero, a + int(inside[-1]) - self.zero
                yield lo, hi, a == 0, b == size

    def free(self, lo: int, hi: int) -> bool:
        """Is no distance from lo to hi barred?"""
        start, stop = lo + self.zero, hi + self.zero + 1
        return not self.barred[max(start, 0) : max(stop, 0)].any()


def bands(boards: Sequence[Board]) -> Iterator[Term]:
    """Windows and half-planes of the first board's maximal runs of distances."""
    distances = Distances.of(boards[0])
    found = list(distances.bands())
    # More runs of distances are stripes.
    for lo, hi, below, above in found if len(found) <= _BANDS else ():
        if lo <= 0 <= hi and distances.free(-max(-lo, hi), max(-lo, hi)):
            for side in numbers(max(-lo, hi), boards):
                yield _window(side, side)
        for left, right in _sides(lo, hi, boards):
            yield _window(left, right)
        if below and hi == 0:
            yield Term("causal", lambda b: b.j <= b.i)
        elif below:
            for right in numbers(abs(hi), boards):
                yield _before(right, hi > 0)
        if above:
            for left in numbers(abs(lo), boards):
                yield _after(left, lo > 0)
        if lo == hi and lo:
            sign, far = ("+", lo) if lo > 0 else ("-", -lo)
            yield Term(f"where(j == i {sign} {far})", lambda b, lo=lo: b.j == b.i + lo)  # type: ignore[misc]


def _sides(lo: int, hi: int, boards: Sequence[Board]) -> Iterator[tuple[Number, Number]]:
    for left in numbers(abs(lo), boards):
        for right in numbers(abs(hi), boards):
            yield _signed(left, lo > 0), _signed(right, hi < 0)


def _signed(number: Number, negative: bool) -> Number:
    if not negative:
        return number
    text = number.text if number.text.isdigit() else f"({number.text})"
    return Number(f"-{text}", lambda n: -number.of(n))


def _window(left: Number, right: Number) -> Term:
    if left.text == right.text:
        text = f"local({left.text})" if left.text != "0" else "diagonal"
    else:
        named = [("left", left.text), ("right", right.text)]
        text = f"local({', '.join(f'{name}={side}' for name, side in named if side != '0')})"

    def holds(board: Board) -> Bits:
        far = board.j - board.i
        return (far >= -left.of(board.n)) & (far <= right.of(board.n))

    return Term(text, holds)


def _before(right: Number, ahead: bool) -> Term:
    """Keys up to `right` ahead of the query, or up to `right` behind it."""
    sign = 1 if ahead else -1
    text = f"where(j <= i {'+' if ahead else '-'} {right.text})"
    if right.text == "1" and not ahead:
        text = "where(j < i)"
    return Term(text, lambda b: b.j <= b.i + sign * right.of(b.n))


def _after(left: Number, ahead: bool) -> Term:
    sign = 1 if ahead else -1
    text = f"where(j >= i {'+' if ahead else '-'} {left.text})"
    if left.text in ("0", "1"):
        text = (
            ("where(j >= i)" if left.text == "0" else "where(j > i)")
            if (ahead or left.text == "0")
            else text
        )
    return Term(text, lambda b: b.j >= b.i + sign * left.of(b.n))


# A term, and which distances it holds.
_Held = tuple[Term, Bits]


def dilated(boards: Sequence[Board]) -> Iterator[Term]:
    """`strided(s)`, dilated windows, and residues of the distance."""
    distances, fresh = Distances.of(boards[0]), Fresh(boards)
    far = np.arange(len(distances.wanted)) - distances.zero
    for a, b in runs(~distances.barred):
        fresh.add((far >= a - distances.zero) & (far < b - distances.zero))
    for step in range(2, max(boards[0].n - 1, 3)):
        yield from _new(_multiples(distances, far, step), distances, fresh)
    for modulus in range(2, min(_MODULUS, boards[0].n // 2)):
        yield from _new(_residues(distances, far, modulus), distances, fresh)


def _new(found: Iterator[_Held], distances: Distances, fresh: Fresh) -> Iterator[Term]:
    return (term for term, held in found if fresh.add(held & distances.wanted))


def _multiples(distances: Distances, far: Integers, step: int) -> Iterator[_Held]:
    phase = distances.zero % step
    wanted, barred = distances.wanted[phase::step], distances.barred[phase::step]
    zero = distances.zero // step
    for a, b in runs(~barred):
        inside = np.flatnonzero(wanted[a:b])
        if len(inside) < 2:
            continue
        if a == 0 and b == len(barred):
            strided = Term(f"strided({step})", lambda x: (x.j - x.i) % step == 0)
            yield strided, far % step == 0
            continue
        lo, hi = a + int(inside[0]) - zero, a + int(inside[-1]) - zero
        if not distances.free(lo * step, hi * step):
            most = max(-lo, hi)
            both = lo <= 0 <= hi and not barred[max(zero - most, 0) : zero + most + 1].any()
            left, right = (most, most) if both else (-lo, hi)
            held = (far % step == 0) & (far >= -left * step) & (far <= right * step)
            yield dilated_window(left, right, step), held


def dilated_window(left: int, right: int, step: int) -> Term:
    named = [("left", left), ("right", right)]
    sides = ", ".join(f"{name}={side}" for name, side in named if side)
    text = f"local({left if left == right else sides}, dilation={step})"

    def holds(board: Board) -> Bits:
        far = board.j - board.i
        return np.asarray((far >= -left * step) & (far <= right * step) & (far % step == 0))

    return Term(text, holds)


def _residues(distances: Distances, far: Integers, modulus: int) -> Iterator[_Held]:
    """Residues of i - j that hold nothing barred, runs of them but the first alone."""
    classes = -far % modulus
    barred = np.bincount(classes[distances.barred], minlength=modulus) > 0
    for a, b in runs(~barred):
        if (a, b) in ((0, 1), (0, modulus)):
            continue

        def holds(board: Board, a: int = a, b: int = b) -> Bits:
            rest = (board.i - board.j) % modulus
            return (rest >= a) & (rest < b)

        yield Term(_residue(modulus, a, b), holds), (classes >= a) & (classes < b)


def _residue(modulus: int, a: int, b: int) -> str:
    test = f"(i - j) % {modulus}"
    if b == a + 1:
        return f"where({test} == {a})"
    if a == 0:
        return f"where({test} < {b})"
    return f"where({test} >= {a})" if b == modulus else f"where({a} <= {test} < {b})"
