"""Values of numbers for one (layer, head).

Converts parts whose kinds are checked to formulas over i, j and n, folded where everything is
known. Integers are unbounded here and fit 63 bits when they leave. A value that does not exist
raises `EvaluationError` with the (layer, head) at which it was met.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isqrt

from patternc.algebra.value_bounds import extent
from patternc.ir import formula
from patternc.ir.formula import Constant, Expression, Variable
from patternc.language.check.environment import Environment
from patternc.language.elaborate.absolutes import absolutes
from patternc.language.syntax import ast
from patternc.language.syntax.ast import Binary, Call, Name, Node, Number, Range, Unary, node_of
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.limits import ABSOLUTE
from patternc.language.syntax.messages import diagnostic

_LARGEST = 2**63
# What is made of an expression later, its sign and sums with n and blocks of positions, fits too.
_ROOM = 2**63 - 2**34
# Intermediate results beyond this are a slip, and would take long to compute.
_MOST_BITS = 65_536

# Residues of positions repeat after as many, which counting goes through.
_GREATEST_MODULUS = 2**40


class EvaluationError(Exception):
    """A value that does not exist, or does not fit."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.title)
        self.diagnostic = diagnostic


def value_error(
    key: str, node: Node | Range, place: Environment, **fields: object
) -> EvaluationError:
    """The diagnostic `key` at `node`, labelled with the layer and head of `place`."""
    return EvaluationError(replace(diagnostic(key, node.span, **fields), label=place.where()))


def constant(node: Node, place: Environment) -> int:
    """The value of an integer that holds no position."""
    value = fitting(node, place)
    assert isinstance(value, Constant)
    return value.value


def fitting(node: Node, place: Environment) -> Expression:
    """The value of an integer, every constant of it within 63 bits."""
    value = expression(node, place)
    if isinstance(value, Constant):
        require_int64(value.value, node, place)
    return value


def expression(node: Node, place: Environment) -> Expression:
    match node:
        case Number(value):
            return Constant(value)
        case Name(name):
            return _name(name, place)
        case ast.Reading(name, position):
            return formula.Reading(name.name, expression(position, place))
        case Unary("-", operand):
            return fit_everywhere(_negative(expression(operand, place)), node, place)
        case Binary(_, left, right):
            found = _binary(node, expression(left, place), expression(right, place), place)
            return fit_everywhere(found, node, place)
        case Call():
            values = [expression(node_of(argument), place) for argument in node.arguments]
            return fit_everywhere(_function(node, values, place), node, place)
        case _:
            raise AssertionError(f"not an integer: {node}")


def _name(name: str, place: Environment) -> Expression:
    if name in place.values:
        return Constant(place.values[name])
    if name in ("i", "j", "n"):
        return Variable(name)  # type: ignore[arg-type]
    if name not in place.known:
        given = place.lets.get(name)
        # What is neither a value nor a definition is a size, given by each call.
        place.known[name] = formula.size(name) if given is None else expression(given, place)
    return place.known[name]  # type: ignore[return-value]


def _negative(value: Expression) -> Expression:
    if isinstance(value, Constant):
        return Constant(-value.value)
    return formula.Subtract(Constant(0), value)


def _binary(node: Binary, left: Expression, right: Expression, place: Environment) -> Expression:
    if isinstance(left, Constant) and isinstance(right, Constant):
        return Constant(_known(node, left.value, right.value, place))
    for side, value in ((node.left, left), (node.right, right)):
        if isinstance(value, Constant):
            require_int64(value.value, side, place)
    match node.operator:
        case "+":
            return formula.Add(left, right)
        case "-":
            return formula.Subtract(left, right)
        case "*":
            return formula.Multiply(left, right)
        case "//":
            return formula.FloorDivide(left, _divisor(node, right, place))
        case "%":
            divisor = _divisor(node, right, place)
            if divisor.value > _GREATEST_MODULUS:
                raise too_large(node.right, place)
            return formula.Modulo(left, divisor)
        case _:
            raise AssertionError(f"not arithmetic on positions: {node.operator}")


def _divisor(node: Binary, right: Expression, place: Environment) -> Constant:
    assert isinstance(right, Constant)
    if right.value > 0:
        return right
    if right.value == 0:
        raise _by_zero(node, place)
    raise value_error("P103.negative_divisor", node.right, place, divisor=right.value)


def _known(node: Binary, left: int, right: int, place: Environment) -> int:
    match node.operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return _sized(node, left.bit_length() + right.bit_length(), lambda: left * right, place)
        case "//" | "%":
            if right == 0:
                raise _by_zero(node, place)
            return left // right if node.operator == "//" else left % right
        case "**":
            return _power(node, left, right, place)
        case _:
            raise AssertionError(f"not arithmetic: {node.operator}")


def _power(node: Binary, base: int, exponent: int, place: Environment) -> int:
    if exponent < 0:
        raise value_error("P101.negative_exponent", node.right, place, exponent=exponent)
    bits = exponent * base.bit_length() if abs(base) > 1 else 1
    return _sized(node, bits, lambda: base**exponent, place)


def _sized(node: Node, bits: int, compute: Callable[[], int], place: Environment) -> int:
    if bits > _MOST_BITS:
        raise too_large(node, place)
    return compute()


def _by_zero(node: Binary, place: Environment) -> EvaluationError:
    return value_error("P100.division_by_zero", node.right, place)


def too_large(node: Node | Range, place: Environment) -> EvaluationError:
    return value_error("P104.too_large", node, place)


def require_int64(value: int, node: Node, place: Environment) -> None:
    """Refuses a constant beyond 63 bits."""
    if not -_LARGEST <= value < _LARGEST:
        raise too_large(node, place)


def fit_everywhere(value: Expression, node: Node, place: Environment) -> Expression:
    """Refuses an expression in positions that may leave 63 bits at some n below 2**31."""
    least, most = extent(value)
    if not isinstance(value, Constant) and not -_ROOM < least <= most < _ROOM:
        raise too_large(node, place)
    return value


def _function(node: Call, values: list[Expression], place: Environment) -> Expression:
    known = [value.value for value in values if isinstance(value, Constant)]
    if len(known) == len(values):
        return Constant(_known_function(node, known, place))
    for value, argument in zip(values, node.arguments, strict=True):
        if isinstance(value, Constant):
            require_int64(value.value, node_of(argument), place)
    match node.function:
        case "min":
            return _folded(formula.Minimum, values)
        case "max":
            return _folded(formula.Maximum, values)
        case "abs":
            return _absolute(node, values[0], place)
        case _:
            raise AssertionError(f"not a function of positions: {node.function}")


def _absolute(node: Call, value: Expression, place: Environment) -> Expression:
    if absolutes(value, ABSOLUTE) < ABSOLUTE:
        return formula.Absolute(value)
    raise value_error("P133.nested_absolute", node, place, most=ABSOLUTE)


def _folded(
    join: Callable[[Expression, Expression], Expression], values: list[Expression]
) -> Expression:
    first, *rest = values
    for value in rest:
        first = join(first, value)
    return first


def _known_function(node: Call, values: list[int], place: Environment) -> int:
    match node.function:
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "abs":
            return abs(values[0])
        case "isqrt":
            _at_least(node, values[0], 0, "the root of a negative number", place)
            return isqrt(values[0])
        case "ceil_log2":
            _at_least(node, values[0], 1, "the logarithm of a number below 1", place)
            return (values[0] - 1).bit_length()
        case _:
            raise AssertionError(f"not a function: {node.function}")


def _at_least(node: Call, value: int, least: int, title: str, place: Environment) -> None:
    if value < least:
        raise value_error("P102.outside_domain", node, place, what=title, value=value, least=least)
