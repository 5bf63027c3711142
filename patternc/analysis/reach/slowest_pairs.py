"""The (query, key) pairs that connect last or never.

Maps the answers of all layers to the first query of the slowest pairs, and the first that lacks a
permitted key in the end. The keys and the path between them are in `explain.critical_path`.
"""

from __future__ import annotations

from collections.abc import Sequence

from patternc.algebra import isl_maps as maps
from patternc.algebra.isl_context import BudgetError, budget
from patternc.analysis.reach.dispatch import ReachAnswer
from patternc.frozen import frozen

# About 0.8 s.
OPERATIONS = 1_000_000


@frozen
class Place:
    """A query, and the `width` positions from `start` on that it ever depends on.

    These are a segment that no layer leaves, or the whole sequence.
    """

    query: int
    start: int
    width: int

    def moved(self, start: int) -> Place:
        return Place(self.query + start, self.start + start, self.width)


@frozen
class Latest:
    """`place` is the first query with a pair that `layers` layers connect and no fewer."""

    layers: int
    place: Place


def latest(found: Sequence[ReachAnswer], n: int, causal: bool) -> Latest | None:
    """None: nothing is connected but positions with themselves, or it is not known."""
    layers = _last_growth(found, n)
    if layers is None or not layers:
        return None
    if found[layers - 1].within:
        return _latest_within(found, layers, n, causal)
    query = _first_grown(found, layers - 1, n, causal)
    return None if query is None else Latest(layers, Place(query, 0, n))


def lacking(found: Sequence[ReachAnswer], n: int, causal: bool) -> Place | None:
    """The first query that lacks a permitted key after the last layer; None is not known.

    Where positions never leave their segments and it lacks no key of its own one, the segment.
    """
    last = found[-1] if found else None
    if last is None or not last.exact:
        return None
    if last.within:
        whole = [answer.within[0] for answer in found]
        width = whole[0].field.sizes.rows
        return lacking(whole, width, causal) or Place(width if causal else 0, 0, width)
    if last.lacking is not None:
        return Place(last.lacking, 0, n)
    if last.fields is None:
        return None
    query = _first_row(_permitted(n, causal), last.fields)
    return None if query is None else Place(query, 0, n)


def _last_growth(found: Sequence[ReachAnswer], n: int) -> int | None:
    """The last layer that connects anything new, with the residual path; 0 where none does."""
    before, last = n, 0
    for layer, answer in enumerate(found, 1):
        if not answer.exact:
            return None
        total = answer.field.sizes.total
        if total > before:
            before, last = total, layer
    return last


def _latest_within(
    found: Sequence[ReachAnswer], layers: int, n: int, causal: bool
) -> Latest | None:
    """In the first whole segment, or in the last one."""
    whole = [answer.within[0] for answer in found]
    width = whole[0].field.sizes.rows
    inner = latest(whole, width, causal)
    if inner is not None and inner.layers == layers:
        return inner
    rest = [answer.within[-1] for answer in found]
    inner = latest(rest, n % width or width, causal)
    if inner is None or inner.layers != layers:
        return None
    return Latest(layers, inner.place.moved(n - n % width))


def _first_grown(found: Sequence[ReachAnswer], at: int, n: int, causal: bool) -> int | None:
    now, before = found[at], found[at - 1] if at else None
    if now.grown is not None:
        return now.grown
    full = now.field.sizes.total == (n * (n + 1) // 2 if causal else n * n)
    if full and before is None:
        return int(causal)
    if full and before is not None and before.lacking is not None:
        return before.lacking
    later = _permitted(n, causal) if full else now.fields
    earlier = maps.identity(n) if before is None else before.fields
    return None if later is None or earlier is None else _first_row(later, earlier)


def _permitted(n: int, causal: bool) -> maps.Map:
    return maps.past(n) if causal else maps.everything(n)


def _first_row(later: maps.Map, earlier: maps.Map) -> int | None:
    """The first row of which the later map holds more; None: there is none, or too much to do."""
    try:
        with budget(OPERATIONS):
            rows = later.subtract(earlier).domain()
            return None if rows.is_empty() else int(rows.dim_min_val(0).to_python())
    except BudgetError:
        return None
