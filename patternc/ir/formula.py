"""Formulas over positions: integer expressions and conditions in i, j and n.

Built by elaboration (lets, parameters, layer and head are numbers by then) and read by every later
package. An expression is quasi-affine: products have a constant side, divisors are positive
constants, so the integer sets can hold every condition exactly. Does not evaluate or print them;
tables are `algebra.atoms`.
"""

from __future__ import annotations

from typing import Literal

from patternc.frozen import frozen

VariableName = Literal["i", "j", "n", "m"]
CompareOperator = Literal["<", "<=", "==", "!=", ">=", ">"]


@frozen
class Constant:
    value: int


@frozen
class Variable:
    """The query position i, the key position j, or the number of token keys n of the present scope.

    Inside `blocks(B) { .. }` all three count blocks. m, which no program names, is the number of
    slots that a key source has at call time.
    """

    name: VariableName


@frozen
class Scalar:
    """A number that differs between the heads of a group: column `slot` of the group's table."""

    slot: int


@frozen
class Reading:
    """The integer of a run-time input at a position: `tin[i]`; at a `Constant`, a size of the call.

    `table` is its name in a `where`, and what holds it (`algebra.atoms.IntegerTable`) in an atom.
    """

    table: object
    position: Expression


@frozen
class Add:
    left: Expression
    right: Expression


@frozen
class Subtract:
    left: Expression
    right: Expression


@frozen
class Multiply:
    """A product; one side holds no variable."""

    left: Expression
    right: Expression


@frozen
class FloorDivide:
    """Division rounded to minus infinity; the divisor is a positive `Constant` or `Scalar`."""

    left: Expression
    right: Expression


@frozen
class Modulo:
    """The remainder of `FloorDivide`, never negative."""

    left: Expression
    right: Expression


@frozen
class Minimum:
    left: Expression
    right: Expression


@frozen
class Maximum:
    left: Expression
    right: Expression


@frozen
class Absolute:
    operand: Expression


Expression = (
    Constant
    | Variable
    | Scalar
    | Reading
    | Add
    | Subtract
    | Multiply
    | FloorDivide
    | Modulo
    | Minimum
    | Maximum
    | Absolute
)


def size(name: str) -> Reading:
    """The integer that a call gives for `size NAME`."""
    return Reading(name, Constant(0))


def is_size(reading: Reading) -> bool:
    """Is it one number for all positions?"""
    return isinstance(reading.position, Constant)


@frozen
class Truth:
    value: bool


@frozen
class Compare:
    operator: CompareOperator
    left: Expression
    right: Expression


@frozen
class All:
    """Conjunction; of nothing, true."""

    items: tuple[Condition, ...]


@frozen
class Any:
    """Disjunction; of nothing, false."""

    items: tuple[Condition, ...]


@frozen
class Not:
    operand: Condition


class Atom:
    """A condition that reads a table; `algebra.atoms` defines them, a `where` never has one."""

    __slots__ = ()

    def negated(self) -> Condition:
        """What holds where this does not."""
        return Not(self)


Condition = Truth | Compare | All | Any | Not | Atom
