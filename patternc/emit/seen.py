"""Which keys a row may see, as kernels ask of the keys of a tile before they load them.

From a condition on pairs to what it says of a key alone: its bounds, sets and labels. Non-goals:
what takes pairs to tell, such as labels of two documents, lists, draws, spans and residues.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, product
from typing import assert_never

from patternc.emit.bounds import Bounded, Either, bounded, items_of, joined, printed, rows_of_keys
from patternc.emit.printer import POSITIONS, TRITON, Names, Printer
from patternc.emit.text import AND, OR, Text
from patternc.language.formula import (
    All,
    Any,
    Atom,
    Compare,
    Condition,
    Not,
    Subtract,
    Truth,
    Variable,
)
from patternc.relation.fold import TRUE, conjunction
from patternc.relation.formulas import variables_of
from patternc.relation.linear import linear
from patternc.relation.predicate import Member, SameLabel


def seen_keys(value: Condition) -> tuple[Bounded, ...]:
    """The rows that may see each key by what is known of the key alone; none if any may.

    That is its bounds, and the sets and labels that it is in. What else asks pairs holds for some
    row, as far as this tells.
    """
    found = rows_of_keys(value)
    items = found.items if isinstance(found, Either) else (found,)
    known = tuple(dict.fromkeys(map(_of_key, items)))
    return () if Bounded("i", (), (), TRUE, ()) in known else known


def _of_key(item: Bounded) -> Bounded:
    labels = [found for pair in item.pairs if (found := _has_label(pair)) is not None]
    held = [part for part in items_of(item.held) if all(map(_is_read, _atoms(part)))]
    return replace(item, held=conjunction([*held, *labels]), pairs=())


def _has_label(pair: Condition) -> Condition | None:
    """Whether the key of two equal labels has any: whether it is equal to itself."""
    match pair:
        case SameLabel(table, _, key) if variables_of(key) == {"j"}:
            return SameLabel(table, key, key)
        case _:
            return None


def _is_read(atom: Atom) -> bool:
    """Does it take one entry of a table for each key? A search through lists costs too much."""
    return isinstance(atom, Member | SameLabel)


def _atoms(value: Condition) -> Iterator[Atom]:
    match value:
        case Atom():
            yield value
        case All(items) | Any(items):
            yield from chain.from_iterable(map(_atoms, items))
        case Not(operand):
            yield from _atoms(operand)
        case Truth() | Compare():
            return
        case _:
            assert_never(value)


def printed_seen(items: tuple[Bounded, ...]) -> Text:
    """The text that asks keys whether a row of low .. high may see them, in a kernel."""
    return joined(OR, "|", [joined(AND, "&", list(_seen(item))) for item in items])


def _seen(value: Bounded) -> Iterator[Text]:
    """Rows of a key and of a tile meet where neither ends before the other begins."""
    row, last, first = Variable("i"), _kernel_printer("high"), _kernel_printer("low")
    yield from (_of_tile(Compare(">=", row, end), last) for end in value.lower)
    yield from (_of_tile(Compare("<=", row, end), first) for end in value.upper)
    for low, high in product(value.lower, value.upper):
        room = linear(Subtract(high, low))
        if room.terms or room.number < 0:
            yield first.condition(Compare("<=", low, high))
    if value.held != TRUE:
        yield first.condition(value.held)


def _of_tile(item: Condition, printer: Printer) -> Text:
    """As a bound of the key where it is one: a number that all keys of a tile share."""
    return (
        printed(bounded(item, "j", ()), printer)
        if "j" in variables_of(item)
        else printer.condition(item)
    )


def _kernel_printer(row: str) -> Printer:
    return Printer(TRITON, Names({**POSITIONS.variables, "i": row}))
