"""Layers of a schedule to kernels over pages, and which heads each kernel serves.

A branch of a head becomes the pages that hold a key of row i, as closed-form runs, the predicate of
its pairs, and its operations on scores. Heads of equal text share a kernel, and the heads of a key
head share a program. Pages in steps, as those of a strided pattern, are visited in these steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import log2

from patternc.algebra.eliminate_floors import straightened
from patternc.algebra.evaluate import holds
from patternc.algebra.filtered_intervals import is_countable, period_of_filter
from patternc.algebra.intervals import Interval, filter_of, row_guard
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_loops import loops_of
from patternc.algebra.isl_sets import basic_parts, pairs, touched_tiles, universe
from patternc.algebra.queries import LARGEST, fits, variables_of
from patternc.algebra.simplify import TRUE, add, modulo, subtract
from patternc.algebra.value_bounds import Reach
from patternc.emit.text.bounds import keys_of_rows, unbounded
from patternc.emit.text.expressions import TRITON, Names, Printer, simplified
from patternc.emit.text.functions import Functions
from patternc.emit.text.layout import SUM, Call, Chain, Leaf, Text, flat, statement
from patternc.emit.triton.register_pressure import INT32, MOST_POSITIONS, is_wide
from patternc.frozen import frozen
from patternc.ir.formula import Condition, Constant, Truth
from patternc.ir.modifiers import Modifier, Scale, Sink
from patternc.modifiers.alibi import Alibi
from patternc.modifiers.softcap import SoftCap
from patternc.schedule.head_groups import without_scalars
from patternc.schedule.schedule import Group, Pass, Schedule
from patternc.tiling.classify import candidate_tiles, every_tile

# More runs than this cost more registers than they spare pages.
MOST_RUNS = 6
# Pages after which a filter repeats.
MOST_PERIOD = 64
# About 0.2 s.
OPERATIONS = 200_000
_REACH = Reach(MOST_POSITIONS, MOST_POSITIONS)
# Rows are positions, values pages; a row that is asked for is never negative.
_PAGES = Printer(TRITON, Names({"i": "i", "j": "page", "n": "n", "m": "n"}, frozenset("ijnm")))


@frozen
class Run:
    """Statements that find `startK` and `stepsK`: so many pages from there on, `step` apart."""

    lines: tuple[str, ...]
    step: int


@frozen
class PagedKernel:
    """The parts of a kernel's text that depend on the pattern.

    With `visited` only those pages of the runs are loaded; `lines` change scores.
    """

    predicate: str
    runs: tuple[Run, ...]
    visited: str
    lines: tuple[str, ...]

    @property
    def slopes(self) -> bool:
        return any("slope" in line for line in self.lines)


@frozen
class Served:
    """Branch `place` of these heads, by a kernel; None: of all heads."""

    kernel: str
    heads: tuple[int, ...] | None
    place: int
    added: float
    scale: float | None


@frozen
class PagedLayer:
    """The branches of one distinct layer, and the heads that have a sink."""

    served: tuple[Served, ...]
    sinks: tuple[int, ...] | None = ()

    @property
    def places(self) -> int:
        return 1 + max((each.place for each in self.served), default=0)


@dataclass(slots=True)
class PagedLayers:
    """Distinct layers, by the number of a schedule's groups, and what they call."""

    page: int
    functions: Functions = field(default_factory=Functions)
    kernels: dict[PagedKernel, str] = field(default_factory=dict)

    def layer(self, groups: tuple[Group, ...], heads: int | None) -> PagedLayer:
        served = tuple(each for group in groups for each in self._of_group(group, heads))
        sinks = [head for group in groups if _has_sink(group) for head in group.heads]
        return PagedLayer(served, None if sinks and heads is None else tuple(sinks))

    def _of_group(self, group: Group, heads: int | None) -> Iterator[Served]:
        for place, item in enumerate(group.branches):
            for members, formula in _formulas(group, item).items():
                kernel = self._kernel(formula, item.modifiers)
                if kernel is not None:
                    own = None if heads is None else members
                    yield Served(kernel, own, place, log2(item.multiplicity), _scale(item))

    def _kernel(self, formula: Condition, modifiers: tuple[Modifier, ...]) -> str | None:
        """The kernel of these pairs; None where there is none."""
        runs, visited = pages_of(formula, self.page)
        if not runs:
            return None
        allowed = keys_of_rows(simplified(formula))
        if is_wide(allowed, (), LARGEST):
            allowed = unbounded(simplified(formula), keys_of_rows)
        wide = is_wide(allowed, ())
        predicate = self.functions.kernel_predicate(allowed, [], wide, "_allowed_#_kernel")
        asked = "" if visited == TRUE else flat(_PAGES.condition(visited))
        lines = tuple(_run(*each) for each in enumerate(runs))
        found = PagedKernel(predicate, lines, asked, tuple(_lines(modifiers)))
        return self.kernels.setdefault(found, f"_paged_{len(self.kernels)}_kernel")


def paged_layers(schedule: Schedule) -> tuple[PagedLayers, tuple[PagedLayer, ...]]:
    found = PagedLayers(schedule.key_tile)
    return found, tuple(found.layer(groups, schedule.heads) for groups in schedule.groups)


def _formulas(group: Group, item: Pass) -> dict[tuple[int, ...], Condition]:
    """The pairs of a branch with each head's own numbers, equal heads together."""
    of_formula: dict[Condition, list[int]] = {}
    for place, head in enumerate(group.heads):
        own = without_scalars(item.predicate, item.scalars[place]) if item.scalars else None
        of_formula.setdefault(item.predicate if own is None else own, []).append(head)
    return {tuple(heads): formula for formula, heads in of_formula.items()}


@lru_cache(maxsize=1024)
def pages_of(formula: Condition, page: int) -> tuple[tuple[Interval, ...], Condition]:
    """The pages that hold a key of row i, as runs without filters, and which of them do.

    All pages, where closed forms are too many or unknown: the condition tells them apart.
    """
    try:
        with budget(OPERATIONS):
            held = pairs(straightened(formula)) & universe()
            parts = basic_parts(touched_tiles(held, 1, page).coalesce())
            runs = tuple(run for part in parts for run in loops_of(part))
    except BudgetError:
        return _every_page(formula, page)
    runs = tuple(plain for run in runs for plain in _by_residue(run))
    plain = all(filter_of(run) == TRUE and fits(run, INT32, _REACH) for run in runs)
    return (runs, TRUE) if plain and len(runs) <= MOST_RUNS else _every_page(formula, page)


def _by_residue(run: Interval) -> Iterator[Interval]:
    """The same values without a filter that their residues decide: a run for each of them."""
    filtered = filter_of(run)
    by_key = variables_of(filtered) == {"j"} and is_countable(run) and run.step == 1
    if not by_key or period_of_filter(run) > MOST_PERIOD:
        yield run
        return
    period, guard = period_of_filter(run), row_guard(run)
    for residue in range(period):
        if holds(filtered, {"j": residue}):
            behind = modulo(subtract(Constant(residue), run.start), Constant(period))
            yield Interval(guard, add(run.start, behind), run.stop, period)


def _every_page(formula: Condition, page: int) -> tuple[tuple[Interval, ...], Condition]:
    held = candidate_tiles(formula, 1, page)
    return (every_tile(page),), held if fits(held, INT32, _REACH) else TRUE


def _run(number: int, run: Interval) -> Run:
    start = Leaf(f"start{number}")
    length: Text = Chain(SUM, _PAGES.expression(run.stop), (("-", start),))
    if run.step > 1:
        length = Call("tl.cdiv", (length, Leaf(str(run.step))))
    steps: Text = Call("tl.maximum", (length, Leaf("0")))
    guard = simplified(run.guard)
    if guard != Truth(True):
        steps = Call("tl.where", (_PAGES.condition(guard), steps, Leaf("0")))
    first = statement(_PAGES.expression(run.start), f"start{number} = ", 4)
    return Run((first, statement(steps, f"steps{number} = ", 4)), run.step)


def _lines(modifiers: tuple[Modifier, ...]) -> Iterator[str]:
    """In the order in which they apply: soft caps, then biases."""
    for modifier in modifiers:
        if isinstance(modifier, SoftCap):
            yield f"qk = {modifier.cap} * _tanh(qk * {1 / modifier.cap})"
    if Alibi() in modifiers:
        yield "qk -= slope[:, None] * tl.abs(j - i).to(tl.float32)[None, :]"


def _scale(item: Pass) -> float | None:
    return next((each.value for each in item.modifiers if isinstance(each, Scale)), None)


def _has_sink(group: Group) -> bool:
    return any(isinstance(each, Sink) for item in group.branches for each in item.modifiers)
