"""Checks what the rules of a stream may contain without `on`.

Converts a rule's pattern to diagnostics. For the slots of a stream the tokens are another sequence:
what appears on an `encoder` appears on them, and n, the number of tokens, is known there only.
Which relation is allowed on which source is checked with the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from patternc.ir.sources import Rows, Tokens, name_of
from patternc.language.elaborate.check_attachments import misplaced
from patternc.language.syntax.ast import Binary, Call, Name, Node, Range, children
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import Span

Lets = Mapping[str, Node]

_OF_POSITIONS = ("absolute", "xl_relative", "decay")


def check_rows(node: Node, rows: Rows, lets: Lets) -> Iterator[Diagnostic]:
    """Relations that relate other rows, and what the rows of a stream cannot have."""
    if isinstance(rows, Tokens):
        yield from map(_without_tree, _calls(node, "contextual", lets, set()))
        return
    name = name_of(rows)
    for part in _at_home(node, lets, set()):
        yield from misplaced(part, "text", part.span, lets)
    yield from _of_tokens(node, name, lets, set())


def _at_home(node: Node | Range, lets: Lets, seen: set[str]) -> Iterator[Node]:
    """The relations that appear on no source by `on`; each let in `seen` was looked at."""
    match node:
        case Binary("on"):
            return
        case Name(name) if name in lets:
            if name not in seen:
                seen.add(name)
                yield from _at_home(lets[name], lets, seen)
        case Call("mix" | "gate" | "difference" | "sum" | "mean"):
            for argument in node.arguments:
                if argument.name is None:
                    yield from _at_home(argument.value, lets, seen)
        case Binary("+" | "-" | "&"):
            for child in children(node):
                yield from _at_home(child, lets, seen)
        case Binary("with", left, _):
            yield from _at_home(left, lets, seen)
        case Range():
            return
        case _:
            yield node


def _calls(node: Node | Range, word: str, lets: Lets, seen: set[str]) -> Iterator[Call]:
    """Calls of a relation that appears on no source by `on`."""
    match node:
        case Binary("on"):
            return
        case Name(name) if name in lets:
            if name not in seen:
                seen.add(name)
                yield from _calls(lets[name], word, lets, seen)
        case Call(function) if function == word:
            yield node
        case _:
            for child in children(node):
                yield from _calls(child, word, lets, seen)


def _of_tokens(
    node: Node | Range, rows: str, lets: Lets, seen: set[str], elsewhere: bool = False
) -> Iterator[Diagnostic]:
    """What only the rows of the tokens have; `elsewhere` is inside `on`."""
    match node:
        case Name("n") if elsewhere:
            yield _n_elsewhere(node.span, rows)
        case Name(name) if name in lets:
            if (key := f"{name} {elsewhere}") not in seen:
                seen.add(key)
                yield from _of_tokens(lets[name], rows, lets, seen, elsewhere)
        case Binary("on", left, right):
            yield from _of_tokens(left, rows, lets, seen, True)
            yield from _of_tokens(right, rows, lets, seen, elsewhere)
        case Name(word) | Call(word) if word in _OF_POSITIONS:
            yield _positioned(word, node.span, rows)
        case Call(word, arguments) if any(a.name == "position" for a in arguments):
            yield _positioned(f"{word}(position=..)", node.span, rows)
        case Call("contextual"):
            yield _without_position(node.span, rows)
        case _:
            for child in children(node):
                yield from _of_tokens(child, rows, lets, seen, elsewhere)


def _without_tree(call: Call) -> Diagnostic:
    return diagnostic("P074.without_tree", call.span)


def _without_position(span: Span, rows: str) -> Diagnostic:
    return diagnostic("P079.without_position", span, rows=rows)


def _n_elsewhere(span: Span, rows: str) -> Diagnostic:
    return diagnostic("P079.n_elsewhere", span, rows=rows)


def _positioned(word: str, span: Span, rows: str) -> Diagnostic:
    return diagnostic("P079.positioned", span, word=word, rows=rows)
