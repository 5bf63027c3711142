"""Which keys a row may see and which rows may see keys, as kernels ask before they load them.

Converts a condition on pairs to what it says of a key alone, or of a row: its bounds, sets and
labels. Conditions on pairs, such as labels of two documents, lists, random keys, spans and
residues, count as visible.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, product

from patternc.algebra.affine import linear
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
from patternc.ir.formula import Atom, Compare, Condition, Subtract, Variable


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
    """The text that asks keys whether a row of low .. high may see them, in a kernel.

    Or rows whether they may see a key of low .. high.
    """
    return joined(OR, "|", [joined(AND, "&", list(_seen(item))) for item in items])


def _seen(value: Bounded) -> Iterator[Text]:
    """Rows of a key and of a tile meet where neither ends before the other begins."""
    other, own = Variable(value.name), _other_than(value.name)
    last, first = _kernel_printer(value.name, "high"), _kernel_printer(value.name, "low")
    yield from (_of_tile(Compare(">=", other, end), own, last) for end in value.lower)
    yield from (_of_tile(Compare("<=", other, end), own, first) for end in value.upper)
    for low, high in product(value.lower, value.upper):
        room = linear(Subtract(high, low))
        if room.terms or room.number < 0:
            yield first.condition(Compare("<=", low, high))
    if value.held != TRUE:
        yield first.condition(value.held)


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
