"""Derivatives of score expressions by rule, as sums of products.

Converts an expression, and one of its parts that has no parts itself, to the terms of the
derivative with respect to it. Products keep the order of the expression's factors, so that text
for them shares what the expression computes already.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from patternc.frozen import frozen
from patternc.ir.score_expressions import (
    Difference,
    Function,
    Named,
    Node,
    Number,
    Product,
    Quotient,
    Sum,
    sigmoid,
)

Step = tuple[Literal["*", "/"], Node]


@frozen
class Holds:
    """A comparison of an expression with a number."""

    operand: Node
    operator: Literal["<", "<=", ">", ">="]
    bound: float


@frozen
class Term:
    """1 multiplied and divided from left to right, where the conditions hold, else 0."""

    steps: tuple[Step, ...] = ()
    conditions: tuple[Holds, ...] = ()
    negative: bool = False

    def times(self, other: Term) -> Term:
        """The product, with the factors of the other behind."""
        found = replace(
            self,
            conditions=(*self.conditions, *other.conditions),
            negative=self.negative != other.negative,
        )
        for step in other.steps:
            found = found._then(step)
        return found

    def _then(self, step: Step) -> Term:
        """One step more; a number and a division by it cancel, wherever they are."""
        operator, value = step
        inverse: Step = ("/" if operator == "*" else "*", value)
        if isinstance(value, Number) and inverse in self.steps:
            at = self.steps.index(inverse)
            return replace(self, steps=self.steps[:at] + self.steps[at + 1 :])
        return replace(self, steps=(*self.steps, step))

    @property
    def is_one(self) -> bool:
        return self == Term()


Terms = tuple[Term, ...]


def derivative(value: Node, of: Node) -> Terms:
    """The terms of d value / d of; none where the value does not depend on it."""
    if value == of:
        return (Term(),)
    match value:
        case Sum(left, right):
            return derivative(left, of) + derivative(right, of)
        case Difference(left, right):
            return derivative(left, of) + _times((Term(negative=True),), derivative(right, of))
        case Product(left, right):
            return _times(derivative(left, of), (_term(right),)) + _times(
                (_term(left),), derivative(right, of)
            )
        case Quotient(left, right):
            over = Term((("/", right),))
            falling = replace(_term(value).times(over), negative=True)
            return _times(derivative(left, of), (over,)) + _times((falling,), derivative(right, of))
        case Function():
            inner = derivative(value.operand, of)
            return _times(_slope(value), inner) if inner else ()
        case Named(_, operand):
            return tuple(_with_name(term, value) for term in derivative(operand, of))
        case _:
            return ()


def _slope(value: Function) -> Terms:
    """The derivative of a function by its operand."""
    operand = value.operand
    match value.name:
        case "abs":
            above, below = Holds(operand, ">", 0.0), Holds(operand, "<", 0.0)
            return Term((), (above,)), Term((), (below,), negative=True)
        case "exp":
            return (Term((("*", value),)),)
        case "log_share":
            inside = Holds(operand, ">", 0.0), Holds(operand, "<=", 1.0)
            return (Term((("/", operand),), inside),)
        case "relu":
            return (Term((), (Holds(operand, ">=", 0.0),)),)
        case "sigmoid":
            # As 1 - sigmoid(x) a small one would be lost.
            return (Term((("*", value), ("*", sigmoid(negative(operand))))),)
        case "tanh":
            return Term(), Term((("*", value), ("*", value)), negative=True)


def negative(value: Node) -> Node:
    """-x, a difference turned around."""
    match value:
        case Difference(left, right):
            return Difference(right, left)
        case Product(Number(-1.0), operand):
            return operand
        case _:
            return Product(Number(-1.0), value)


def shared(terms: Terms) -> Term:
    """The steps with which all terms begin."""
    found: list[Step] = []
    for steps in zip(*(term.steps for term in terms), strict=False):
        if any(step != steps[0] for step in steps):
            break
        found.append(steps[0])
    return Term(tuple(found))


def without(terms: Terms, first: Term) -> Terms:
    """The terms without the steps that they begin with."""
    return tuple(replace(term, steps=term.steps[len(first.steps) :]) for term in terms)


def _times(left: Terms, right: Terms) -> Terms:
    return tuple(one.times(other) for one in left for other in right)


def _term(value: Node) -> Term:
    return Term(_steps(value))


def _steps(value: Node) -> tuple[Step, ...]:
    """A product of products as steps from left to right; their right sides stay whole."""
    match value:
        case Product(left, right):
            return (*_steps(left), ("*", right))
        case Quotient(left, right):
            return (*_steps(left), ("/", right))
        case _:
            return (("*", value),)


def _with_name(term: Term, name: Named) -> Term:
    """The term with the name wherever it has all of its steps."""
    steps, whole = term.steps, _steps(name.operand)
    for at in range(len(steps) - len(whole) + 1):
        if steps[at : at + len(whole)] == whole:
            named: Step = ("*", name)
            rest = replace(term, steps=(*steps[:at], named, *steps[at + len(whole) :]))
            return _with_name(rest, name)
    return term
