"""Writes out what random keys avoid.

Before: `local(1) + random(3)`; after: `local(1) + random(3, avoid=local(1))`. A draw without
`avoid=` avoids the random-free operands of the innermost chain of `+` it appears in, on its own key
source, lets expanded. A let that is such a draw, or a chain that holds one, means another thing in
every chain, so it is replaced by its definition where it is used and dropped. Does not sample keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce

from patternc.language.check.pairs_on_source import LetBindings, pairs_on, source_of
from patternc.language.syntax.ast import (
    Argument,
    Bare,
    Binary,
    Call,
    Let,
    Lift,
    Name,
    Node,
    Otherwise,
    Program,
    Range,
    Statement,
    Unary,
    When,
    walk,
)


@dataclass(slots=True)
class _Lets:
    """`loose` lets are replaced by their definitions; `drawn` hold a draw anywhere."""

    plain: LetBindings = field(default_factory=LetBindings)
    loose: dict[str, Node] = field(default_factory=dict)
    drawn: set[str] = field(default_factory=set)


def write_out(program: Program) -> Program:
    """The same program with `avoid=` at every draw."""
    lets = _Lets()
    written = [_statement(statement, lets) for statement in program.statements]
    return replace(program, statements=tuple(s for s in written if s is not None))


def _statement(statement: Statement, lets: _Lets) -> Statement | None:
    match statement:
        case Let(name, value):
            lets.plain.add(name, value)
            if _holds_random(value, lets):
                lets.drawn.add(name)
            if any(_is_open_draw(operand) for operand in _chain(value, lets)):
                lets.loose[name] = value
                return None
            return replace(statement, value=_written(value, lets))
        case Bare() | When() | Otherwise():
            return replace(statement, pattern=_written(statement.pattern, lets))
        case _:
            return statement


def _is_open_draw(node: Node) -> bool:
    match node:
        case Call("random", arguments):
            return all(argument.name != "avoid" for argument in arguments)
        case Binary("with" | "on", left, _):
            return _is_open_draw(left)
        case _:
            return False


def _chain(node: Node, lets: _Lets) -> tuple[Node, ...]:
    """The operands of a chain of `+`; loose lets are expanded."""
    match node:
        case Binary("+", left, right):
            return (*_chain(left, lets), *_chain(right, lets))
        case Name(name) if name in lets.loose:
            return _chain(lets.loose[name], lets)
        case _:
            return (node,)


def _written(node: Node, lets: _Lets) -> Node:
    """Rewrites a whole chain, or anything that appears alone."""
    if not _holds_random(node, lets):
        return node
    free = tuple(part for part in _chain(node, lets) if not _holds_random(part, lets))
    return _in_chain(node, free, lets)


def _in_chain(node: Node, free: tuple[Node, ...], lets: _Lets) -> Node:
    """`free` are the operands of the chain that hold no draw."""
    match node:
        case Binary("+", left, right):
            left, right = _in_chain(left, free, lets), _in_chain(right, free, lets)
            return replace(node, left=left, right=right)
        case Name(name) if name in lets.loose:
            return _in_chain(lets.loose[name], free, lets)
        case Call() | Binary("with" | "on") if _is_open_draw(node):
            return _avoiding(node, _union(free, source_of(node), lets))
        case _:
            return _below(node, lets)


def _avoiding(draw: Node, avoided: Node) -> Node:
    match draw:
        case Binary(_, left, _):
            return replace(draw, left=_avoiding(left, avoided))
        case Call(_, arguments):
            return replace(draw, arguments=(*arguments, Argument("avoid", avoided)))
        case _:
            raise AssertionError(f"not a draw: {draw}")


def _union(operands: tuple[Node, ...], source: Node | None, lets: _Lets) -> Node:
    """The pairs of the operands on one source."""
    pairs = [pairs_on(source, operand, lets.plain) for operand in operands]
    there = [part for part in pairs if part is not None]
    return reduce(lambda a, b: Binary("+", a, b, a.span), there) if there else Name("none")


def _below(node: Node, lets: _Lets) -> Node:
    """Rewrites the chains inside an operand."""
    match node:
        case Binary(_, left, right):
            return replace(node, left=_written(left, lets), right=_written(right, lets))
        case Unary(_, operand):
            return replace(node, operand=_written(operand, lets))
        case Lift(_, body):
            return replace(node, body=_written(body, lets))
        case Call(_, arguments):
            return replace(node, arguments=tuple(_argument(a, lets) for a in arguments))
        case _:
            return node


def _argument(argument: Argument, lets: _Lets) -> Argument:
    if isinstance(argument.value, Range):
        return argument
    return replace(argument, value=_written(argument.value, lets))


def _holds_random(node: Node, lets: _Lets) -> bool:
    return any(
        (isinstance(part, Call) and part.function == "random")
        or (isinstance(part, Name) and part.name in lets.drawn)
        for part in walk(node)
    )
