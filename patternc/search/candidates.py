"""Values to vary a parameter over, from a text such as `16:512`, `1,2,4` or `16:n:*2`.

A range `a:b` is half-open as in the language, and grows: a greater value is taken to hold every
pair that a smaller one holds, so that it is searched by bisection. `a:b:s` is every s-th value of
it, `a:b:*s` each s times the one before; these, single values, and all of them behind commas are
tried one by one. `n` and `n // k` stand for the length. Does not know the parameters of a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count, takewhile

from patternc.frozen import frozen

_END = re.compile(r"(?P<number>\d+)|(?P<length>n)(?:\s*//\s*(?P<divisor>[1-9]\d*))?", re.ASCII)
_STEP = re.compile(r"(?P<times>\*?)\s*(?P<number>\d+)", re.ASCII)
# Values tried one by one.
MOST_LISTED = 4096


@frozen
class Axis:
    """A parameter and its values, ascending; with `grows` they are searched by bisection."""

    name: str
    values: Sequence[int]
    grows: bool


def axis(name: str, text: str, n: int) -> Axis:
    """The values of one parameter at the length n. Raises `ValueError` where there are none."""
    parts = [part.strip() for part in text.split(",")]
    ends = [[end.strip() for end in part.split(":")] for part in parts]
    if len(ends) == 1 and len(ends[0]) == 2:
        start, stop = (_end(end, text, n) for end in ends[0])
        values: Sequence[int] = range(start, stop)
    else:
        values = sorted({value for part in ends for value in _listed(part, text, n)})
    if not values:
        raise ValueError(f"{name}={text} contains no value at n = {n:,}")
    return Axis(name, values, isinstance(values, range))


def thinned(axis: Axis) -> Axis:
    """1, 2, 3, 4, 6, 8, 12, .. of a range, and its ends: tried one by one."""
    first, last = axis.values[0], axis.values[-1]
    ladder = takewhile(lambda value: value < last, _ladder())
    kept = sorted({first, last, *(value for value in ladder if value > first)})
    return Axis(axis.name, kept, False)


def _ladder() -> Iterator[int]:
    for power in count():
        yield 1 << power
        if power:
            yield 3 << (power - 1)


def _listed(ends: list[str], text: str, n: int) -> Iterator[int]:
    match ends:
        case [single]:
            yield _end(single, text, n)
        case [start, stop]:
            yield from _few(range(_end(start, text, n), _end(stop, text, n)), text)
        case [start, stop, step]:
            yield from _stepped(_end(start, text, n), _end(stop, text, n), step, text)
        case _:
            raise _unreadable(text)


def _stepped(start: int, stop: int, step: str, text: str) -> Iterator[int]:
    found = _STEP.fullmatch(step)
    by = int(found["number"]) if found else 0
    if found is None or by < 1 + bool(found["times"]):
        raise _unreadable(text)
    if not found["times"]:
        yield from _few(range(start, stop, by), text)
    elif start > 0:
        yield from takewhile(lambda value: value < stop, (start * by**k for k in count()))
    else:
        raise _unreadable(text)


def _few(values: range, text: str) -> range:
    if len(values) > MOST_LISTED:
        raise ValueError(f"{text} lists {len(values):,} values; at most {MOST_LISTED:,} are tried")
    return values


def _end(text: str, whole: str, n: int) -> int:
    found = _END.fullmatch(text)
    if found is None:
        raise _unreadable(whole)
    return int(found["number"]) if found["number"] else n // int(found["divisor"] or 1)


def _unreadable(text: str) -> ValueError:
    return ValueError(f"{text!r} lists no values; write 16:512, 1,2,4, 16:512:16 or 16:n:*2")
