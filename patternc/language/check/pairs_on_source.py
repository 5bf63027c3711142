"""The pairs of a pattern on one key source, without score modifiers.

Converts the text of a pattern to the text of its pairs there, as far as they can be told apart
before values are known: sources are the same where they are written alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from patternc.language.syntax.ast import Binary, Name, Node, Unary, walk


@dataclass(slots=True)
class LetBindings:
    """What names above stand for; `attached` are those in which `on` or `with` stands."""

    values: dict[str, Node] = field(default_factory=dict)
    attached: set[str] = field(default_factory=set)

    def add(self, name: str, value: Node) -> None:
        self.values[name] = value
        if self.is_attached(value):
            self.attached.add(name)

    def is_attached(self, node: Node) -> bool:
        return any(
            (isinstance(part, Binary) and part.operator in ("on", "with"))
            or (isinstance(part, Name) and part.name in self.attached)
            for part in walk(node)
        )


def source_of(node: Node) -> Node | None:
    """The source of a term as it is written; None is the tokens."""
    match node:
        case Binary("on", _, right):
            return right
        case Binary("with", left, _):
            return source_of(left)
        case _:
            return None


def pairs_on(source: Node | None, node: Node, lets: LetBindings) -> Node | None:
    """The pairs on a source; None if there are none. Lets without `on` and `with` stay names."""
    if not lets.is_attached(node):
        return node if source is None else None
    match node:
        case Name(name):
            return pairs_on(source, lets.values[name], lets)
        case Binary("with", left, _):
            return pairs_on(source, left, lets)
        case Binary("on", left, right):
            return pairs_on(None, left, lets) if right == source else None
        case Binary("+", left, right):
            return _joined(node, pairs_on(source, left, lets), pairs_on(source, right, lets))
        case Binary("&" | "-", left, right):
            return _cut(node, pairs_on(source, left, lets), pairs_on(source, right, lets), lets)
        case Unary("~", operand):
            inner = pairs_on(source, operand, lets)
            return None if inner is None else replace(node, operand=inner)
        case _:
            raise AssertionError(f"not a pattern with sources: {node}")


def _joined(node: Binary, left: Node | None, right: Node | None) -> Node | None:
    if left is None or right is None:
        return left if right is None else right
    return replace(node, left=left, right=right)


def _cut(node: Binary, left: Node | None, right: Node | None, lets: LetBindings) -> Node | None:
    """What `&` and `-` leave of the left side; `causal` under `&` refers to every source."""
    if node.operator == "&" and _is_causal(node.right, lets):
        right = Name("causal")
    elif node.operator == "&" and _is_causal(node.left, lets):
        left = Name("causal")
    if left is None or (right is None and node.operator == "&"):
        return None
    return left if right is None else replace(node, left=left, right=right)


def _is_causal(node: Node, lets: LetBindings) -> bool:
    while isinstance(node, Name) and node.name in lets.values:
        node = lets.values[node.name]
    return node == Name("causal")
