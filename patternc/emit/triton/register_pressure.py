"""Passes by what their kernels do for each pair beside the products: it takes registers.

Converts a pass and the operations on its scores to a few classes, which the sizes of its launches
follow from, and to the width of its integers. Does not choose the launch sizes.
"""

from __future__ import annotations

from patternc.algebra.atoms import ListedTable, SpanTable
from patternc.algebra.queries import fits
from patternc.algebra.value_bounds import Reach
from patternc.algebra.walk import subexpressions
from patternc.emit.text.bounds import Bounded, Either
from patternc.emit.text.expressions import simplified
from patternc.emit.text.subexpressions import operands
from patternc.emit.triton.score_mods import Operation
from patternc.ir.formula import Expression, FloorDivide, Modulo
from patternc.schedule.schedule import Pass

MOST_POSITIONS = 1 << 26
INT32 = (1 << 31) - 1
# Windows in a grid of two dimensions have 144, all other published patterns at most 24.
MOST_OPERANDS = 64
FEW_OPERANDS, FEW_RUNS = 14, 3


def effort_of(item: Pass, operations: tuple[Operation, ...], inline: bool) -> int:
    """How much there is to do for pairs beside their products; `inline` kernels find tiles too.

    0 for comparisons with a few sums, 1 for other predicates, 2 for scores and tables, 3 where
    entries, intervals or lists are looked up, and for scores and predicates as involved.
    """
    asked = list(operands(simplified(item.predicate)))
    searched = {SpanTable, ListedTable} & {type(heads[0]) for heads in item.tables}
    involved = any(operation.looks_up or operation.is_involved for operation in operations)
    if searched or involved or len(asked) > MOST_OPERANDS:
        return 3
    if operations or item.tables:
        return 2
    many = inline and len(item.tilings[0].full + item.tilings[0].partial) > FEW_RUNS
    return int(item.classes is not None or many or len(asked) > FEW_OPERANDS or _divides(asked))


def _divides(values: list[Expression]) -> bool:
    parts = (part for value in values for part in subexpressions(value))
    return any(isinstance(part, FloorDivide | Modulo) for part in parts)


def is_wide(
    allowed: Bounded | Either, scalars: tuple[tuple[int, ...], ...], largest: int = INT32
) -> bool:
    """Might a part of the predicate exceed 32 bits at positions that the kernel takes?"""
    most = max([1, *(abs(number) for row in scalars for number in row)])
    reach = Reach(MOST_POSITIONS, MOST_POSITIONS, most)
    values = (value for asked in allowed.conditions() for value in operands(asked))
    return not all(fits(value, largest, reach) for value in values)
