"""Which engine answers: from relations and a length to one answer a layer, within bounds.

In this order: integer sets, exact at any length where formulas decide; classes of positions that
see and are seen alike; bits, exact up to some ten thousand positions; bounds. Formulas bracket what
tables hold: without the tables' pairs they hold too little, with all that the tables may hold too
much, and where the first fill a layer the answer is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from patternc.analysis.listed import UnknownError
from patternc.analysis.reach import bits, symbolic
from patternc.analysis.reach.edges import Layer
from patternc.analysis.reach.facts import Engine
from patternc.analysis.reach.ranges import ranges_of
from patternc.analysis.reach.rows import Progressions
from patternc.analysis.reach.symbolic import Field
from patternc.language.sources import TOKENS
from patternc.relation import integer_maps as maps
from patternc.relation.integer_sets import BudgetError
from patternc.relation.tables import HeadTables

# Words of 64 columns that one product of the bits may take: n = 23,000 takes 8 million.
MOST_WORDS = 1 << 23


@dataclass(frozen=True, slots=True)
class Answer:
    """One layer: its facts, upper bounds where not `exact`, and which engine found them."""

    field: Field
    exact: bool
    engine: Engine


@dataclass(frozen=True, slots=True)
class Stack:
    """One question: the edges of the schedule's layers, how many layers, at which length."""

    steps: tuple[Layer, ...]
    n: int
    layers: int
    residual: bool
    tables: Sequence[Sequence[HeadTables]] | None

    @property
    def is_certain(self) -> bool:
        """Whether formulas decide everything."""
        return not any(edge.literals for step in self.steps for edge in step)


def answers(stack: Stack, causal: bool) -> list[Answer]:
    """One answer a layer."""
    found = dict(_by_sets(stack, causal))
    if len(found) < stack.layers:
        found = {**_by_bits(stack), **found}
    if len(found) < stack.layers:
        bounds = enumerate(islice(_bounds(stack, causal), stack.layers))
        found = {**dict(bounds), **found}
    return [found[layer] for layer in range(stack.layers)]


def is_causal(stack: Stack) -> bool:
    """Whether no layer leads ahead; tables may hold whatever their formula allows."""
    every = [edge for step in stack.steps for edge in step]
    if all(edge.source == TOKENS and symbolic.holds_back(edge.formula) for edge in every):
        return True
    upper = _steps(stack.steps, stack.n)
    try:
        return upper is not None and not symbolic.looks_ahead(upper, stack.n)
    except BudgetError:
        return False


def full_field(n: int, causal: bool) -> Field:
    """The fields where every permitted pair is connected."""
    one = np.ones(1, np.int64)
    sizes = Progressions(one * n, one * (1 if causal else n), one * int(causal), one)
    return Field(sizes, n - 1, 0 if causal else n - 1, 0)


def _steps(steps: Sequence[Layer], n: int) -> list[symbolic.Step] | None:
    try:
        return [symbolic.step_of(step, n) for step in steps]
    except BudgetError:
        return None


def _by_sets(stack: Stack, causal: bool) -> Iterator[tuple[int, Answer]]:
    """Layers that formulas decide: all of them, or those that formulas fill beside the tables."""
    lower = _steps([_without_tables(step) for step in stack.steps], stack.n)
    if lower is None:
        return
    composition = symbolic.Composition(lower, stack.n, stack.residual)
    try:
        yield from _composed(stack, composition, causal)
    except BudgetError:
        return


def _without_tables(step: Layer) -> Layer:
    return tuple(edge for edge in step if not edge.literals)


def _composed(
    stack: Stack, composition: symbolic.Composition, causal: bool
) -> Iterator[tuple[int, Answer]]:
    permitted = maps.past(stack.n) if causal else maps.everything(stack.n)
    full = Answer(full_field(stack.n, causal), True, "integer sets")
    for layer in range(stack.layers):
        fields = composition.advance()
        if symbolic.holds_all(fields, permitted):
            yield layer, full
            if stack.residual:
                yield from ((later, full) for later in range(layer + 1, stack.layers))
                return
        elif stack.is_certain:
            field = _facts(fields, stack.n)
            if field is None:
                continue
            answer = Answer(field, True, "integer sets")
            yield layer, answer
            if composition.is_settled():
                yield from ((later, answer) for later in range(layer + 1, stack.layers))
                return
        elif composition.is_settled():
            return


def _facts(fields: maps.Map, n: int) -> Field | None:
    try:
        return symbolic.field_of(fields, n)
    except BudgetError:
        return None


def _by_bits(stack: Stack) -> dict[int, Answer]:
    if stack.n * -(-stack.n // 64) > MOST_WORDS:
        return {}
    try:
        steps = [_listed(stack, layer) for layer in range(len(stack.steps))]
    except (UnknownError, BudgetError):
        return {}
    found = bits.fields(steps, stack.n, stack.layers, stack.residual)
    return {at: Answer(each.facts(), True, "bits") for at, each in enumerate(found)}


def _listed(stack: Stack, layer: int) -> bits.Step:
    """The ranges of a layer. Raises `UnknownError`."""
    found = []
    for edge in stack.steps[layer]:
        if stack.tables is None and not edge.is_known:
            raise UnknownError
        tables = HeadTables(stack.n) if stack.tables is None else stack.tables[layer][edge.head]
        found += [(edge.source, each) for each in ranges_of(edge, tables.of(edge.source))]
    return bits.Step(tuple(found))


def _bounds(stack: Stack, causal: bool) -> Iterator[Answer]:
    """Upper bounds: from all that tables may hold, at worst every permitted pair."""
    upper = _steps(stack.steps, stack.n)
    if upper is not None:
        composition = symbolic.Composition(upper, stack.n, stack.residual)
        try:
            while True:
                field = _facts(composition.advance(), stack.n)
                yield _bound(field or full_field(stack.n, causal), stack.n)
        except BudgetError:
            pass
    while True:
        yield _bound(full_field(stack.n, causal), stack.n)


def _bound(field: Field, n: int) -> Answer:
    """Fewer pairs may leave more gaps."""
    return Answer(replace(field, holes=n), False, "bound")
