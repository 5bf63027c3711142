"""What a program means for a model: reach, structure, comparison and reasons.

`Pattern` has a method of the same name for each function here. Each analysis is imported when it is
asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import chain, cycle, islice
from typing import TYPE_CHECKING

from patternc.algebra.work_budget import EffortError, allowance, effort
from patternc.frontend import Frontend
from patternc.ir.sources import Pool, Project, Stream, Tree, word_of
from patternc.language.syntax.diagnostics import Diagnostic, ordered
from patternc.queries import masks
from patternc.queries.arguments import (
    layer_number,
    layers_looked_at,
    one_element,
    tokens,
    warning_codes,
    whole,
)
from patternc.queries.call import Inputs, Slots, all_given, checked, head_tables, stack, tables_of
from patternc.queries.lengths import length_among, lengths_of
from patternc.queries.sizes import fixed
from patternc.schedule.tile_sizes import choose_tiles
from patternc.semantics.lengths import Span

if TYPE_CHECKING:
    import networkx as nx

    from patternc.analysis.cost.last_reader import LastReader, LivePages
    from patternc.analysis.cost.layer_cost import Workload
    from patternc.analysis.equivalence.results import Difference, Side
    from patternc.analysis.explain.explain import Why
    from patternc.analysis.reach import Reach
    from patternc.analysis.reach.closed_form import ClosedFormReach
    from patternc.analysis.reach.unattended import Unattended
    from patternc.analysis.report_facts import ReportSubject
    from patternc.relation.relation import Relation

# Sources whose slots are computed of the tokens.
_MADE = Pool | Project | Stream | Tree
# Tokens, where none are given and no grid has some.
LENGTH = 4096
# Where the program names none: a path that takes more layers than this is not looked for.
LAYERS = 256


def reach(
    frontend: Frontend,
    n: int,
    layers: int | None,
    residual: bool,
    slots: Slots,
    inputs: Inputs,
) -> Reach:
    from patternc.analysis.reach import reach

    n = tokens(n, 1)
    layers = layers_looked_at(layers, frontend.program.layers)
    frontend, inputs = fixed(frontend, inputs, "a receptive field")
    schedule, tables = stack(frontend, n, layers, slots, inputs)
    given = tables if all_given(frontend, inputs) else None
    with allowance():
        return reach(schedule, n, layers, residual=residual, tables=given)


def why(
    frontend: Frontend,
    n: int,
    query: int,
    key: int,
    layer: int,
    head: int | None,
    layers: int | None,
    slots: Slots,
    inputs: Inputs,
) -> Why:
    from patternc.analysis.explain.explain import why

    frontend, inputs = fixed(frontend, inputs, "this question")
    program = frontend.program
    n, layer = tokens(n, 1), layer_number(layer, program.layers)
    query, key = (_position(name, at, n) for name, at in (("query", query), ("key", key)))
    most = layers_looked_at(layers, program.layers or LAYERS)
    schedule, tables = stack(frontend, n, max(most, layer + 1), slots, inputs)
    listed = len(tables[layer % len(tables)])
    heads = range(listed) if head is None else [_head(head, program.heads, listed)]
    with allowance():
        return why(program, schedule, tables, n, query, key, layer, heads, most)


def diff(
    left: Frontend,
    right: Frontend,
    n: int | None,
    layers: int | None,
    slots: Slots,
    when: str | None = None,
) -> Difference:
    from patternc.analysis.equivalence.compare import compared
    from patternc.analysis.equivalence.results import Difference

    both = left, right
    spans = [span for each in both for span in _lengths_that_fit(each)]
    span = (max(low for low, _ in spans), min(high for _, high in spans)) if spans else None
    lengths = lengths_of(when, span)
    usual = LENGTH if span is None else span[1]
    at = length_among(None if n is None else tokens(n, 1), usual, lengths)
    named = [each.program.layers or 1 for each in both]
    most = layers_looked_at(layers, max(named), 1)
    ours, theirs = ([each.relations(layer) for layer in _layers(each)] for each in both)
    with allowance():
        parts = compared(ours, theirs, at, lengths)
        one, other = (_side(each, at, most, slots) for each in both)
    return Difference(at, one, other, parts, lengths)


def _layers(frontend: Frontend) -> range:
    return range(frontend.program.layers or 1)


def _span(frontend: Frontend) -> Span | None:
    """The lengths that all grids of the program fit."""
    spans = _lengths_that_fit(frontend)
    return (max(low for low, _ in spans), min(high for _, high in spans)) if spans else None


def _lengths_that_fit(frontend: Frontend) -> list[Span]:
    """The lengths that the grids of each layer fit."""
    spans = map(frontend.fitting, _layers(frontend))
    return [span for span in spans if span is not None]


def _side(frontend: Frontend, n: int, layers: int, slots: Slots) -> Side:
    from patternc.analysis.equivalence.results import Side

    program, pairs = frontend.program, None
    if all_given(frontend, {}):
        counts = (masks.pairs(frontend, n, at, "", slots, {}) for at in _layers(frontend))
        with suppress(EffortError):
            pairs = tuple(map(tuple, counts))
    found = reach(frontend, n, layers, True, slots, {})
    return Side(frontend.name, program.heads, program.layers, pairs, found)


def check(
    frontend: Frontend,
    n: int | None,
    ignore: Iterable[str],
    teach: bool,
    layers: int | None,
    when: str | None = None,
) -> tuple[Diagnostic, ...]:
    from patternc.analysis.lint.warnings import usual_length, warnings_at

    program = frontend.program
    given = None if n is None else tokens(n)
    n = length_among(given, usual_length(program), lengths_of(when, _span(frontend)))
    with allowance():
        found = ordered((*program.warnings, *warnings_at(program, n)))
        if teach:
            found = ordered((*found, *_performance_hints(frontend, n, layers)))
    ignored = warning_codes(ignore)
    return tuple(warning for warning in found if warning.code not in ignored)


def _performance_hints(frontend: Frontend, n: int, layers: int | None) -> tuple[Diagnostic, ...]:
    from patternc.analysis.lint.performance_hints import performance_hints

    def tile() -> tuple[int, int]:
        every = chain.from_iterable(map(frontend.relations, _layers(frontend)))
        return choose_tiles(every, None, None).shape

    return performance_hints(frontend.program, n, layers, tile)


def growth(frontend: Frontend, layer: int, residual: bool) -> ClosedFormReach | None:
    from patternc.analysis.reach.closed_form import growth

    return growth(frontend.relations(layer_number(layer, frontend.program.layers)), residual)


def unmet(frontend: Frontend, n: int, layer: int, slots: Slots, inputs: Inputs) -> Unattended:
    from patternc.analysis.reach.unattended import unattended

    frontend, inputs = fixed(frontend, inputs, "this question")
    tables = head_tables(frontend, tokens(n, 1), layer, slots, inputs)
    with allowance():
        return unattended(frontend.relations(layer), tables)


def last_reader(frontend: Frontend, layer: int, page: int) -> tuple[LastReader, ...]:
    from patternc.analysis.cost.kv_cache import readers
    from patternc.analysis.cost.last_reader import last_reader

    heads, end = _decoder(frontend, layer)
    page = whole("page", page, 1)
    return tuple(last_reader(readers([head], page, end)) for head in heads)


def live_pages(frontend: Frontend, t: int, layer: int, page: int) -> LivePages:
    from patternc.analysis.cost.kv_cache import readers
    from patternc.analysis.cost.last_reader import live_pages

    heads, end = _decoder(frontend, layer)
    at = tokens(whole("t", t) + 1) - 1
    return live_pages(readers(heads, whole("page", page, 1), end), at)


def _decoder(frontend: Frontend, layer: int) -> tuple[tuple[Relation, ...], int | None]:
    """The heads of a layer whose rows never see a later token, and the length it ends at."""
    from patternc.analysis.cost.kv_cache import is_causal

    layer = layer_number(layer, frontend.program.layers)
    heads, span = frontend.relations(layer), frontend.fitting(layer)
    if not is_causal(heads):
        raise ValueError(
            f"layer {layer} has rows that see later tokens, so no cache of keys serves it; "
            "write `causal` on a line of its own"
        )
    made = [
        word_of(source) for head in heads for source in head.sources if isinstance(source, _MADE)
    ]
    if made:
        raise ValueError(f"the slots of {made[0]} are made of all tokens, so none can be dropped")
    return heads, None if span is None else span[1]


def contributions(frontend: Frontend, n: int, layers: int | None) -> tuple[int | None, ...]:
    from patternc.analysis.reach import connected
    from patternc.analysis.reach.ablation import contributions

    layers = layers_looked_at(layers, frontend.program.layers, 1)
    schedule, _ = stack(frontend, tokens(n, 1), layers, None, {})
    with allowance():
        return contributions(schedule, n, layers, None, connected(schedule, n, layers))


def graph(
    frontend: Frontend, n: int, block: int, layer: int, slots: Slots, inputs: Inputs
) -> nx.DiGraph[int]:
    from patternc.analysis.reach.block_graph import graph

    frontend, inputs = fixed(frontend, inputs, "a graph")
    program = frontend.program
    n, layer, given = checked(frontend, tokens(n, 1), layer, inputs)
    one_element(given, program.inputs, "a graph")
    tables = tables_of(frontend, n, given, slots)
    at, size = layer if program.layers else 0, whole("block", block, 1)
    with allowance(), effort():
        return graph(program, at, tables, size)


def subject(
    frontend: Frontend, work: Workload, layers: int, slots: Mapping[str, int], inputs: Inputs
) -> ReportSubject:
    from patternc.analysis.report_facts import ReportSubject

    frontend, inputs = fixed(frontend, inputs, "a report")
    program = frontend.program
    each, tables = stack(frontend, work.n, layers, {"encoder": work.n, **slots}, inputs)
    schedule = [layer % len(tables) for layer in range(layers)]
    heads = [len(own) for own in tables]
    relations = [every[:count] for every, count in zip(each, heads, strict=True)]
    others = [
        tuple(tuple(islice(cycle(frontend.relations(layer, rows)), count)) for rows in program.rows)
        for layer, count in enumerate(heads)
    ]
    return ReportSubject(
        program,
        tuple(relations[layer] for layer in schedule),
        tuple(others[layer] for layer in schedule),
        program.layers or 1,
        tuple(tuple(tables[layer]) for layer in schedule),
        all_given(frontend, inputs),
        slots,
        tuple(frontend.fitting(layer) is not None for layer in schedule),
        choose_tiles(chain(*relations), work.dtype, work.head_dim).shape,
    )


def _position(name: str, value: object, n: int) -> int:
    position = whole(name, value)
    if position >= n:
        raise ValueError(f"{name} is {position}; positions count from 0 to {n - 1}")
    return position


def _head(head: object, heads: int | None, listed: int) -> int:
    """A head of the program; without `heads` it has as many as its lists, else all are alike."""
    number = whole("head", head)
    if number >= (heads or number + 1):
        raise ValueError(f"head {number} is out of range; heads count from 0 to {(heads or 1) - 1}")
    return number if heads else min(number, listed - 1)
