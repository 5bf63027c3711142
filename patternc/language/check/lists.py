"""Lists and ranges of integers.

Maps their elements to types, with parts of other kinds and ranges that hold nothing reported.
"""

from __future__ import annotations

from patternc.language.check.scope import Check, Scope
from patternc.language.check.types import TypeInfo, expected_type
from patternc.language.syntax.ast import Node, Number, Range, Sequence, Unary, children
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.messages import diagnostic


def list_facts(node: Sequence, scope: Scope, check: Check) -> TypeInfo:
    """A list: integers and ranges of integers."""
    held: frozenset[str] = frozenset()
    for item in node.items:
        held |= item_facts(item, scope, check).holds
    return TypeInfo("list", held)


def item_facts(item: Node | Range, scope: Scope, check: Check) -> TypeInfo:
    if not isinstance(item, Range):
        return integer(item, scope, check)
    if _is_empty(item):
        scope.report(_empty_range(item))
    return range_facts(item, scope, check)


def _is_empty(node: Range) -> bool:
    """Whether it holds nothing at any length, as far as its ends are plain numbers."""
    start, stop = (_literal(end) for end in (node.start or Number(0, node.span), node.stop))
    return start is not None and stop is not None and (start < 0) == (stop < 0) and start >= stop


def _literal(node: Node | None) -> int | None:
    match node:
        case Number(value):
            return value
        case Unary("-", Number(value)):
            return -value
        case _:
            return None


def _empty_range(node: Range) -> Diagnostic:
    return diagnostic("P203.empty_range", node.span)


def range_facts(node: Range, scope: Scope, check: Check) -> TypeInfo:
    ends = [integer(end, scope, check) for end in children(node) if not isinstance(end, Range)]
    return TypeInfo("list", frozenset().union(*(end.holds for end in ends)))


def integer(node: Node, scope: Scope, check: Check) -> TypeInfo:
    """The facts of an operand that must be an integer."""
    facts = check(node, scope)
    if facts.kind not in ("integer", "unknown"):
        return scope.report(expected_type("an integer", facts, node.span))
    return facts
