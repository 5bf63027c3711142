"""The texts of results that no command prints by itself: reach, last readers, pages, layouts.

Each is a few lines, with the words of the report. Does not compute what the results do not hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from patternc.algebra.work_budget import EffortError
from patternc.analysis.cost.last_reader import LastReader, LivePages
from patternc.analysis.reach import Reach
from patternc.analysis.reach.closed_form import ClosedFormReach
from patternc.report.key_runs import in_words
from patternc.report.report_reach import consecutive
from patternc.report.report_text import REACH, Section, aligned, field, full_at
from patternc.tiling.layout_at_length import Layout


def reach(found: Reach) -> str:
    rows = tuple(field(number, layer) for number, layer in enumerate(found.layers, 1))
    head = f"receptive fields at n = {found.n:,}, full at: {full_at(found)}"
    return "\n".join([head, *aligned(Section("reach", rows, REACH))])


def growth(found: ClosedFormReach) -> str:
    least = f", for k >= {found.since}" if found.since > 1 else ""
    bound = "" if found.exact else " (a bound: fewer pairs may be connected)"
    return f"query i depends on key j after k layers where {found.formula}{least}{bound}"


def last_reader(found: LastReader) -> str:
    key = "key j" if found.page == 1 else f"page `page` of {found.page:,} keys"
    bound = "" if found.exact else f" (a bound: {found.reason})"
    return f"last reader of {key}: {found.formula}{bound}"


def live_pages(found: LivePages) -> str:
    bound = "" if found.exact else "at most "
    head = (
        f"{bound}{found.count:,} pages of {found.page:,} keys are read after position {found.t:,}"
    )
    try:
        pages = ", ".join(map(in_words, sorted(found.ranges(), key=min)))
    except ValueError:
        return head
    return f"{head}: {pages}" if pages else head


def layout(found: Layout) -> str:
    return "\n".join(_layout(found))


def _layout(found: Layout) -> Iterator[str]:
    yield f"layout at n = {found.n:,}, tiles of {found.query_tile} x {found.key_tile}"
    try:
        counts = found.counts()
    except EffortError as error:
        yield f"  {found.heads} heads; not counted: {error}"
        return
    heads: dict[tuple[int, int], list[int]] = {}
    for head, each in enumerate(zip(counts.full, counts.partial, strict=True)):
        heads.setdefault(each, []).append(head)
    for (full, partial), numbers in heads.items():
        word = "head" if len(numbers) == 1 else "heads"
        yield f"  {word} {consecutive(numbers)}: {full:,} full, {partial:,} partial"
