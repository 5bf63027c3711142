"""Which position is the last to hear of something: from the answers of the engines to one place.

From the answers of all layers to the number of layers that the slowest pair needs, and the first
query that has such a pair. Non-goals: its key, and the way between them (`analysis.slowest`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from patternc.analysis.reach.engine import Answer
from patternc.relation import integer_maps as maps
from patternc.relation.integer_sets import BudgetError, budget

# About 0.8 s.
OPERATIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Latest:
    """`query` is the first position with a pair that `layers` layers connect and no fewer.

    What it hears of by then lies in `width` positions from `start` on, a segment that no layer
    leaves; the whole sequence where there are none.
    """

    layers: int
    query: int
    start: int
    width: int


def latest(found: Sequence[Answer], n: int, causal: bool) -> Latest | None:
    """None: nothing is connected but positions with themselves, or it is not known."""
    layers = _last_growth(found, n)
    if layers is None or not layers:
        return None
    at = layers - 1
    if found[at].within:
        return _within(found, at, n, causal)
    query = _first_grown(found, at, n, causal)
    return None if query is None else Latest(layers, query, 0, n)


def _last_growth(found: Sequence[Answer], n: int) -> int | None:
    """The last layer that connects anything new, with the residual path; 0 where none does."""
    before, last = n, 0
    for layer, answer in enumerate(found, 1):
        if not answer.exact:
            return None
        total = answer.field.sizes.total
        if total > before:
            before, last = total, layer
    return last


def _within(found: Sequence[Answer], at: int, n: int, causal: bool) -> Latest | None:
    """In the first whole segment, or in the last one."""
    whole = [answer.within[0] for answer in found]
    width = whole[0].field.sizes.rows
    inner = latest(whole, width, causal)
    if inner is not None and inner.layers == at + 1:
        return inner
    rest = [answer.within[-1] for answer in found]
    start = n - n % width
    inner = latest(rest, n % width, causal)
    if inner is None or inner.layers != at + 1:
        return None
    return Latest(inner.layers, start + inner.query, start, n % width)


def _first_grown(found: Sequence[Answer], at: int, n: int, causal: bool) -> int | None:
    now = found[at]
    if now.grown is not None:
        return now.grown
    full = now.field.sizes.total == (n * (n + 1) // 2 if causal else n * n)
    before = found[at - 1] if at else None
    if full and before is None:
        return int(causal)
    if full and before is not None and before.lacking is not None:
        return before.lacking
    permitted = maps.past(n) if causal else maps.everything(n)
    later = permitted if full else now.fields
    earlier = maps.identity(n) if before is None else before.fields
    return None if later is None or earlier is None else _first_row(later, earlier)


def _first_row(later: maps.Map, earlier: maps.Map) -> int | None:
    try:
        with budget(OPERATIONS):
            return int(later.subtract(earlier).domain().dim_min_val(0).to_python())
    except BudgetError:
        return None
