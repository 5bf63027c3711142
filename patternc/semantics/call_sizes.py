"""Sizes of the call as numbers: `size NAME` means what a number in its place does.

Maps terms, and the run-time inputs with the numbers, to the same terms without sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import TypeVar, cast

from patternc.ir.formula import Constant, Reading
from patternc.semantics import input_arrays
from patternc.semantics.input_arrays import Inputs

_Node = TypeVar("_Node")


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
        case tuple():
            return frozenset[str]().union(*map(_sizes_in, node))
        case _ if is_dataclass(node):
            return frozenset[str]().union(*map(_sizes_in, _parts(node)))
        case _:
            return frozenset()


@lru_cache(maxsize=4096)
def _replaced(node: object, values: tuple[tuple[str, int], ...]) -> object:
    match node:
        case Reading(str() as name, Constant()):
            return Constant(dict(values)[name])
        case tuple():
            return tuple(_replaced(part, values) for part in node)
        case _ if is_dataclass(node) and not isinstance(node, type):
            changed = {
                field.name: _replaced(getattr(node, field.name), values) for field in fields(node)
            }
            return replace(node, **changed)
        case _:
            return node


def _parts(node: object) -> Iterator[object]:
    assert is_dataclass(node)
    return (getattr(node, field.name) for field in fields(node))
