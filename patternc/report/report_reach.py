"""The sections of the report about the flow of information.

The hop histogram, the slowest pair with its path, what stays unconnected, what is left out, what
heads add, and fields without the residual path. Other sections are in `report_text`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from patternc.analysis.explain.critical_path import Slowest
from patternc.analysis.explain.explain import PathStep
from patternc.analysis.reach import LayerReach
from patternc.analysis.reach_summary import ReachSummary
from patternc.analysis.report_facts import LayerFacts
from patternc.report.why import link

Row = tuple[str, ...]
HOPS = ("layers needed", "pairs", "of allowed pairs")
LEFT_OUT = ("layers", "heads", "queries without keys", "keys without queries")
OTHERS = ("layers", "rows", "queries", "slots", "pairs of a head", "density")
# Steps of a path that are shown.
_STEPS = 12


def hops(flow: ReachSummary) -> Iterator[Row]:
    """How many layers pairs need; those that stay unconnected last."""
    reach = flow.reach
    for layers, count in enumerate(reach.hops):
        if count is None:
            yield str(layers), "not known", ""
            return
        if count:
            yield str(layers), f"{count:,}", _share(count, reach.permitted)
    if reach.unreached:
        never = "never" if flow.settled else f"more than {len(reach.layers)}"
        yield never, f"{reach.unreached:,}", _share(reach.unreached, reach.permitted)


def _share(count: int, among: int) -> str:
    return f"{count / among:.3%}"


def slow(flow: ReachSummary) -> Iterator[Row]:
    """The slowest pair and its path, a pair that stays unconnected, and the residual path."""
    if flow.slowest is None:
        yield "slowest pair", f"absent: {flow.reason}"
    else:
        yield from _pair(flow.slowest)
    if flow.unheard is not None:
        query, key = flow.unheard
        ending = "in any number of layers" if flow.settled else "within these layers"
        yield "unconnected", f"for example, query {query:,} never depends on key {key:,} {ending}"
    if flow.plain.layers == flow.reach.layers:
        yield "residual path", "redundant: receptive fields are the same without it"


def _pair(found: Slowest) -> Iterator[Row]:
    count = f"{found.layers} layer{'s' * (found.layers > 1)}"
    yield "slowest pair", f"query {found.query:,} depends on key {found.key:,} after {count}"
    for step in _shown(found.path[::-1]):
        yield ("..", "") if step is None else (f"layer {step.layer}", _link(step))


def _shown(path: Sequence[PathStep]) -> Iterator[PathStep | None]:
    """Long paths by their ends."""
    if len(path) <= _STEPS:
        yield from path
    else:
        yield from (*path[: _STEPS // 2], None, *path[-_STEPS // 2 :])


def _link(step: PathStep) -> str:
    places = dict.fromkeys(f"{part.line}:{part.column}" for part in step.terms)
    return f"{link(step)} at {', '.join(places)}" if places else link(step)


def growth(flow: ReachSummary) -> Iterator[Row]:
    """The fields as a formula in the number of layers."""
    if flow.growth is not None:
        about = "" if flow.growth.exact else ", or fewer pairs"
        since = f", for k >= {flow.growth.since}" if flow.growth.since > 1 else ""
        where = "always" if flow.growth.formula == "true" else f"where {flow.growth.formula}"
        yield "after k layers", f"i depends on j {where}{since}{about}"


def contributions(flow: ReachSummary) -> Iterator[Row]:
    """The pairs that are lost without a head, equal heads together."""
    found = flow.contributions
    if found is None or len(found) < 2:
        return
    by_count: dict[int | None, list[int]] = {}
    for head, lost in enumerate(found):
        by_count.setdefault(lost, []).append(head)
    for lost, heads in by_count.items():
        which = "each of them" if len(heads) > 1 else "it"
        yield f"head{'s' * (len(heads) > 1)} {consecutive(heads)}", _lost(lost, which)


def _lost(pairs: int | None, which: str) -> str:
    if pairs is None:
        return "not known"
    if pairs == 0:
        return "each head is redundant on its own" if which != "it" else "redundant"
    return f"{pairs:,} pairs need {which}"


def plain(flow: ReachSummary) -> tuple[LayerReach, ...]:
    """The fields without the residual path, up to the layers that repeat; none where it is idle."""
    if flow.plain.layers == flow.reach.layers:
        return ()
    layers, period = flow.plain.layers, flow.period
    for at in range(len(layers)):
        if all(
            layers[later] == layers[later - period] for later in range(at + period, len(layers))
        ):
            return layers[: at + period]
    return layers


def left_out(layers: Sequence[LayerFacts]) -> Iterator[Row]:
    """Rows without a key and keys that nobody attends to; nothing where there are none."""
    told: dict[tuple[Row, ...], list[int]] = {}
    for number, layer in enumerate(layers):
        told.setdefault(tuple(_unmet(layer)), []).append(number)
    for rows, numbers in told.items():
        for row in rows:
            yield consecutive(numbers), *row


def _unmet(layer: LayerFacts) -> Iterator[Row]:
    keys = layer.unmet.unseen_keys
    by_count: dict[int | None, list[int]] = {}
    for head, count in enumerate(layer.unmet.empty_rows):
        by_count.setdefault(count, []).append(head)
    if keys == 0 and set(by_count) == {0}:
        return
    for count, heads in by_count.items():
        yield consecutive(heads), _count(count), _count(keys)


def _count(count: int | None) -> str:
    return "not known" if count is None else f"{count:,}"


def others(layers: Sequence[LayerFacts]) -> Iterator[Row]:
    """The rows of streams and trees."""
    told: dict[Row, list[int]] = {}
    for number, layer in enumerate(layers):
        for cost in layer.others:
            least, most = (
                end((count for count in cost.pairs if count is not None), default=None)
                for end in (min, max)
            )
            known = cost.density is not None and least is not None and most is not None
            pairs = "at call time" if not known else f"{least:,}"
            if known and least != most:
                pairs += f" to {most:,}"
            share = "" if cost.density is None else f"{cost.density:.4%}"
            own = (cost.name, f"{cost.rows:,}", f"{cost.keys:,}", pairs, share)
            told.setdefault(own, []).append(number)
    for row, numbers in told.items():
        yield consecutive(numbers), *row


def consecutive(numbers: Sequence[int]) -> str:
    """Ascending numbers, runs of them as `2-5`."""
    runs = []
    for _, run in groupby(enumerate(numbers), lambda item: item[1] - item[0]):
        found = [number for _, number in run]
        runs.append(f"{found[0]}" if len(found) == 1 else f"{found[0]}-{found[-1]}")
    return ", ".join(runs)
