"""Values of conditions for one (layer, head).

Converts conditions whose kinds are checked to formulas over i, j and n, folded where everything is
known. `and` and `or` look at their right side only where it matters. Does not evaluate them for a
length.
"""

from __future__ import annotations

from collections.abc import Callable

from patternc.ir import formula
from patternc.ir.formula import Condition, Constant, Truth
from patternc.language.check.environment import Environment
from patternc.language.elaborate.constants import expression, require_int64
from patternc.language.syntax.ast import Binary, Comparison, Name, Node, Unary

_COMPARED: dict[str, Callable[[int, int], bool]] = {
    "<": int.__lt__,
    "<=": int.__le__,
    "==": int.__eq__,
    "!=": int.__ne__,
    ">=": int.__ge__,
    ">": int.__gt__,
}


def condition(node: Node, place: Environment) -> Condition:
    """The value of a condition; a `Truth` where it holds no position."""
    match node:
        case Name(name):
            if name not in place.known:
                place.known[name] = condition(place.lets[name], place)
            return place.known[name]  # type: ignore[return-value]
        case Unary("not", operand):
            return _negated(condition(operand, place))
        case Binary("and", left, right):
            return _all(condition(left, place), lambda: condition(right, place))
        case Binary("or", left, right):
            return _any(condition(left, place), lambda: condition(right, place))
        case Comparison():
            return _comparison(node, place)
        case _:
            raise AssertionError(f"not a condition: {node}")


def truth(node: Node, place: Environment) -> bool:
    """The value of a condition that holds no position."""
    value = condition(node, place)
    assert isinstance(value, Truth)
    return value.value


def _negated(value: Condition) -> Condition:
    return Truth(not value.value) if isinstance(value, Truth) else formula.Not(value)


def _all(left: Condition, right: Callable[[], Condition]) -> Condition:
    """Short-circuit, so that `head > 0 and 8 // head == 2` is sound."""
    if isinstance(left, Truth):
        return right() if left.value else left
    other = right()
    if isinstance(other, Truth):
        return left if other.value else other
    return formula.All((*_parts(left, formula.All), *_parts(other, formula.All)))


def _any(left: Condition, right: Callable[[], Condition]) -> Condition:
    if isinstance(left, Truth):
        return left if left.value else right()
    other = right()
    if isinstance(other, Truth):
        return other if other.value else left
    return formula.Any((*_parts(left, formula.Any), *_parts(other, formula.Any)))


def _parts(value: Condition, join: type[formula.All] | type[formula.Any]) -> tuple[Condition, ...]:
    """The parts of a chain, so that chains stay flat."""
    return value.items if isinstance(value, join) else (value,)


def _comparison(node: Comparison, place: Environment) -> Condition:
    values = [expression(operand, place) for operand in node.operands]
    if all(isinstance(value, Constant) for value in values):
        links = zip(values, node.operators, values[1:], strict=False)
        return Truth(all(_COMPARED[op](a.value, b.value) for a, op, b in links))  # type: ignore[union-attr]
    for operand, value in zip(node.operands, values, strict=True):
        if isinstance(value, Constant):
            require_int64(value.value, operand, place)
    links = zip(values, node.operators, values[1:], strict=False)
    compared = tuple(formula.Compare(op, a, b) for a, op, b in links)
    return compared[0] if len(compared) == 1 else formula.All(compared)
