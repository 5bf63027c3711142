"""What can be said once a length is given: single positions that lie outside it.

A range that reaches beyond the ends is cut there without a word; a single position that does so is
likely a slip. Warnings that need a mask are in `lint`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from patternc.ir.formula import Constant
from patternc.language.check.environment import Environment
from patternc.language.elaborate.constants import constant, fitting
from patternc.language.elaborate.positions import written
from patternc.language.syntax.ast import (
    Binary,
    Call,
    Lift,
    Name,
    Node,
    Range,
    Sequence,
    children,
    node_of,
)
from patternc.language.syntax.diagnostics import Diagnostic, Findings
from patternc.language.syntax.messages import diagnostic

_LISTS = ("columns", "rows", "global", "random")


def outside(pattern: Node, place: Environment, length: int, findings: Findings) -> None:
    """Reports single positions of a sound pattern outside -length..length - 1."""
    measured = replace(place, values={**place.values, "n": length}, known={})
    for node in _lists(pattern, measured, findings, set()):
        for item in node.items:
            if not isinstance(item, Range):
                _look(item, measured, length, findings)


def _look(item: Node, place: Environment, length: int, findings: Findings) -> None:
    known = fitting(item, place)
    if not isinstance(known, Constant):
        return  # a size of the call decides
    position = known.value
    if not -length <= position < length:
        findings.add(_outside(item, position, length, place))


def _lists(
    node: Node | Range, place: Environment, findings: Findings, seen: set[str]
) -> Iterator[Sequence]:
    """The lists of positions in a pattern; what is inside braces counts blocks.

    Each let in `seen` was looked at.
    On another key source positions are slots, of which the length says nothing.
    """
    match node:
        case Binary("on"):
            return
        case Name(name) if name in place.lets:
            if name not in seen:
                seen.add(name)
                yield from _lists(place.lets[name], place, findings, seen)
        case Lift(call) if _is_open(call, place):
            return
        case Lift(call, body):
            outside(body, place, _blocks(call, place), findings)
        case Call(function, arguments) if function in _LISTS:
            for argument in arguments:
                value = written(argument.value, place)
                if isinstance(value, Sequence):
                    yield value
        case _:
            for child in children(node):
                yield from _lists(child, place, findings, seen)


def _is_open(call: Call, place: Environment) -> bool:
    """Whether a size of the call decides how many positions a part has."""
    part = call.arguments[0].value
    ends = (part.start, part.stop) if isinstance(part, Range) else ()
    return any(end and not isinstance(fitting(end, place), Constant) for end in ends)


def _blocks(call: Call, place: Environment) -> int:
    """How many blocks, parts or positions of a part the length has."""
    (argument,) = call.arguments
    if isinstance(argument.value, Range):
        return len(range(place.values["n"])[_bounds(argument.value, place)])
    size = constant(node_of(argument), place)
    return size if argument.name is not None else -(-place.values["n"] // size)


def _bounds(part: Range, place: Environment) -> slice:
    return slice(
        *(None if end is None else constant(end, place) for end in (part.start, part.stop))
    )


def _outside(item: Node, position: int, length: int, place: Environment) -> Diagnostic:
    last = f"positions are 0 to {length - 1}" if length else "there is no position"
    return diagnostic(
        "P204.outside_length",
        item.span,
        position=position,
        length=length,
        where=place.where(),
        last=last,
    )
