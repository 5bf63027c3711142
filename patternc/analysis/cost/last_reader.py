"""The last row that reads each key: when a decoder may drop it.

Maps the rows that read keys to closed forms over the key j (or over a page of keys): the greatest
position that reads it, or that later positions always will. A sliding window of w keys reads key j
last at j + w - 1; sinks and strided columns are never read for the last time. Holds for sequences
of any length. Where tables choose among the pairs of a formula the row is an upper bound; what no
closed form tells counts as read for ever. Which keys are live after n tokens is in `kv_cache`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

from patternc.algebra.eliminate_floors import straightened
from patternc.algebra.evaluate import Values, evaluate, holds
from patternc.algebra.intervals import Interval
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_maps import last_values
from patternc.algebra.isl_sets import text_of
from patternc.algebra.simplify import FALSE, TRUE
from patternc.analysis.cost.kv_cache import Readers, kept_pages, live_ranges
from patternc.analysis.cost.quasi_polynomial import UncountedError
from patternc.emit.text.expressions import PYTHON, Names, Printer
from patternc.emit.text.layout import flat
from patternc.frozen import frozen
from patternc.ir.formula import Add, Any, Condition, Constant, Expression, Subtract
from patternc.printed import Printed

# About 0.03 s for all formulas at once, and for each by itself.
OPERATIONS = 30_000
_KEY, _PAGE = (
    Printer(PYTHON, Names({"i": name, "j": name, "n": "n", "m": "m"})) for name in ("j", "page")
)


@frozen
class LastReads:
    """The last readers by some formulas: `endless` where reads go on for ever, else `lasts`.

    Conditions and intervals of one value see the key, or the page, as i.
    """

    lasts: tuple[Interval, ...]
    endless: Condition

    def at(self, key: int) -> int | None:
        values: Values = {"i": key, "n": key + 1, "m": 0}
        if holds(self.endless, values):
            return None
        found = (int(evaluate(run.start, values)) for run in self.lasts if holds(run.guard, values))
        return max(found, default=-1)


@dataclass(frozen=True, slots=True, repr=False)
class LastReader(Printed):
    """When each key of one head is read for the last time, for sequences of any length.

    Of several `parts` the latest counts. Where not `exact`, for the `reason`, `at` is an upper
    bound: nothing that is still read is ever dropped.
    """

    printer: ClassVar[str] = "report.printing:last_reader"

    parts: tuple[LastReads, ...]
    page: int
    reason: str = ""

    @property
    def exact(self) -> bool:
        return not self.reason

    def at(self, key: int) -> int | None:
        """The last position that reads the key, or any key of the page of that number.

        None: later positions read it without end. -1: none reads it.
        """
        found = [part.at(key) for part in self.parts]
        known = [last for last in found if last is not None]
        return None if len(known) < len(found) else max(known, default=-1)

    @property
    def formula(self) -> str:
        """The closed form as text in j, or in the number of the page: `j + 255`."""
        texts = [_written(part, _KEY if self.page == 1 else _PAGE) for part in self.parts]
        return texts[0] if len(texts) == 1 else f"the latest of: {' | '.join(texts)}"


@dataclass(frozen=True, slots=True, repr=False)
class LivePages(Printed):
    """The pages of a cache that a position after `t` reads: `count` of them.

    Page p has the keys from p * page to (p + 1) * page (not included). Where not `exact`, there are
    at most so many, and what may be dropped may be dropped all the same.
    """

    printer: ClassVar[str] = "report.printing:live_pages"

    t: int
    count: int
    exact: bool
    pages: LastReader
    keys: LastReader
    readers: Readers

    @property
    def page(self) -> int:
        return self.readers.page

    def __contains__(self, page: int) -> bool:
        """Whether a later position reads a key of this page, of those up to t."""
        if 0 <= page < self._full:
            return self._is_later(self.pages.at(page))
        first = page * self.page
        keys = range(first, self.t + 1) if page == self._full else range(0)
        return any(self._is_later(self.keys.at(key)) for key in keys)

    def _is_later(self, last: int | None) -> bool:
        return last is None or last > self.t

    def may_drop(self, page: int) -> bool:
        """Whether page `page` is full, and no later position reads it."""
        return 0 <= page < self._full and page not in self

    @property
    def dropped(self) -> int:
        """How many full pages may be dropped."""
        return self._full - (self.count - (self._full in self))

    @property
    def _full(self) -> int:
        """Pages in which every key is computed."""
        return (self.t + 1) // self.page

    def ranges(self) -> tuple[range, ...]:
        """The numbers of the live pages, none twice.

        Raises `ValueError` where they are too many, in no few ranges: `in` asks for one of them.
        """
        try:
            return live_ranges(self.readers, self.t + 1)
        except UncountedError:
            raise ValueError(
                "the live pages are too many to list: ask for one, `page in live`"
            ) from None


def live_pages(asked: Readers, t: int) -> LivePages:
    """The pages of the heads that share a cache, once position t is computed."""
    kept, pages, keys = kept_pages(asked, t + 1), last_reader(asked), last_reader(_keys(asked))
    exact = kept.exact and pages.exact and keys.exact
    return LivePages(t, kept.count, exact, pages, keys, asked)


def _keys(asked: Readers) -> Readers:
    return replace(asked, page=1)


def last_reader(asked: Readers) -> LastReader:
    """The last readers of the keys of one head, or of the heads that share a cache."""
    if not asked.grows:
        return _never(asked, "the formula asks for the number of tokens")
    try:
        parts = _parts(replace(asked, chosen=False))
    except BudgetError as error:
        return _never(asked, str(error))
    return LastReader(parts, asked.page, "tables choose among the pairs" if asked.chosen else "")


def _never(asked: Readers, reason: str) -> LastReader:
    return LastReader((LastReads((), TRUE),), asked.page, reason)


@lru_cache(maxsize=256)
def _parts(asked: Readers) -> tuple[LastReads, ...]:
    """All formulas at once, which reads best; one by one where that is too much."""
    try:
        return (_of(asked),)
    except BudgetError:
        alone = dict.fromkeys(case for formula in asked.formulas for case in _cases(formula))
        if len(alone) < 2:
            raise
        return tuple(_of(replace(asked, formulas=(formula,))) for formula in alone)


def _cases(formula: Condition) -> tuple[Condition, ...]:
    return formula.items if isinstance(formula, Any) else (formula,)


@lru_cache(maxsize=1024)
def _of(asked: Readers) -> LastReads:
    """The last readers by all formulas; those of one are often those of other heads' too."""
    with budget(OPERATIONS):
        held = " or ".join(f"({text_of(straightened(formula))})" for formula in asked.formulas)
        return LastReads(*last_values(held or "false", asked.page, asked.end))


def _written(found: LastReads, printer: Printer) -> str:
    """Each value with the keys that have it."""
    values = [(flat(printer.expression(_ordered(run.start))), run.guard) for run in found.lasts]
    pieces = [*values, *([("read for ever", found.endless)] if found.endless != FALSE else [])]
    told = (
        value if guard == TRUE else f"{value} where {flat(printer.condition(guard))}"
        for value, guard in pieces
    )
    return "; ".join(told) or "never read"


def _ordered(value: Expression) -> Expression:
    """What is taken away behind what it is taken from: `j - j % 100 + 99`."""
    match value:
        case Add(Subtract(Constant(0), taken), rest):
            return Subtract(rest, taken)
        case Add(left, right):
            return Add(_ordered(left), right)
        case _:
            return value
