"""Score modifiers as lines of a kernel, and the lines of their derivatives.

Converts a modifier's expression to text over a tile of scores `qk` [queries, keys], of which
`distance`, `row`, `inside` and `j` speak. Tables' gradients are found row by row, so that no two
programs add to one place: what rows share is summed afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from patternc.algebra.score_derivatives import Terms, derivative, shared, without
from patternc.emit.text.layout import Call, Keyword, Leaf, Text, flat, statement
from patternc.emit.text.score_text import TRITON_SCORES, ScorePrinter
from patternc.frozen import frozen
from patternc.ir.modifiers import ScoreModifier
from patternc.ir.score_expressions import (
    SCORE,
    AtDistance,
    AtKey,
    Difference,
    Distance,
    Entry,
    Function,
    Node,
    OfHead,
    OfKey,
    OfQuery,
    Score,
    Sum,
    parts,
)
from patternc.ir.sources import KeySource, Pool


@frozen
class Line:
    """A statement: what stands before a text."""

    prefix: str
    text: Text

    def at(self, margin: str) -> str:
        return statement(self.text, self.prefix, len(margin))


@frozen
class RowSum:
    """Part of a table's gradient: `line` adds a sum over a row's keys, for the entry at `place`."""

    name: str
    line: Line
    place: str


@frozen
class Scattered:
    """Part of a table's gradient: `value` of the pairs in `mask`, one of a row for each `place`.

    With `repeats` keys of one row may share a place.
    """

    place: str
    mask: str
    value: str
    repeats: bool = False


@frozen
class Operation:
    """One operation on scores: its data, and its lines in a kernel.

    `values` are read once for a head, `rows` found once for a query tile. `slope` assigns the
    derivative by the score before it, where that is not 1, in terms of parts with names and of that
    score, `opN_before`. With ds the gradient of the score after it, `sums` and `scattered` make the
    gradient of its table, row by row; `learning` are the lines that these build on. The gradient of
    a number of each key is the sum of `of_keys` down its column. An operation
    `of_values` changes no score, but the gradient of the weights: by this line.
    """

    text: Text
    number: int
    values: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    slope: Line | None = None
    learning: tuple[Line, ...] = ()
    sums: tuple[RowSum, ...] = ()
    scattered: Scattered | None = None
    of_keys: Text | None = None
    of_values: Line | None = None
    uses_distance: bool = False
    may_vanish: bool = False

    @property
    def has_table(self) -> bool:
        return bool(self.values or self.rows or self.of_keys)

    @property
    def asks_before(self) -> bool:
        """Does a derivative ask the score before the operation?"""
        derived = [*([self.slope] if self.slope else []), *self.learning]
        derived += [each.line for each in self.sums]
        return any(f"op{self.number}_before" in flat(line.text) for line in derived)

    @property
    def looks_up(self) -> bool:
        """Has each pair an entry of its table?"""
        return self.scattered is not None

    @property
    def is_involved(self) -> bool:
        """Does it multiply scores by what has gradients itself?"""
        return bool(self.slope and self.sums)


# Stands for the number of keys, of which a kernel knows the name.
KEYS = "KEY_COUNT"


def places(text: Text, number: int) -> Operation:
    """Operation `number`, which looks up where the queries and keys stand for others.

    Its table has the positions of the n tokens, and behind them those of the keys.
    """
    op = f"op{number}"
    of_row = f"tl.load({op} + i[:, None], mask=inside[:, None] & (i >= 0)[:, None], other=0)"
    of_key = f"tl.load({op} + ({op}_size - {KEYS} + j)[None, :], mask=(j < m)[None, :], other=0)"
    return Operation(
        text,
        number,
        rows=(f"{op}_row_place = {of_row}",),
        lines=(
            Line(f"{op}_key_place = ", Leaf(of_key)),
            Line(f"{op}_distance = ", Leaf(f"{op}_key_place - {op}_row_place")),
        ),
    )


def operation(
    text: Text, number: int, modifier: ScoreModifier, placed: int | None = None
) -> Operation:
    """The modifier as operation `number` of a pass; `text` is its data in the module.

    Its distances are those that operation `placed` finds, if there is one.
    """
    value, op = modifier.value, f"op{number}"
    if modifier.of_values:
        return _of_values(text, number, value)
    distance = "distance" if placed is None else f"op{placed}_distance"
    before, held = _printer(op, f"{op}_before", distance), parts(value)
    entry = next((part for part in held if isinstance(part, Entry)), None)
    common = Operation(
        text,
        number,
        lines=_lines(value, _printer(op, "qk", distance)),
        slope=_slope(derivative(value, SCORE), before),
        uses_distance=placed is None
        and any(isinstance(part, Distance | AtDistance) for part in held),
        may_vanish=entry is not None or any(map(_may_vanish, held)),
    )
    if entry is not None:
        gradient = before.derivative(derivative(value, entry), "ds")
        return _with_entry(common, entry, gradient, distance)
    if OfKey() in held:
        of_keys = before.derivative(derivative(value, OfKey()), "ds")
        return replace(common, of_keys=of_keys, may_vanish=True)
    numbers = [part for part in held if isinstance(part, OfHead | OfQuery)]
    learned = numbers if modifier.table is not None and modifier.table.inputs else []
    return replace(
        _with_sums(common, {part: derivative(value, part) for part in learned}, before),
        values=tuple(
            f"{op}_{part.name} = {_loaded(op, part.column)}"
            for part in numbers
            if isinstance(part, OfHead)
        ),
        rows=tuple(
            line for part in numbers if isinstance(part, OfQuery) for line in _of_query(op, part)
        ),
    )


def _of_values(text: Text, number: int, value: Node) -> Operation:
    """An entry that is added to values: the gradient of its vector is made of the weights."""
    assert isinstance(value, Entry)
    printer = _printer(f"op{number}", "qk", "distance")
    line = Line("ds += ", printer.expression(value))
    common = Operation(text, number, of_values=line, uses_distance=isinstance(value, AtDistance))
    return _with_entry(common, value, Leaf("weights"), "distance")


def _with_sums(
    found: Operation, gradients: Mapping[OfHead | OfQuery, Terms], printer: ScorePrinter
) -> Operation:
    """The gradients of numbers of each head; what all of them begin with is computed once."""
    every = tuple(term for terms in gradients.values() for term in terms)
    op, factor, first = f"op{found.number}", "ds", shared(every)
    if len(every) > 1 and first.steps:
        line = Line(f"{op}_ds = ", printer.derivative((first,), "ds"))
        found, factor = replace(found, learning=(line,)), f"{op}_ds"
        gradients = {part: without(terms, first) for part, terms in gradients.items()}
    sums = (
        _row_sum(op, part.name, printer.derivative(terms, factor), str(part.column))
        for part, terms in gradients.items()
    )
    return replace(found, sums=tuple(sums))


def _lines(value: Node, printer: ScorePrinter) -> tuple[Line, ...]:
    named = [Line(f"{name} = ", text) for name, text in printer.named(value)]
    match value:
        case Sum(Score(), right):
            changed = Line("qk += ", printer.expression(right))
        case Difference(Score(), right):
            changed = Line("qk -= ", printer.expression(right))
        case _:
            changed = Line("qk = ", printer.expression(value))
    return *named, changed


def _slope(terms: Terms, printer: ScorePrinter) -> Line | None:
    """The derivative by the score; none where it is 1."""
    if len(terms) == 1 and terms[0].is_one:
        return None
    return Line(f"{printer.prefix}derivative = ", printer.derivative(terms))


def _row_sum(op: str, name: str, value: Text, place: str) -> RowSum:
    return RowSum(name, Line(f"d_{op}_{name} += ", Call("tl.sum", (value, Leaf("1")))), place)


def _printer(op: str, score: str, distance: str) -> ScorePrinter:
    def leaf(part: Node) -> Text:
        match part:
            case OfHead(name) | OfQuery(name):
                return Leaf(f"{op}_{name}")
            case Distance():
                return Leaf(distance)
            case AtDistance():
                return _entry(f"{op}_rows + {op}_at", "inside[:, None]")
            case AtKey():
                return _entry(f"{op}_rows + j[None, :]", "inside[:, None] & (j < m)[None, :]")
            case OfKey():
                return _entry(f"{op} + j[None, :]", "(j < m)[None, :]")
            case _:
                return Leaf(score)

    return ScorePrinter(TRITON_SCORES, leaf, f"{op}_")


def _entry(place: str, inside: str) -> Text:
    named = Keyword("mask", Leaf(inside)), Keyword("other", Leaf("0.0"))
    return Call("tl.load", (Leaf(place), *named))


def _loaded(op: str, column: int) -> str:
    return f"tl.load({op} + {column})" if column else f"tl.load({op})"


def _of_query(op: str, part: OfQuery) -> tuple[str, str]:
    rows, column = f"{op}_rows", f" + {part.column}" if part.column else ""
    return (
        f"{rows} = {op} + row.to(tl.int64)[:, None] * {op}_row",
        f"{op}_{part.name} = tl.load({rows}{column}, mask=inside[:, None], other=0.0)",
    )


def _may_vanish(part: Node) -> bool:
    return isinstance(part, Function) and part.name == "log_share"


def _with_entry(found: Operation, entry: Entry, gradient: Text, distance: str) -> Operation:
    op = f"op{found.number}"
    rows = (f"{op}_rows = {op} + row.to(tl.int64)[:, None] * {op}_row",)
    match entry:
        case AtKey():
            scattered = Scattered("j[None, :]", "(j < m)[None, :]", flat(gradient))
            return replace(found, rows=rows, scattered=scattered)
        case AtDistance(low, high):
            return _at_distance(replace(found, rows=rows), low, high, gradient, distance)
        case _:
            assert_never(entry)


def _at_distance(
    found: Operation, low: int | None, high: int, gradient: Text, distance: str
) -> Operation:
    """Distances between the ends are those of one pair of a row; the ends gather all beyond.

    Where the call says where keys stand, several of a row may have one distance.
    """
    op = f"op{found.number}"
    farthest = f"{op}_size - 1" if low is None else str(low)
    place = f"tl.minimum(tl.maximum({distance}, -({farthest})), {high}) + {farthest}"
    below = Line("low = ", Leaf(f"{distance} <= -({farthest})"))
    above = Line("high = ", Leaf(f"({distance} >= {high}) & ~low"))
    sums = [
        _row_sum(op, end, Call("tl.where", (Leaf(end), gradient, Leaf("0.0"))), at)
        for end, at in (("low", "0"), ("high", f"{op}_size - 1"))
    ]
    return replace(
        found,
        lines=(Line(f"{op}_at = ", Leaf(place)), *found.lines),
        learning=(below, above),
        sums=tuple(sums),
        scattered=Scattered(f"{op}_at", "~low & ~high", flat(gradient), distance != "distance"),
    )


def row_of_distance(source: KeySource) -> str:
    """What distances are counted from: the position, or its window on a pool."""
    if not isinstance(source, Pool):
        return "i"
    window = "i" if source.stride == 1 else f"_floor_div(i, {source.stride})"
    # Leftover positions are part of the last slot.
    return f"tl.minimum({window}, m - 1)" if source.tail == "merge" else window
