"""Sizes of the call as numbers: `size NAME` means what a number in its place does.

Maps terms, and the run-time inputs with the numbers, to the same terms without sizes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar, cast

from patternc.ir.formula import Constant, Reading
from patternc.ir.parts import children, map_children
from patternc.semantics import input_arrays
from patternc.semantics.input_arrays import Inputs

_Node = TypeVar("_Node")
Values = tuple[tuple[str, int], ...]


def with_sizes(node: _Node, inputs: Inputs) -> _Node:
    """The node with the numbers that the inputs have. Raises `InputError` for a missing one."""
    names = _sizes_in(node)
    if not names:
        return node
    values = tuple((name, input_arrays.size(name, inputs)) for name in sorted(names))
    return cast(_Node, _replaced(node, values))


@lru_cache(maxsize=4096)
def _sizes_in(node: object) -> frozenset[str]:
    match node:
        case Reading(str() as name, Constant()):
            return frozenset({name})
        case _:
            return frozenset[str]().union(*map(_sizes_in, children(node)))


@lru_cache(maxsize=4096)
def _replaced(node: object, values: Values) -> object:
    return _with_numbers(node, values)


def _with_numbers(node: object, values: Values) -> object:
    """Not kept by value: of equal numbers, such as 2 and 2.0 or 0 and False, each stays itself."""
    match node:
        case Reading(str() as name, Constant()):
            return Constant(dict(values)[name])
        case _:
            return map_children(node, lambda part: _with_numbers(part, values))
