"""Which engine answers: from edges and a length to one answer a layer, within bounds on time.

In this order: segments that nothing leaves, one for all; classes of positions that see and are seen
alike, where they are few; integer sets, exact at any length where formulas decide; bits, exact up
to some ten thousand positions; bounds. Formulas bracket what tables hold: without the tables' pairs
they hold too little, with all that the tables may hold too much, and where the first fill a layer
the answer is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from patternc import progress
from patternc.algebra import isl_maps as maps
from patternc.algebra.evaluate import Booleans, Integers
from patternc.algebra.isl_context import BudgetError
from patternc.algebra.work_budget import EffortError
from patternc.analysis.reach import (
    bitset_engine,
    class_engine,
    interval_engine,
    isl_engine,
    segment_reduction,
)
from patternc.analysis.reach.edges import Layer, listening
from patternc.analysis.reach.equivalence_cells import ManyCellsError
from patternc.analysis.reach.isl_engine import Field
from patternc.analysis.reach.query import ReachQuery
from patternc.analysis.reach.results import Engine
from patternc.analysis.reach.row_sizes import Progressions
from patternc.analysis.table_pairs import UnknownError
from patternc.frozen import frozen
from patternc.ir.sources import TOKENS, Rows


@frozen
class ReachAnswer:
    """One layer: its facts, upper bounds where not `exact`, and which engine found them.

    What engines know of single positions: `grown` is the first whose field is larger than a layer
    before, `lacking` the first that lacks a permitted position, `fields` the fields as a map; None
    is not known. `within` are the answers for one whole segment and for the shorter last one.
    """

    field: Field
    exact: bool
    engine: Engine
    grown: int | None = None
    lacking: int | None = None
    fields: maps.Map | None = None
    within: tuple[ReachAnswer, ...] = ()


def answers(question: ReachQuery, causal: bool) -> list[ReachAnswer]:
    """One answer a layer."""
    width = segment_reduction.width_of(question.steps)
    if width is not None and width < question.n:
        return _by_segments(question, causal, width)
    few, most = class_engine.FEW_CELLS, class_engine.MOST_CELLS
    found = _by_classes(question, causal, few) if question.is_certain else {}
    found = found or dict(_by_sets(question, causal))
    if len(found) < question.layers:
        found = {**_by_classes(_needed(question, found), causal, most), **found}
    if len(found) < question.layers and question.fits_bits:
        found = {**_by_bits(_needed(question, found), causal), **found}
    if 0 not in found and question.layers:
        found = {**_by_lists(question, causal), **found}
    if len(found) < question.layers:
        bounds = enumerate(islice(_bounds(question, causal), question.layers))
        found = {**dict(bounds), **found}
    return [found[layer] for layer in range(question.layers)]


def last_answer(question: ReachQuery, causal: bool) -> ReachAnswer:
    """The last of at least one layer; where formulas decide it, others are not looked at."""
    if not question.is_certain:
        for layer, answer in _by_sets(question, causal):
            if layer == question.layers - 1:
                return answer
    return answers(question, causal)[-1]


def full_field(n: int, causal: bool) -> Field:
    """The fields where every permitted pair is connected."""
    one = np.ones(1, np.int64)
    sizes = Progressions(one * n, one * (1 if causal else n), one * int(causal), one)
    return Field(sizes, n - 1, 0 if causal else n - 1, 0)


def _steps(steps: Sequence[Layer], question: ReachQuery) -> list[isl_engine.Step] | None:
    n, operations = question.n, question.operations
    try:
        found = {step: isl_engine.step_of(step, n, operations) for step in dict.fromkeys(steps)}
        return [found[step] for step in steps]
    except BudgetError:
        return None


def _composition(steps: Sequence[isl_engine.Step], question: ReachQuery) -> isl_engine.Composition:
    return isl_engine.Composition(steps, question.n, question.residual, question.operations)


def _by_sets(question: ReachQuery, causal: bool) -> Iterator[tuple[int, ReachAnswer]]:
    """Layers that formulas decide: all of them, or those that formulas fill beside the tables."""
    some_tokens = listening(question.steps)
    lower = _steps([_certain(step, some_tokens) for step in question.steps], question)
    if lower is None:
        return
    composition = _composition(lower, question)
    try:
        yield from _composed(question, composition, causal)
    except (BudgetError, EffortError):
        return


def _certain(step: Layer, some_tokens: frozenset[Rows]) -> Layer:
    """What formulas say of tokens; of streams that may depend on some tokens only nothing."""
    return tuple(
        edge
        for edge in step
        if not edge.literals and edge.rows == TOKENS and edge.source not in some_tokens
    )


def _composed(
    question: ReachQuery, composition: isl_engine.Composition, causal: bool
) -> Iterator[tuple[int, ReachAnswer]]:
    permitted = maps.past(question.n) if causal else maps.everything(question.n)
    full = ReachAnswer(full_field(question.n, causal), True, "integer sets")
    operations = question.operations
    for layer in progress.steps(range(question.layers), "reach"):
        fields = composition.advance()
        if composition.holds(permitted):
            yield layer, full
            if question.residual:
                yield from ((later, full) for later in range(layer + 1, question.layers))
                return
        elif question.is_certain:
            field = _facts(fields, question.n, operations)
            if field is None and question.fits_bits:
                return
            if field is None:
                # Later fields are hardly simpler.
                operations = composition.operations = isl_engine.HASTY
                continue
            answer = ReachAnswer(field, True, "integer sets", fields=fields)
            yield layer, answer
            if composition.is_settled():
                yield from ((later, answer) for later in range(layer + 1, question.layers))
                return
        elif composition.is_settled():
            return


def _facts(fields: maps.Map, n: int, operations: int) -> Field | None:
    try:
        return isl_engine.field_of(fields, n, operations)
    except (BudgetError, EffortError):
        return None


def _by_segments(question: ReachQuery, causal: bool, width: int) -> list[ReachAnswer]:
    """One whole segment stands for all but the last, which may be shorter."""
    times, over = divmod(question.n, width)
    whole = answers(replace(question, n=width, tables=None), causal)
    rest = answers(replace(question, n=over, tables=None), causal) if over else [None] * len(whole)
    return [
        ReachAnswer(
            segment_reduction.joined(one.field, times, last.field if last else None),
            one.exact and (last is None or last.exact),
            one.engine if last is None or last.exact else last.engine,
            within=(one,) if last is None else (one, last),
        )
        for one, last in zip(whole, rest, strict=True)
    ]


def _by_classes(question: ReachQuery, causal: bool, most: int) -> dict[int, ReachAnswer]:
    if not question.is_known:
        return {}
    tables = [question.tables_of(layer) for layer in range(len(question.steps))]
    try:
        found = class_engine.fields(
            question.steps, tables, question.n, question.layers, question.residual, most
        )
        return _visited(found, "classes", causal)
    except (ManyCellsError, EffortError):
        return {}


def _needed(question: ReachQuery, found: dict[int, ReachAnswer]) -> ReachQuery:
    """The question up to the last layer that is not answered."""
    layers = 1 + max(set(range(question.layers)) - found.keys())
    return replace(question, steps=question.steps[:layers], layers=layers)


def _by_bits(question: ReachQuery, causal: bool) -> dict[int, ReachAnswer]:
    try:
        steps = [
            bitset_engine.step_of(step, question.tables_of(layer))
            for layer, step in enumerate(question.steps)
        ]
        found = bitset_engine.fields(steps, question.n, question.layers, question.residual)
    except (UnknownError, BudgetError, EffortError):
        return {}
    return _visited(((each.facts(), each.size) for each in found), "bits", causal)


def _visited(
    found: Iterable[tuple[Field, Integers]], engine: Engine, causal: bool
) -> dict[int, ReachAnswer]:
    """Answers from fields and the size of every field."""
    answers: dict[int, ReachAnswer] = {}
    before: Integers | int = 1
    for at, (field, size) in enumerate(found):
        permitted = np.arange(1, len(size) + 1) if causal else len(size)
        grown, lacking = _first(size > before), _first(size < permitted)
        answers[at] = ReachAnswer(field, True, engine, grown, lacking)
        before = size
    return answers


def _first(flags: Booleans) -> int | None:
    return int(flags.argmax()) if flags.any() else None


def _by_lists(question: ReachQuery, causal: bool) -> dict[int, ReachAnswer]:
    """The first layer alone."""
    if not question.is_known:
        return {}
    tables, residual = question.tables_of(0), question.residual
    try:
        found = interval_engine.first_field(question.steps[0], tables, question.n, residual)
    except (UnknownError, EffortError):
        return {}
    if found is None:
        return {}
    field, lacking = found
    return {0: ReachAnswer(field, True, "lists", lacking=None if causal else lacking)}


def _bounds(question: ReachQuery, causal: bool) -> Iterator[ReachAnswer]:
    """Upper bounds: from all that tables may hold, at worst every permitted pair.

    Where formulas decide everything, they have been asked.
    """
    upper = None if question.is_certain else _steps(question.steps, question)
    if upper is not None:
        composition, operations = _composition(upper, question), question.operations
        try:
            while True:
                field = _facts(composition.advance(), question.n, operations)
                operations = operations if field else isl_engine.HASTY
                yield _bound(field or full_field(question.n, causal), question.n)
        except BudgetError:
            pass
    while True:
        yield _bound(full_field(question.n, causal), question.n)


def _bound(field: Field, n: int) -> ReachAnswer:
    """Fewer pairs may leave more gaps."""
    return ReachAnswer(replace(field, holes=n), False, "bound")
