"""Receptive fields by integer sets: exact at any length, where the sets stay small.

Maps edges to maps { [i] -> [j] } that are composed layer by layer, and maps to facts. Only formulas
are known here: with tables there are two answers that hold the truth between them. Every step runs
under a budget and raises `BudgetError` beyond it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from patternc.algebra import isl_maps as maps
from patternc.algebra.filtered_intervals import is_countable
from patternc.algebra.intervals import Interval
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_maps import Map
from patternc.analysis.reach.edges import Edge
from patternc.analysis.reach.row_sizes import Progressions, row_sizes
from patternc.frozen import frozen
from patternc.ir.sources import TOKENS, Pool, Project, Stream, Tokens, Tree
from patternc.semantics.source_slots import windows

# About 0.1 s where another engine is exact too, else about 0.8 s: for each layer.
HASTY, PATIENT = 100_000, 1_000_000


@frozen
class Step:
    """One layer: pairs of positions, and positions that depend on all others through a stream."""

    pairs: Map
    streamed: Map


@frozen
class Field:
    """Facts about the fields after one layer."""

    sizes: Progressions
    left: int
    right: int
    holes: int


def step_of(edges: Iterable[Edge], n: int, operations: int = PATIENT) -> Step:
    """What the formulas of the edges of tokens allow, where streams depend on all tokens."""
    with budget(operations):
        pairs, streamed = maps.nothing(), maps.nothing()
        for edge in edges:
            if edge.rows != TOKENS:
                continue
            if isinstance(edge.source, Stream):
                streamed = streamed.union(_to_tokens(edge, n))
            else:
                pairs = pairs.union(_to_tokens(edge, n))
        return Step(pairs.coalesce(), streamed.coalesce())


def _to_tokens(edge: Edge, n: int) -> Map:
    match edge.source:
        case Tokens():
            return maps.held(edge.formula, n, n)
        case Pool() as pool:
            slots = windows(pool, n)
            return maps.held(edge.formula, n, slots, "m").apply_range(_window(pool, slots, n))
        case Project(slots) | Stream(_, slots):
            rows = maps.held(edge.formula, n, slots, "m").domain()
            return maps.everything(n).intersect_domain(rows)
        case Tree():
            raise BudgetError("a tree has as many levels as n asks for")
        case _:
            raise TypeError(f"{edge.source} carries no position of the sequence")


def _window(pool: Pool, slots: int, n: int) -> Map:
    """{ [slot] -> [token] }."""
    end = f"j < {pool.stride}i + {pool.size}"
    inside = f"({end} or i = {slots - 1})" if pool.tail == "merge" else end
    return maps.written(f"[i] -> [j] : 0 <= i < {slots} and {pool.stride}i <= j < {n} and {inside}")


def looks_ahead(steps: Iterable[Step], n: int, operations: int = PATIENT) -> bool:
    """Whether some step leads from a position to a later one."""
    past = maps.past(n)
    with budget(operations):
        return not all(step.streamed.is_empty() and step.pairs.is_subset(past) for step in steps)


class Composition:
    """The fields after one layer more, and again."""

    def __init__(self, steps: Sequence[Step], n: int, residual: bool, operations: int) -> None:
        self._steps, self._residual, self.operations = steps, residual, operations
        self._identity = maps.identity(n)
        self._recent: list[Map] = []
        self.layer = 0
        self.fields = self._identity

    def advance(self) -> Map:
        step = self._steps[self.layer % len(self._steps)]
        with budget(self.operations):
            pairs = step.pairs.union(self._identity) if self._residual else step.pairs
            found = pairs.coalesce().apply_range(self.fields)
            if self.layer:
                found = found.union(step.streamed)
            self.fields = found.coalesce()
        self.layer += 1
        self._recent = [*self._recent, self.fields][-len(self._steps) - 1 :]
        return self.fields

    def is_settled(self) -> bool:
        """Whether no later layer adds anything: a whole round of the schedule did not."""
        if not self._residual or len(self._recent) <= len(self._steps):
            return False
        with budget(self.operations):
            return bool(self._recent[0].is_equal(self._recent[-1]))

    def holds(self, permitted: Map) -> bool:
        """Whether the fields hold all of the pairs."""
        with budget(self.operations):
            return bool(permitted.is_subset(self.fields))


def field_of(fields: Map, n: int, operations: int = PATIENT) -> Field:
    """Facts about the fields of n positions, n at least 1."""
    with budget(operations):
        sizes = row_sizes(runs_of(fields), n)
        low, high = maps.distances(fields) or (0, 0)
        holes = row_sizes(runs_of(maps.rows_of(maps.gaps(fields))), 1).total
    return Field(sizes, max(0, -low), max(0, high), holes)


def runs_of(pairs: Map) -> tuple[Interval, ...]:
    return tuple(run for part in maps.parts(pairs) for run in _of_part(part))


def _of_part(part: Map) -> tuple[Interval, ...]:
    """Runs whose keys can be counted: loops, or the interval between a row's first and last key."""
    loops = maps.runs_of(part)
    if all(is_countable(run) for run in loops):
        return loops
    return maps.interval_runs(part) or loops
