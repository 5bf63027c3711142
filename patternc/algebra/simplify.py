"""Smart constructors: formulas and conditions with constants folded and connectives flattened.

Every pass that builds formulas uses these, so that a formula that is a number is a `Constant` and
a condition that is decided is a `Truth`.
"""

from __future__ import annotations

from collections.abc import Iterable

from patternc.ir.formula import (
    Add,
    All,
    Any,
    Atom,
    Compare,
    CompareOperator,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Maximum,
    Minimum,
    Modulo,
    Multiply,
    Not,
    Subtract,
    Truth,
)

TRUE = Truth(True)
FALSE = Truth(False)
NEGATED: dict[CompareOperator, CompareOperator] = {
    "<": ">=",
    "<=": ">",
    "==": "!=",
    "!=": "==",
    ">=": "<",
    ">": "<=",
}
# What a comparison becomes when its sides change places, or their signs.
MIRRORED: dict[CompareOperator, CompareOperator] = {
    "<": ">",
    "<=": ">=",
    "==": "==",
    "!=": "!=",
    ">=": "<=",
    ">": "<",
}


def add(left: Expression, right: Expression) -> Expression:
    match left, right:
        case Constant(a), Constant(b):
            return Constant(a + b)
        case _, Constant(b) if b < 0:
            return subtract(left, Constant(-b))
        case Add(x, Constant(a)), Constant(b):
            return add(x, Constant(a + b))
        case Subtract(x, Constant(a)), Constant(b):
            return add(x, Constant(b - a))
        case _, Constant(0):
            return left
        case Constant(0), _:
            return right
        case Constant(_), _:
            return add(right, left)
    return Add(left, right)


def subtract(left: Expression, right: Expression) -> Expression:
    match left, right:
        case Constant(a), Constant(b):
            return Constant(a - b)
        case _, Constant(b) if b < 0:
            return add(left, Constant(-b))
        case Add(x, Constant(a)), Constant(b):
            return add(x, Constant(a - b))
        case Subtract(x, Constant(a)), Constant(b):
            return subtract(x, Constant(a + b))
        case _, Constant(0):
            return left
    return Constant(0) if left == right else Subtract(left, right)


def multiply(left: Expression, right: Expression) -> Expression:
    match left, right:
        case Constant(a), Constant(b):
            return Constant(a * b)
        case Constant(1), _:
            return right
        case _, Constant(1):
            return left
        case (Constant(0), _) | (_, Constant(0)):
            return Constant(0)
        case _, Constant(_):
            return Multiply(right, left)
    return Multiply(left, right)


def floor_divide(left: Expression, right: Expression) -> Expression:
    match left, right:
        case Constant(a), Constant(b):
            return Constant(a // b)
        case _, Constant(1):
            return left
        case FloorDivide(x, Constant(a)), Constant(b) if a * b < 1 << 62:
            return floor_divide(x, Constant(a * b))
    return FloorDivide(left, right)


def modulo(left: Expression, right: Expression) -> Expression:
    match left, right:
        case Constant(a), Constant(b):
            return Constant(a % b)
        case _, Constant(1):
            return Constant(0)
    return Modulo(left, right)


def minimum(left: Expression, right: Expression) -> Expression:
    match left, right:
        case Constant(a), Constant(b):
            return Constant(min(a, b))
    return left if left == right else Minimum(left, right)


def maximum(left: Expression, right: Expression) -> Expression:
    match left, right:
        case Constant(a), Constant(b):
            return Constant(max(a, b))
    return left if left == right else Maximum(left, right)


def compare(left: Expression, operator: CompareOperator, right: Expression) -> Condition:
    match left, right:
        case Constant(a), Constant(b):
            return Truth(_decide(a, operator, b))
    if left == right:
        return Truth(operator in ("<=", "==", ">="))
    return Compare(operator, left, right)


def _decide(left: int, operator: CompareOperator, right: int) -> bool:
    match operator:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case "==":
            return left == right
        case "!=":
            return left != right
        case ">=":
            return left >= right
        case ">":
            return left > right


def conjunction(items: Iterable[Condition]) -> Condition:
    kept = _flatten(items, All, neutral=True)
    if FALSE in kept:
        return FALSE
    return kept[0] if len(kept) == 1 else (All(tuple(kept)) if kept else TRUE)


def disjunction(items: Iterable[Condition]) -> Condition:
    kept = _flatten(items, Any, neutral=False)
    if TRUE in kept:
        return TRUE
    return kept[0] if len(kept) == 1 else (Any(tuple(kept)) if kept else FALSE)


def negation(condition: Condition) -> Condition:
    match condition:
        case Truth(value):
            return Truth(not value)
        case Not(operand):
            return operand
        case Compare(operator, left, right):
            return Compare(NEGATED[operator], left, right)
        case Atom():
            return condition.negated()
    return Not(condition)


def _flatten(
    items: Iterable[Condition], connective: type[All] | type[Any], neutral: bool
) -> list[Condition]:
    """The operands in order, nested ones of the same connective opened, repeats dropped."""
    kept: dict[Condition, None] = {}
    for item in items:
        if isinstance(item, connective):
            kept.update(dict.fromkeys(item.items))
        elif item != Truth(neutral):
            kept[item] = None
    return list(kept)
