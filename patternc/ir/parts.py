"""What nodes are made of, whatever their kind, and the same nodes with other parts.

A node is a dataclass; its parts are the values of its fields, as those of a tuple are its items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

Node = TypeVar("Node")


def children(node: object) -> tuple[object, ...]:
    """The parts of a node or tuple; none of numbers, texts and types."""
    if isinstance(node, tuple):
        return node
    return tuple(getattr(node, name) for name in _names(node))


def map_children(node: Node, of: Callable[[object], object]) -> Node:
    """A node or tuple with `of` of each part in its place."""
    if isinstance(node, tuple):
        return cast(Node, tuple(map(of, node)))
    names = _names(node)
    if not names:
        return node
    changed = {name: of(getattr(node, name)) for name in names}
    return cast(Node, replace(cast(Any, node), **changed))


def _names(node: object) -> tuple[str, ...]:
    kind = type(node)
    if kind not in _NAMES:
        _NAMES[kind] = tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()
    return _NAMES[kind]


_NAMES: dict[type, tuple[str, ...]] = {}
