"""Values of Python as arguments in the text of a program.

An integer is a number, a string is text of the language (the name of an input, `"n // 4"`,
`"j <= i"`), a slice or range `a:b`, a list the list of its entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from operator import index

from patternc.language.syntax.ast import (
    Argument,
    Bare,
    Call,
    Decimal,
    Node,
    Number,
    Program,
    Range,
    Sequence,
    Unary,
)
from patternc.language.syntax.diagnostics import PatternError


def value_node(value: object, place: str) -> Node | Range:
    """The value as it is written; `place` is what messages call it.

    Raises `TypeError` and `ValueError`.
    """
    match value:
        case str():
            return _read(value, place)
        case bool() | None:
            raise TypeError(f"{place}: {value!r} is no number, text or list")
        case float():
            return _decimal(value, place)
        case slice(start=start, stop=stop, step=step):
            return _range(start, stop, step, place)
        case range(start=start, stop=stop, step=step):
            return _range(start, max(start, stop), step, place)
    try:
        number = index(value)  # type: ignore[arg-type]  # TypeError says that it is none
    except TypeError:
        return _list(value, place)
    return Unary("-", Number(-number)) if number < 0 else Number(number)


def _list(value: object, place: str) -> Sequence:
    entries = getattr(value, "tolist", lambda: value)()
    if not isinstance(entries, Iterable) or isinstance(entries, dict | bytes):
        kind = type(value).__name__
        raise TypeError(f"{place}: expected a number, text or list, got {kind}")
    return Sequence(tuple(value_node(entry, place) for entry in entries))


def _range(start: object, stop: object, step: object, place: str) -> Range:
    if step not in (None, 1):
        raise ValueError(f"{place}: a range has no step; write `period(..)` as text, or a list")
    first, last = (None if end is None else value_node(end, place) for end in (start, stop))
    if isinstance(first, Range) or isinstance(last, Range):
        raise TypeError(f"{place}: the ends of a range are numbers, or text of the language")
    return Range(first, last)


def _decimal(value: float, place: str) -> Node:
    if not isfinite(value) or value < 0:
        raise ValueError(f"{place}: expected a number of at least 0, got {value}")
    return Number(int(value)) if value == int(value) else Decimal(f"{value:.17f}".rstrip("0"))


def _read(text: str, place: str) -> Node | Range:
    """Text that is one argument."""
    from patternc.language.syntax.parser import parse

    try:
        found: Program | None = parse(f"({_NO_WORD}({text}))")
    except PatternError:
        found = None
    match found:
        case Program((Bare(Call(function, (Argument(None, node),))),)) if function == _NO_WORD:
            return node
        case _:
            raise ValueError(f"{place}: {text!r} is not one argument of the language")


_NO_WORD = "argument"
