"""A program with more run-time inputs: hidden keys, and scores that a model adds.

Rewrites the syntax tree, so that every softmax of every rule has them. Does not evaluate anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from patternc.language import parse
from patternc.language.syntax.ast import (
    Argument,
    Bare,
    Binary,
    Call,
    Let,
    Name,
    Node,
    Otherwise,
    Program,
    Statement,
    When,
    node_of,
)
from patternc.language.syntax.unparse import show

REAL_KEYS = "real_keys"
"""The input of `with_real_keys`: booleans [n] or [batch, n], true for keys that exist."""
POSITION_BIAS = "position_bias"
"""The input of `with_position_bias`: floats [heads, queries, n], with or without a batch."""
_COMBINATIONS = ("mix", "gate", "difference", "sum", "mean")

Change = Callable[[Node], Node]


def with_real_keys(text: str) -> str:
    """The program whose queries attend to no key outside of `real_keys`."""
    return _changed(text, lambda term: Binary("&", term, _call("columns", REAL_KEYS)))


def with_position_bias(text: str) -> str:
    """The program with the scores of `position_bias` added."""
    return _changed(text, lambda term: Binary("with", term, _call("bias", POSITION_BIAS)))


def _call(word: str, name: str) -> Call:
    return Call(word, (Argument(None, Name(name)),))


def _changed(text: str, change: Change) -> str:
    statements = parse(text).statements
    lets = {each.name: each.value for each in statements if isinstance(each, Let)}
    found = tuple(_statement(each, change, lets) for each in statements)
    if not any(isinstance(each, Bare | When | Otherwise) for each in found):
        found = (*found, Bare(change(Name("full"))))
    return show(Program(found))


def _statement(statement: Statement, change: Change, lets: Mapping[str, Node]) -> Statement:
    match statement:
        case Bare(pattern) | When(_, pattern) | Otherwise(pattern):
            return replace(statement, pattern=_pattern(pattern, change, lets))
        case _:
            return statement


def _pattern(pattern: Node, change: Change, lets: Mapping[str, Node]) -> Node:
    """The change at every branch of a combination, also of one that has a name."""
    match pattern:
        case Name(name) if name in lets and _is_combination(lets[name], lets):
            return _pattern(lets[name], change, lets)
        case Call(function, arguments) if function in _COMBINATIONS:
            changed = tuple(_argument(each, change, lets) for each in arguments)
            return replace(pattern, arguments=changed)
        case _:
            return change(pattern)


def _argument(argument: Argument, change: Change, lets: Mapping[str, Node]) -> Argument:
    if argument.name is not None:
        return argument
    return replace(argument, value=_pattern(node_of(argument), change, lets))


def _is_combination(node: Node, lets: Mapping[str, Node]) -> bool:
    match node:
        case Name(name) if name in lets:
            return _is_combination(lets[name], lets)
        case Call(function):
            return function in _COMBINATIONS
        case _:
            return False
