"""Kinds of every part of a program, before any number is known.

Converts the tree and a scope to facts, with every mistake that does not depend on layer, head or a
value reported: unknown names, arguments, kinds, products of positions, operands out of place. The
rules are the same for every (layer, head), so they are checked once. Does not evaluate values.
"""

from __future__ import annotations

from typing import assert_never

from patternc.ir.builtin_words import Builtin, Group
from patternc.language.check import operators
from patternc.language.check.argument_constraints import check_together
from patternc.language.check.argument_errors import excluded, missing
from patternc.language.check.arguments import check_arguments, fill
from patternc.language.check.lists import integer, list_facts
from patternc.language.check.readings import reading_facts
from patternc.language.check.scope import Scope, resolve, unknown
from patternc.language.check.type_errors import (
    empty_brackets,
    header_inside,
    keyword,
    minus_pattern,
    no_braces,
    not_called,
    positional_side,
    stray_braces,
    two_positions,
)
from patternc.language.check.types import UNKNOWN, ExprType, TypeInfo, expected_type
from patternc.language.syntax.ast import (
    Binary,
    Call,
    CallHeader,
    Comparison,
    Decimal,
    Lift,
    Name,
    Node,
    Number,
    Reading,
    Sequence,
    Unary,
)
from patternc.language.syntax.builtins import BLOCKS, HEADER_CALLS, PRIMITIVES, SEARCHES, WITHIN
from patternc.language.syntax.source import Span

_KIND_OF: dict[Group, ExprType] = {
    "relation": "set",
    "positions": "period",
    "lift": "set",
    "combination": "output",
    "source": "source",
    "modifier": "modifier",
    "function": "integer",
    "distances": "distances",
}


def check(node: Node, scope: Scope) -> TypeInfo:
    """The facts of a part; `UNKNOWN` where something in it was reported."""
    match node:
        case Number():
            return TypeInfo("integer")
        case Decimal():
            return TypeInfo("decimal")
        case Name():
            return _name(node, scope)
        case Sequence():
            return list_facts(node, scope, check)
        case Call():
            return _call(node, scope)
        case Lift():
            return _lift(node, scope)
        case Reading():
            return reading_facts(node, scope)
        case Unary():
            return _unary(node, scope)
        case Binary():
            return _binary(node, scope)
        case Comparison():
            facts = [integer(operand, scope, check) for operand in node.operands]
            return _joined("condition", *facts)
        case _:
            assert_never(node)


def expect(kind: ExprType, expected: str, node: Node, scope: Scope) -> TypeInfo:
    """The facts of a part that must be of one kind."""
    facts = check(node, scope)
    if facts.kind not in (kind, "unknown"):
        return scope.report(expected_type(expected, facts, node.span))
    return facts


def check_rule(pattern: Node, scope: Scope) -> TypeInfo:
    """A rule's pattern: a set or an output."""
    facts = check(pattern, scope)
    if facts.kind not in ("set", "output", "unknown"):
        return scope.report(expected_type("a pattern", facts, pattern.span))
    return facts


def check_header_call(statement: CallHeader, scope: Scope) -> None:
    primitive = HEADER_CALLS[statement.call.function]
    check_arguments(statement.call, primitive, scope, check)


def _joined(kind: ExprType, *facts: TypeInfo) -> TypeInfo:
    if any(part.kind == "unknown" for part in facts):
        return UNKNOWN
    return TypeInfo(kind, frozenset().union(*(part.holds for part in facts)))


def _name(node: Name, scope: Scope) -> TypeInfo:
    facts = resolve(node, scope)
    if facts is not None:
        return facts
    primitive = PRIMITIVES.get(node.name) or HEADER_CALLS.get(node.name)
    if primitive is None:
        return scope.report(keyword(node))
    if not (primitive.bare or primitive.alone):
        return scope.report(missing(primitive, _first_slot(primitive), node.span))
    return _primitive_facts(primitive, [], node.span, scope)


def _first_slot(primitive: Builtin) -> str:
    slots = [*primitive.positional, *primitive.keyword]
    return (primitive.variadic or slots[0]).name


def _call(node: Call, scope: Scope) -> TypeInfo:
    primitive = PRIMITIVES.get(node.function)
    if primitive is None:
        return _no_such_call(node, scope)
    if primitive.bare:
        return scope.report(not_called(node, primitive.name))
    if primitive.alone and not node.arguments:
        return scope.report(empty_brackets(node, primitive))
    if primitive.group == "lift":
        check_arguments(node, primitive, scope, check)
        return scope.report(no_braces(node))
    return _checked_call(node, primitive, scope)


def _checked_call(node: Call, primitive: Builtin, scope: Scope) -> TypeInfo:
    before = scope.findings.count
    facts = check_arguments(node, primitive, scope, check)
    problem = check_together(node, primitive)
    if problem is not None:
        return scope.report(problem)
    _check_parts(node, primitive, facts, scope)
    made = _primitive_facts(primitive, facts, node.span, scope)
    if made.kind == "set" and scope.findings.count == before:
        scope.sound.add(id(node))
    return made


def _check_parts(node: Call, primitive: Builtin, facts: list[TypeInfo], scope: Scope) -> None:
    """What only some words ask of their arguments."""
    if primitive.group == "combination" and primitive.variadic is not None:
        operators.branches(node, facts, scope)
    for (slot, argument), fact in zip(fill(node, primitive)[0], facts, strict=True):
        if slot.name == "avoid":
            operators.avoided(argument.value.span, fact, scope)


def _primitive_facts(
    primitive: Builtin, facts: list[TypeInfo], span: Span, scope: Scope
) -> TypeInfo:
    joined = frozenset().union(*(part.holds for part in facts))
    match primitive.group:
        case "relation":
            kept = joined & {"listed", "found", "same", "layer", "head"}
            return TypeInfo("set", kept | _held_by(primitive.name))
        case "combination":
            return TypeInfo("output", joined | {primitive.name})
        case _:
            return TypeInfo(_KIND_OF[primitive.group], joined)


def _held_by(word: str) -> frozenset[str]:
    """What a relation holds by itself that not every place allows."""
    if word in SEARCHES:
        return frozenset({"listed", "found"})
    return frozenset({"random"} if word == "random" else ())


def _lift(node: Lift, scope: Scope) -> TypeInfo:
    body = operators.inside_braces(node.body, check(node.body, scope), scope)
    if node.call.function == "within":
        return _within(node, body, scope)
    if node.call.function != "blocks":
        return scope.report(stray_braces(node))
    given = fill(node.call, BLOCKS)[0]
    facts = check_arguments(node.call, BLOCKS, scope, check)
    if len(given) == 2:
        return scope.report(
            excluded(given[0][1], given[1][1], "write `blocks(B)`, or `blocks(parts=p)`")
        )
    if not given:
        return scope.report(missing(BLOCKS, "B", node.call.span))
    return _joined("set", body, *facts)


def _within(node: Lift, body: TypeInfo, scope: Scope) -> TypeInfo:
    """`within(a:b) { P }`: P is known before the call."""
    facts = check_arguments(node.call, WITHIN, scope, check)
    for held, what in operators.UNKNOWN_BEFORE.items():
        if held in body.holds:
            return scope.report(operators.in_part(node.body, what))
    # Its ends may hold n, as those of a list in a relation may: the set of pairs does not.
    ends = (TypeInfo("set", fact.holds & {"layer", "head"}) for fact in facts)
    return _joined("set", body, *ends)


def _unary(node: Unary, scope: Scope) -> TypeInfo:
    match node.operator:
        case "not":
            return expect("condition", "a condition", node.operand, scope)
        case "~":
            return operators.complement(node, check(node.operand, scope), scope)
        case "-":
            return _negative(node, check(node.operand, scope), scope)
        case _:
            assert_never(node.operator)


def _negative(node: Unary, facts: TypeInfo, scope: Scope) -> TypeInfo:
    if facts.kind in ("set", "output"):
        return scope.report(minus_pattern(node))
    return facts if facts.kind == "decimal" else _integer(node.operand, facts, scope)


def _integer(node: Node, facts: TypeInfo, scope: Scope) -> TypeInfo:
    if facts.kind not in ("integer", "unknown"):
        return scope.report(expected_type("an integer", facts, node.span))
    return facts


def _binary(node: Binary, scope: Scope) -> TypeInfo:
    match node.operator:
        case "or" | "and":
            left = expect("condition", "a condition", node.left, scope)
            return _joined("condition", left, expect("condition", "a condition", node.right, scope))
        case "+" | "-" | "&":
            left, right = check(node.left, scope), check(node.right, scope)
            if node.operator != "&" and "integer" in (left.kind, right.kind):
                return _sum(node, left, right, scope)
            return operators.operator(node, left, right, scope)
        case "*" | "//" | "%" | "**":
            left, right = integer(node.left, scope, check), integer(node.right, scope, check)
            return _product(node, left, right, scope)
        case "on" | "with":
            left, right = check(node.left, scope), check(node.right, scope)
            return operators.attached(node, left, right, scope)
        case _:
            assert_never(node.operator)


def _sum(node: Binary, left: TypeInfo, right: TypeInfo, scope: Scope) -> TypeInfo:
    return _joined(
        "integer",
        _integer(node.left, left, scope),
        _integer(node.right, right, scope),
    )


def _product(node: Binary, left: TypeInfo, right: TypeInfo, scope: Scope) -> TypeInfo:
    joined = _joined("integer", left, right)
    if node.operator == "*" and left.positional and right.positional:
        return scope.report(two_positions(node, left, right))
    if node.operator in ("//", "%") and right.positional:
        return scope.report(positional_side(node.right, "a divisor", right))
    if node.operator == "**" and right.positional:
        return scope.report(positional_side(node.right, "an exponent", right))
    if node.operator == "**" and left.positional:
        return scope.report(positional_side(node.left, "a base", left))
    return joined


def _no_such_call(node: Call, scope: Scope) -> TypeInfo:
    place = Span(node.span.start, node.span.start + len(node.function))
    for argument in node.arguments:
        if isinstance(argument.value, Call | Binary | Unary | Lift):
            check(argument.value, scope)
    if node.function in scope.bound:
        scope.used.add(node.function)
        return scope.report(not_called(node, node.function))
    if node.function in HEADER_CALLS:
        return scope.report(header_inside(node))
    return scope.report(unknown(node.function, place, scope))
