"""Score expressions and their derivatives to text: for torch tensors, Triton's blocks, and C.

A backend says what leaves are called: the score, the distance, and what a table holds. Does not
handle statements or tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from patternc.algebra.score_derivatives import Holds, Step, Term, Terms, negative
from patternc.emit.text.layout import (
    AND,
    COMPARISON,
    PRODUCT,
    SUM,
    Call,
    Chain,
    Keyword,
    Leaf,
    Method,
    Prefixed,
    Text,
)
from patternc.frozen import frozen
from patternc.ir.score_expressions import (
    Difference,
    Function,
    FunctionName,
    Named,
    Node,
    Number,
    Product,
    Quotient,
    Sum,
    parts,
)

_ONE, _ZERO = Leaf("1.0"), Leaf("0.0")


@frozen
class ScoreDialect:
    """How a language writes functions of floating-point numbers.

    One without `sigmoid` divides by 1 + e^-x; one with `reciprocals` multiplies by that of a number
    where this is near enough.
    """

    functions: Mapping[FunctionName, Callable[[Text], Text]]
    where: str
    reciprocals: bool = False
    number: Callable[[float], str] = str


def _called(function: str) -> Callable[[Text], Text]:
    return lambda operand: Call(function, (operand,))


def _method(name: str, *arguments: Text) -> Callable[[Text], Text]:
    return lambda operand: Method(operand, name, arguments)


def _log_share(operand: Text) -> Text:
    positive = Call("tl.maximum", (operand, _ZERO))
    return Call("tl.log", (Call("tl.minimum", (positive, _ONE)),))


TORCH_SCORES = ScoreDialect(
    {
        "abs": _method("abs"),
        "exp": _method("exp"),
        "log_share": _called("_log_share"),
        "relu": _method("clamp", Keyword("min", Leaf("0"))),
        "sigmoid": _method("sigmoid"),
        "tanh": _method("tanh"),
    },
    "torch.where",
)
TRITON_SCORES = ScoreDialect(
    {
        "abs": _called("tl.abs"),
        "exp": _called("tl.exp"),
        "log_share": _log_share,
        "relu": lambda operand: Call("tl.maximum", (operand, _ZERO)),
        "tanh": _called("_tanh"),
    },
    "tl.where",
    reciprocals=True,
)
_FUNCTIONS: tuple[FunctionName, ...] = get_args(FunctionName)
C_SCORES = ScoreDialect(
    {name: _called(f"vec_{name}") for name in _FUNCTIONS},
    "WHERE",
    reciprocals=True,
    number=lambda number: f"REAL({number})",
)


@frozen
class ScorePrinter:
    """One dialect, with the text of leaves; `prefix` stands before the names of parts."""

    dialect: ScoreDialect
    leaf: Callable[[Node], Text]
    prefix: str = ""

    def expression(self, value: Node) -> Text:
        match value:
            case Number(number):
                return Leaf(self.dialect.number(float(number)))
            case Named(name):
                return Leaf(self.prefix + name)
            case Sum(left, right):
                return self._sum(left, "+", right)
            case Difference(left, right):
                return self._sum(left, "-", right)
            case Product(Number(-1.0), operand):
                return Prefixed("-", self.expression(operand))
            case Product(left, right):
                return self._product((("*", left), ("*", right)))
            case Quotient(left, Number(number), exact=False) if self.dialect.reciprocals:
                return self._product((("*", left), ("*", Number(1 / number))))
            case Quotient(left, right):
                return self._product((("*", left), ("/", right)))
            case Function("sigmoid", operand) if "sigmoid" not in self.dialect.functions:
                return Chain(PRODUCT, _ONE, (("/", self._over(operand)),))
            case Function(name, operand):
                return self.dialect.functions[name](self.expression(operand))
            case _:
                return self.leaf(value)

    def named(self, value: Node) -> list[tuple[str, Text]]:
        """The parts with names, in an order in which they may be assigned."""
        found = (part for part in parts(value) if isinstance(part, Named))
        return [(self.prefix + part.name, self.expression(part.operand)) for part in found]

    def derivative(self, terms: Terms, factor: str = "") -> Text:
        """The sum of terms, each multiplied by a factor before its own."""
        first, *rest = sorted(terms, key=lambda term: term.negative)
        head = self._term(first, factor)
        if first.negative:
            head = Prefixed("-", head)
        signs = (("-" if term.negative else "+", self._term(term, factor)) for term in rest)
        return Chain(SUM, head, tuple(signs)) if rest else head

    def _term(self, term: Term, factor: str) -> Text:
        text = self._product(term.steps, *([Leaf(factor)] if factor else []))
        if not term.conditions:
            return text
        one, *others = map(self._holds, term.conditions)
        held = Chain(AND, one, tuple(("&", each) for each in others)) if others else one
        return Call(self.dialect.where, (held, text, _ZERO))

    def _holds(self, condition: Holds) -> Text:
        bound = Leaf(str(condition.bound))
        return Chain(COMPARISON, self.expression(condition.operand), ((condition.operator, bound),))

    def _sum(self, left: Node, operator: str, right: Node) -> Text:
        return _chained(SUM, self.expression(left), operator, self.expression(right))

    def _product(self, steps: tuple[Step, ...], first: Text | None = None) -> Text:
        """Steps from left to right; divisions in a row are one, by the product of divisors."""
        text, at = first, 0
        while at < len(steps):
            operator, value = steps[at]
            at += 1
            if operator == "*" and text is None:
                text = self.expression(value)
            elif operator == "*":
                assert text is not None
                text = _chained(PRODUCT, text, *self._factor(value))
            else:
                divisor = self.expression(value)
                while at < len(steps) and steps[at][0] == "/":
                    divisor = _chained(PRODUCT, divisor, "*", self.expression(steps[at][1]))
                    at += 1
                text = _chained(PRODUCT, text or _ONE, "/", divisor)
        return text or _ONE

    def _factor(self, value: Node) -> tuple[str, Text]:
        match value:
            case Function("sigmoid", operand) if "sigmoid" not in self.dialect.functions:
                return "/", self._over(operand)
            case _:
                return "*", self.expression(value)

    def _over(self, operand: Node) -> Text:
        """What 1 is divided by: 1 + e^-x."""
        power = self.dialect.functions["exp"](self.expression(negative(operand)))
        return Chain(SUM, _ONE, (("+", power),))


def _chained(level: int, left: Text, operator: str, right: Text) -> Text:
    match left:
        case Chain(strength, head, rest) if strength == level:
            return Chain(level, head, (*rest, (operator, right)))
        case _:
            return Chain(level, left, ((operator, right),))
