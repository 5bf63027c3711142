"""Which keys a row may see and which rows may see keys, as kernels ask before they load them.

Converts a condition on pairs to what it says of a key alone, or of a row: its bounds, sets and
labels. Conditions on pairs, such as labels of two documents, lists, random keys, spans and
residues, count as visible.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from itertools import chain, permutations, product

from patternc.algebra.affine import Linear, linear, total
from patternc.algebra.atoms import Compared, Member, SameLabel
from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import TRUE, conjunction
from patternc.algebra.walk import atoms_of
from patternc.emit.text.bounds import (
    Bounded,
    Either,
    Position,
    bounded,
    by_position,
    items_of,
    joined,
    printed,
)
from patternc.emit.text.expressions import POSITIONS, TRITON, Names, Printer
from patternc.emit.text.layout import AND, OR, Text
from patternc.frozen import frozen
from patternc.ir.formula import Atom, Compare, Condition, Constant, Subtract, Variable


def seen_keys(value: Condition) -> tuple[Bounded, ...]:
    """The rows that may see each key by what is known of the key alone; none if any may.

    That is its bounds, and the sets and labels that it is in. What else asks pairs holds for some
    row, as far as this tells.
    """
    return _known(value, "i")


def seeing_rows(value: Condition) -> tuple[Bounded, ...]:
    """The keys that each row may see by what is known of the row alone; none if any."""
    return _known(value, "j")


def tells_rows_without_keys(value: Condition) -> bool:
    """Are the rows that see no keys known by themselves alone?"""
    common, items = _items(by_position(value, "j"))
    held = chain.from_iterable(items_of(item.held) for item in items)
    asked = chain.from_iterable(map(atoms_of, held))
    return not common and not any(item.pairs for item in items) and all(map(_is_read, asked))


def _items(found: Bounded | Either) -> tuple[tuple[Condition, ...], tuple[Bounded, ...]]:
    return (found.common, found.items) if isinstance(found, Either) else ((), (found,))


def _known(value: Condition, other: Position) -> tuple[Bounded, ...]:
    _, items = _items(by_position(value, other))
    known = tuple(dict.fromkeys(map(_of_one, items)))
    return () if Bounded(other, (), (), TRUE, ()) in known else known


def _of_one(item: Bounded) -> Bounded:
    labels = [found for pair in item.pairs if (found := _has_label(pair, item.name)) is not None]
    held = [part for part in items_of(item.held) if all(map(_is_read, atoms_of(part)))]
    return replace(item, held=conjunction([*held, *labels]), pairs=())


def _has_label(pair: Condition, other: Position) -> Condition | None:
    """Whether the one position of two equal labels has any: whether it is equal to itself."""
    match pair:
        case SameLabel(table, row, key):
            own = row if other == "j" else key
            return SameLabel(table, own, own) if other not in variables_of(own) else None
        case _:
            return None


def _is_read(atom: Atom) -> bool:
    """Does it take one entry of a table for each position? Searching lists costs too much."""
    return isinstance(atom, Member | SameLabel | Compared)


def printed_seen(items: tuple[Bounded, ...]) -> Text:
    """The text that asks keys whether a row of low .. high may see them, in a kernel."""
    return joined(OR, "|", list(map(_printed_seen, items)))


def _printed_seen(item: Bounded) -> Text:
    return joined(AND, "&", list(_seen(item)))


def printed_sees(items: tuple[Bounded, ...]) -> Text:
    """The text that asks rows whether they may see a key of low .. high, all of 0 .. m - 1.

    Ranges of rows that meet are one: each number that a loop keeps costs kernels a register.
    """
    common = set(items_of(items[0].held)).intersection(*(items_of(item.held) for item in items))
    asked = [part for part in items_of(items[0].held) if part in common and part != TRUE]
    bare = [_without(item, common) for item in items]
    ranges = [found for item in bare if (found := _range_of_rows(item)) is not None]
    merged = _merged(ranges)
    if len(merged) == len(ranges) or RowRange(None, None) in merged:
        return printed_seen(items)
    others = [item for item in bare if _range_of_rows(item) is None]
    printer = Printer(TRITON, POSITIONS)
    parts = [*(printed(each.bounded(), printer) for each in merged), *map(_printed_seen, others)]
    first = _kernel_printer(items[0].name, "low")
    return joined(AND, "&", [joined(OR, "|", parts), *map(first.condition, asked)])


def _without(item: Bounded, common: Set[Condition]) -> Bounded:
    return replace(item, held=conjunction(x for x in items_of(item.held) if x not in common))


@frozen
class RowRange:
    """The rows from `first` to `last`, sums of m and a number; None: without an end there."""

    first: Linear | None
    last: Linear | None

    def bounded(self) -> Bounded:
        first, last = (
            () if end is None else (end.expression(),) for end in (self.first, self.last)
        )
        return Bounded("i", first, last, TRUE, ())

    def joined(self, later: RowRange) -> RowRange | None:
        """Both as one, where this one begins first and leaves no row out before the later one."""
        begins = self.first is None or _is_least(self.first, later.first)
        if not begins or not (self.last is None or _is_least(later.first, self.last.plus(1))):
            return None
        if self.last is None or (later.last is not None and _is_least(later.last, self.last)):
            return self
        ends = later.last is None or _is_least(self.last, later.last)
        return RowRange(self.first, later.last) if ends else None


def _is_least(one: Linear | None, other: Linear | None) -> bool:
    """Is the one number at most the other, whatever m is? There is a key, so m is at least 1."""
    if one is None or other is None:
        return False
    change = total([one, other.times(-1)])
    factors = dict(change.terms)
    of_m = factors.pop(Variable("m"), 0)
    return not factors and of_m <= 0 and change.number + of_m <= 0


def _range_of_rows(item: Bounded) -> RowRange | None:
    """The rows of an item, if those are a range: what it asks keys 0 .. m - 1 says of rows."""
    last = Subtract(Variable("m"), Constant(1))
    asked = [
        *(Compare("<=", end, last) for end in item.lower),
        *(Compare(">=", end, Constant(0)) for end in item.upper if end != Constant(0)),
        *_not_empty(item),
        *items_of(item.held),
    ]
    found = bounded(conjunction(asked), "i", ())
    alone = len(found.lower) < 2 and len(found.upper) < 2 and not found.pairs
    if found.held != TRUE or not alone:
        return None
    first, last_row = (linear(ends[0]) if ends else None for ends in (found.lower, found.upper))
    return RowRange(first, last_row)


def _merged(ranges: list[RowRange]) -> list[RowRange]:
    """Ranges of the same rows, as few as joining two of them leads to."""
    for one, other in permutations(ranges, 2):
        whole = one.joined(other)
        if whole is not None and whole.first != whole.last:  # one row is asked by `==`
            return _merged([whole, *(each for each in ranges if each not in (one, other))])
    return ranges


def _seen(value: Bounded) -> Iterator[Text]:
    """Rows of a key and of a tile meet where neither ends before the other begins."""
    other, own = Variable(value.name), _other_than(value.name)
    last, first = _kernel_printer(value.name, "high"), _kernel_printer(value.name, "low")
    yield from (_of_tile(Compare(">=", other, end), own, last) for end in value.lower)
    yield from (_of_tile(Compare("<=", other, end), own, first) for end in value.upper)
    yield from map(first.condition, _not_empty(value))
    if value.held != TRUE:
        yield first.condition(value.held)


def _not_empty(value: Bounded) -> Iterator[Condition]:
    """That the bounds leave room between them, where that is not plain."""
    for low, high in product(value.lower, value.upper):
        room = linear(Subtract(high, low))
        if room.terms or room.number < 0:
            yield Compare("<=", low, high)


def _other_than(name: Position) -> Position:
    return "i" if name == "j" else "j"


def _of_tile(item: Condition, own: Position, printer: Printer) -> Text:
    """As a bound of the key where it is one: a number that all keys of a tile share."""
    return (
        printed(bounded(item, own, ()), printer)
        if own in variables_of(item)
        else printer.condition(item)
    )


def _kernel_printer(other: Position, end: str) -> Printer:
    return Printer(TRITON, Names({**POSITIONS.variables, other: end}))
