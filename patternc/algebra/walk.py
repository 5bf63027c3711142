"""Walks over formulas: their parts, their leaves, and the same formula with other parts.

A condition is a tree of `All`, `Any` and `Not` over leaves: truths, comparisons and atoms. What is
built anew goes through `simplify`, so that it is simplified as it was when it was first built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from patternc.algebra import simplify
from patternc.algebra.atoms import InRow, ListedTable
from patternc.ir.formula import (
    Absolute,
    Add,
    All,
    Any,
    Atom,
    Compare,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Maximum,
    Minimum,
    Modulo,
    Multiply,
    Not,
    Reading,
    Scalar,
    Subtract,
    Truth,
    Variable,
)

Leaf = Truth | Compare | Atom
_MAKERS: dict[type[Expression], Callable[[Expression, Expression], Expression]] = {
    Add: simplify.add,
    Subtract: simplify.subtract,
    Multiply: simplify.multiply,
    FloorDivide: simplify.floor_divide,
    Modulo: simplify.modulo,
    Minimum: simplify.minimum,
    Maximum: simplify.maximum,
}


def children(expression: Expression) -> tuple[Expression, ...]:
    """The expressions that an expression is made of; none for constants, variables and scalars."""
    match expression:
        case Constant() | Variable() | Scalar():
            return ()
        case Absolute(operand):
            return (operand,)
        case Reading(_, position):
            return (position,)
        case _:
            return expression.left, expression.right


def map_children(expression: Expression, of: Callable[[Expression], Expression]) -> Expression:
    """The expression with `of` of each child in its place; abs(x) becomes max(x, 0 - x)."""
    match expression:
        case Constant() | Variable() | Scalar():
            return expression
        case Reading(table, position):
            return Reading(table, of(position))
        case Absolute(operand):
            value = of(operand)
            return simplify.maximum(value, simplify.subtract(Constant(0), value))
        case _:
            return _MAKERS[type(expression)](of(expression.left), of(expression.right))


def subexpressions(expression: Expression) -> Iterator[Expression]:
    """The expression and all its parts, outermost first."""
    yield expression
    for child in children(expression):
        yield from subexpressions(child)


def readings_of(*expressions: Expression) -> Iterator[Reading]:
    """The run-time integers that expressions read, in the order they are written."""
    for expression in expressions:
        for part in subexpressions(expression):
            if isinstance(part, Reading):
                yield part


def readings_in(condition: Condition) -> Iterator[Reading]:
    """The run-time integers that the comparisons of a `where` read."""
    for leaf in leaves(condition):
        if isinstance(leaf, Compare):
            yield from readings_of(leaf.left, leaf.right)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """The truths, comparisons and atoms of a condition, in the order they are written."""
    match condition:
        case All(items) | Any(items):
            for item in items:
                yield from leaves(item)
        case Not(operand):
            yield from leaves(operand)
        case _:
            yield condition


def atoms_of(condition: Condition) -> Iterator[Atom]:
    """The tables that a condition asks, in the order they are written."""
    return (leaf for leaf in leaves(condition) if isinstance(leaf, Atom))


def searched_lists(condition: Condition) -> Iterator[ListedTable]:
    """The lists that a search finds, unless the call gives them."""
    for atom in atoms_of(condition):
        if isinstance(atom, InRow) and isinstance(atom.table, ListedTable) and atom.table.found:
            yield atom.table


def sides_of(condition: Condition) -> Iterator[Expression]:
    """Both sides of every comparison."""
    for leaf in leaves(condition):
        if isinstance(leaf, Compare):
            yield from (leaf.left, leaf.right)


def map_leaves(condition: Condition, of: Callable[[Leaf], Condition]) -> Condition:
    """The condition with `of` of each leaf in its place."""
    match condition:
        case All(items):
            return simplify.conjunction(map_leaves(item, of) for item in items)
        case Any(items):
            return simplify.disjunction(map_leaves(item, of) for item in items)
        case Not(operand):
            return simplify.negation(map_leaves(operand, of))
        case _:
            return of(condition)
