"""Position classes: relations among evenly spaced positions, as dense relations of their own.

Maps a formula over token positions to the classes that its pairs never leave, and the formula over
the members of a class. A dilated window is a plain window over each residue class, a dilated
segment of LongNet a full square (Hassani and Shi, "Dilated Neighborhood Attention Transformer",
2022; Ding et al., "LongNet", 2023, section 2.2). Does not decide whether that is faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from patternc.algebra import simplify
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_loops import condition_of
from patternc.algebra.isl_sets import implies, of_members, some_pair
from patternc.algebra.queries import variables_of
from patternc.algebra.walk import sides_of, subexpressions
from patternc.frozen import frozen
from patternc.ir.formula import Condition, Constant, Expression, FloorDivide, Modulo, Variable


@frozen
class Classes:
    """Member x of class c is at segment * (c // residues) + c % residues + offset + stride * x.

    `segment` 0 is one segment for all positions. With fewer residues than the stride some
    positions are in no class.
    """

    stride: int
    residues: int
    segment: int
    offset: int

    def count(self, n: int) -> int:
        """How many classes n positions have."""
        return self.residues * (-(-n // self.segment) if self.segment else 1)

    def lengths(self, n: int) -> Counter[int]:
        """How many classes of n positions have so many members; a last segment may be short."""
        segment = self.segment or n
        whole, rest = divmod(n, segment)
        found: Counter[int] = Counter()
        for times, positions in ((whole, segment), (1, rest)):
            for residue in range(self.residues):
                found[-(-max(positions - self.offset - residue, 0) // self.stride)] += times
        return found

    @property
    def kind(self) -> tuple[int, int, int]:
        """What heads that share a pass have in common."""
        return self.stride, self.residues, self.segment


EVERY = Classes(stride=1, residues=1, segment=0, offset=0)  # all positions as one class


@frozen
class Classed:
    """The pairs of positions in one class whose members satisfy `formula`."""

    classes: Classes
    formula: Condition


@lru_cache(maxsize=4096)
def classed(formula: Condition) -> Classed | None:
    """The finest classes of a formula, over its members; None where there are none."""
    try:
        with budget():
            return next(_found(formula), None)
    except BudgetError:
        return None


def classed_by(formula: Condition, classes: Classes) -> Classed | None:
    """The formula over the members of given classes; None where these do not fit it."""
    try:
        with budget():
            return _over_members(formula, classes)
    except BudgetError:
        return None


def _found(formula: Condition) -> Iterator[Classed]:
    pair = some_pair(formula)
    if pair is None:
        return
    for classes in _candidates(formula, pair[0]):
        found = _over_members(formula, classes)
        if found is not None:
            yield found


def _candidates(formula: Condition, row: int) -> Iterator[Classes]:
    """Classes that no pair leaves, judging from the numbers of the formula and one of its rows."""
    for segment in (*sorted(_divisors(formula, FloorDivide)), 0):
        query, key = (_within(position, segment) for position in (Variable("i"), Variable("j")))
        if segment and not implies(formula, _same_segment(segment)):
            continue
        for stride in (*sorted(_divisors(formula, Modulo), reverse=True), 1):
            sensible = stride < segment if segment else stride > 1
            if sensible and implies(formula, _divides(stride, simplify.subtract(query, key))):
                yield _residues(formula, stride, segment, (row % segment if segment else row))


def _residues(formula: Condition, stride: int, segment: int, row: int) -> Classes:
    """All residues, or the one that all rows have."""
    offset = simplify.subtract(_within(Variable("i"), segment), Constant(row % stride))
    if stride > 1 and implies(formula, _divides(stride, offset)):
        return Classes(stride, 1, segment, row % stride)
    return Classes(stride, stride, segment, 0)


def _within(position: Variable, segment: int) -> Expression:
    return simplify.modulo(position, Constant(segment)) if segment else position


def _same_segment(width: int) -> Condition:
    row, key = (simplify.floor_divide(Variable(name), Constant(width)) for name in ("i", "j"))
    return simplify.compare(row, "==", key)


def _divides(divisor: int, number: Expression) -> Condition:
    return simplify.compare(simplify.modulo(number, Constant(divisor)), "==", Constant(0))


def _divisors(formula: Condition, kind: type[FloorDivide] | type[Modulo]) -> set[int]:
    """The numbers that the formula divides positions by."""
    return {
        part.right.value
        for side in sides_of(formula)
        for part in subexpressions(side)
        if isinstance(part, kind)
        and isinstance(part.right, Constant)
        and part.right.value > 1
        and variables_of(part.left) & {"i", "j"}
    }


def _over_members(formula: Condition, classes: Classes) -> Classed | None:
    offset, stride, segment = classes.offset, classes.stride, classes.segment
    bounds = f"0 <= r < {classes.residues}"
    if segment:
        bounds += f" and 0 <= x and r + {offset} + {stride}x < {segment}"
    else:
        bounds += " and s = 0"
    members = of_members(formula, f"{segment}s + r + {offset} + {stride}x", bounds)
    return None if members is None else Classed(classes, condition_of(members))
