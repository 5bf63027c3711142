"""Writes out what random draws avoid.

Before: `local(1) + random(3)`; after: `local(1) + random(3, avoid=local(1))`. A draw without
`avoid=` avoids the random-free operands of the innermost chain of `+` it stands in, lets expanded.
A let that is such a draw, or a chain that holds one, means another thing in every chain, so it is
replaced by its definition where it is used and dropped. Non-goals: the draws themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

from patternc.language.program import (
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

Lets = dict[str, Node]


def write_out(program: Program) -> Program:
    """The same program with `avoid=` at every draw."""
    lets: Lets = {}
    statements: list[Statement] = []
    for statement in program.statements:
        match statement:
            case Let(name, value):
                lets[name] = value if _is_loose(value, lets) else _written(value, lets)
                if lets[name] is value and _is_loose(value, lets):
                    continue
                statements.append(replace(statement, value=lets[name]))
            case Bare() | When() | Otherwise():
                statements.append(replace(statement, pattern=_written(statement.pattern, lets)))
            case _:
                statements.append(statement)
    return replace(program, statements=tuple(statements))


def _is_loose(node: Node, lets: Lets) -> bool:
    """Whether a draw in it avoids what the surrounding chain holds."""
    return any(_is_open_draw(operand) for operand in _chain(node, lets))


def _is_open_draw(node: Node) -> bool:
    match node:
        case Call("random", arguments):
            return all(argument.name != "avoid" for argument in arguments)
        case Binary("with", left, _):
            return _is_open_draw(left)
        case _:
            return False


def _chain(node: Node, lets: Lets) -> tuple[Node, ...]:
    """The operands of a chain of `+`; lets that hold open draws are expanded."""
    match node:
        case Binary("+", left, right):
            return (*_chain(left, lets), *_chain(right, lets))
        case Name(name) if name in lets and _is_loose(lets[name], lets):
            return _chain(lets[name], lets)
        case _:
            return (node,)


def _written(node: Node, lets: Lets) -> Node:
    """Rewrites a whole chain, or anything that stands alone."""
    operands = _chain(node, lets)
    if not any(_holds_random(operand, lets) for operand in operands):
        return node
    avoided = [_plain(operand) for operand in operands if not _holds_random(operand, lets)]
    union = reduce(lambda a, b: Binary("+", a, b, a.span), avoided) if avoided else Name("none")
    return _in_chain(node, union, lets)


def _in_chain(node: Node, avoided: Node, lets: Lets) -> Node:
    match node:
        case Binary("+", left, right):
            left, right = _in_chain(left, avoided, lets), _in_chain(right, avoided, lets)
            return replace(node, left=left, right=right)
        case Name(name) if name in lets and _is_loose(lets[name], lets):
            return _in_chain(lets[name], avoided, lets)
        case Call("random", arguments) if _is_open_draw(node):
            return replace(node, arguments=(*arguments, Argument("avoid", avoided)))
        case Binary("with", left, _) if _is_open_draw(left):
            return replace(node, left=_in_chain(left, avoided, lets))
        case _:
            return _below(node, lets)


def _below(node: Node, lets: Lets) -> Node:
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


def _argument(argument: Argument, lets: Lets) -> Argument:
    if isinstance(argument.value, Range):
        return argument
    return replace(argument, value=_written(argument.value, lets))


def _holds_random(node: Node, lets: Mapping[str, Node]) -> bool:
    return any(
        (isinstance(part, Call) and part.function == "random")
        or (isinstance(part, Name) and part.name in lets and _holds_random(lets[part.name], lets))
        for part in walk(node)
    )


def _plain(node: Node) -> Node:
    """The pairs of an operand, without its score modifiers."""
    return _plain(node.left) if isinstance(node, Binary) and node.operator == "with" else node
