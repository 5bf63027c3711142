"""What a score modifier computes: an expression over a pair's score, its distance and a table.

Floating-point numbers, one for each pair of positions. Operators of Python build them:
`50 * tanh(SCORE / 50)`. Does not evaluate, differentiate or print them.
"""

from __future__ import annotations

from typing import Literal

from patternc.frozen import frozen

FunctionName = Literal["abs", "exp", "log_share", "relu", "sigmoid", "tanh"]


class Node:
    """Any expression."""

    __slots__ = ()

    def __add__(self, other: Node | float) -> Node:
        return Sum(self, node_of(other))

    def __radd__(self, other: float) -> Node:
        return Sum(Number(other), self)

    def __sub__(self, other: Node | float) -> Node:
        return Difference(self, node_of(other))

    def __rsub__(self, other: float) -> Node:
        return Difference(Number(other), self)

    def __mul__(self, other: Node | float) -> Node:
        return Product(self, node_of(other))

    def __rmul__(self, other: float) -> Node:
        return Product(Number(other), self)

    def __truediv__(self, other: Node | float) -> Node:
        return Quotient(self, node_of(other))

    def __rtruediv__(self, other: float) -> Node:
        return Quotient(Number(other), self)

    def __neg__(self) -> Node:
        return Product(Number(-1.0), self)


@frozen
class Number(Node):
    value: float


@frozen
class Score(Node):
    """The score before the modifier: q . k scaled, after the modifiers that apply before it."""


@frozen
class Distance(Node):
    """j - i, an integer; on a pool i counts windows."""


@frozen
class OfHead(Node):
    """A number of each head: entry `column` of the modifier's table."""

    name: str
    column: int = 0


@frozen
class OfQuery(Node):
    """A number of each query: entry `column` of its row of the modifier's table."""

    name: str
    column: int = 0


@frozen
class AtDistance(Node):
    """The table's entry at the pair's distance, cut to -low .. high, entry 0 that of -low.

    Without `low` the last entry is that of `high`, and there are as many as the table has.
    """

    low: int | None
    high: int


@frozen
class AtKey(Node):
    """The table's entry at the key's slot j."""


@frozen
class OfKey(Node):
    """A number of each key: the entry of its slot j in a table that all queries share."""


@frozen
class Sum(Node):
    left: Node
    right: Node


@frozen
class Difference(Node):
    left: Node
    right: Node


@frozen
class Product(Node):
    left: Node
    right: Node


@frozen
class Quotient(Node):
    """left / right; by a number and not `exact`, kernels multiply by 1 / right: within 1 ulp."""

    left: Node
    right: Node
    exact: bool = True


@frozen
class Function(Node):
    """A function of one number; log_share(x) is log(clip(x, 0, 1)), without a slope at 0.

    exp(log_share(x)) is the share of its weight that a pair keeps.
    """

    name: FunctionName
    operand: Node


@frozen
class Named(Node):
    """A part with a name of its own in the text, which derivatives refer to."""

    name: str
    operand: Node


Entry = AtDistance | AtKey
SCORE, DISTANCE = Score(), Distance()


def node_of(value: Node | float) -> Node:
    return value if isinstance(value, Node) else Number(value)


def absolute(operand: Node) -> Node:
    return Function("abs", operand)


def exp(operand: Node) -> Node:
    return Function("exp", operand)


def log_share(operand: Node) -> Node:
    return Function("log_share", operand)


def relu(operand: Node) -> Node:
    return Function("relu", operand)


def sigmoid(operand: Node) -> Node:
    return Function("sigmoid", operand)


def tanh(operand: Node) -> Node:
    return Function("tanh", operand)


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Sum(left, right) | Difference(left, right):
            return (left, right)
        case Product(left, right) | Quotient(left, right):
            return (left, right)
        case Function(_, operand) | Named(_, operand):
            return (operand,)
        case _:
            return ()


def parts(node: Node) -> tuple[Node, ...]:
    """The expression and all it is made of, once each, operands before what they are part of."""
    below = (part for child in children(node) for part in parts(child))
    return tuple(dict.fromkeys((*below, node)))
