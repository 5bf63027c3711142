"""The syntax tree of a program.

Built by the parser, read by elaboration and the unparser. The tree keeps what was written, lets and
layer arithmetic included; parentheses live in its shape. Spans do not take part in equality. Has no
types or values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Literal

from patternc.frozen import frozen
from patternc.ir.formula import CompareOperator
from patternc.language.syntax.source import NOWHERE, SourceText, Span

UnaryOperator = Literal["-", "~", "not"]
BinaryOperator = Literal["or", "and", "+", "-", "&", "on", "with", "*", "//", "%", "**"]


@frozen
class Number:
    value: int
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Decimal:
    """A literal with a point, as written; stands only in modifiers' arguments."""

    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Name:
    name: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Range:
    """`start:stop`, either end open."""

    start: Node | None
    stop: Node | None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Sequence:
    """`[a, b:c, ..]`."""

    items: tuple[Node | Range, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Argument:
    """One argument of a call; `name` is None where it is given by place."""

    name: str | None
    value: Node | Range
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Call:
    function: str
    arguments: tuple[Argument, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Lift:
    """`blocks(..) { body }`; whether the word before the braces is `blocks` is checked later."""

    call: Call
    body: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Unary:
    operator: UnaryOperator
    operand: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Binary:
    operator: BinaryOperator
    left: Node
    right: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Comparison:
    """`a < b <= c`: one operator fewer than operands."""

    operands: tuple[Node, ...]
    operators: tuple[CompareOperator, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Reading:
    """`name[position]`: the integer of a run-time input at a position."""

    name: Name
    position: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Node = Number | Decimal | Name | Sequence | Call | Lift | Unary | Binary | Comparison | Reading


@frozen
class CountHeader:
    """`heads E` or `layers E`."""

    name: Literal["heads", "layers"]
    value: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class FlagHeader:
    """`causal` or `allow empty`."""

    name: Literal["causal", "allow empty"]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class CallHeader:
    """`query_pool(..)` or `unfold(..)`."""

    call: Call
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Parameter:
    """`param name = value`."""

    name: str
    value: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)
    name_span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Let:
    """`let name = value`."""

    name: str
    value: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)
    name_span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Size:
    """`size name`: an integer that each call gives."""

    name: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)
    name_span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class StreamRows:
    """`rows name`: the rules below are for the query rows of that stream."""

    name: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Stage:
    """`stage name from states, keys`: the headers and rules below it are a program of their own."""

    name: str
    states: str | None = None
    encoder: str | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Bare:
    """A pattern alone on its line."""

    pattern: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class When:
    """`condition -> pattern`."""

    condition: Node
    pattern: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@frozen
class Otherwise:
    """`else -> pattern`."""

    pattern: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Rule = Bare | When | Otherwise
Header = CountHeader | FlagHeader | CallHeader
Binding = Parameter | Let | Size
Statement = Header | Binding | StreamRows | Stage | Rule


@frozen
class Program:
    statements: tuple[Statement, ...]
    source: SourceText = field(default=SourceText(""), compare=False, repr=False)


def node_of(argument: Argument) -> Node:
    """The value of an argument that is checked not to be a range."""
    assert not isinstance(argument.value, Range)
    return argument.value


def nodes_of(statement: Statement) -> tuple[Node, ...]:
    """The expressions that a statement holds, in the order of the text."""
    match statement:
        case CountHeader(_, value) | Parameter(_, value) | Let(_, value):
            return (value,)
        case Bare(pattern) | Otherwise(pattern):
            return (pattern,)
        case When(condition, pattern):
            return (condition, pattern)
        case _:
            return ()


def children(node: Node | Range) -> tuple[Node | Range, ...]:
    """The parts of a node in the order of the text."""
    match node:
        case Range(start, stop):
            return tuple(end for end in (start, stop) if end is not None)
        case Sequence(items):
            return items
        case Call(_, arguments):
            return tuple(argument.value for argument in arguments)
        case Lift(call, body):
            return (call, body)
        case Unary(_, operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Comparison(operands):
            return operands
        case Reading(_, position):
            return (position,)
        case Number() | Decimal() | Name():
            return ()


def walk(node: Node | Range) -> Iterator[Node | Range]:
    """The node and everything below it, in the order of the text."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(children(node))
