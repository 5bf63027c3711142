"""Templates: programs with parameters, made ready for a question and filled with values.

Maps names, texts and what is asked to the text of a program. Headers that a template needs and does
not have are added: `causal` where it is asked for, `layers` and `heads` where the program says
`layer` or `head`, or draws. Does not choose values.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypedDict, cast

from patternc.frozen import frozen
from patternc.language import parse
from patternc.language.syntax.ast import (
    Bare,
    Call,
    CallHeader,
    CountHeader,
    FlagHeader,
    Let,
    Name,
    Node,
    Otherwise,
    Parameter,
    Size,
    Stage,
    Statement,
    StreamRows,
    When,
    walk,
)
from patternc.search.query import SearchQuery

_TABLE = Path(__file__).with_name("templates.toml")
_PREFACE = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")


class _Row(TypedDict):
    about: str
    text: str
    vary: dict[str, str]


@frozen
class Template:
    """A program whose parameters `vary` (name -> values, see `values`)."""

    name: str
    about: str
    text: str
    vary: Mapping[str, str]

    def varied(self, other: Mapping[str, str]) -> Template:
        """With other values. What the text uses without a `param` line is given one.

        Raises `ValueError` for names that it does not use, and `PatternError`.
        """
        statements = parse(self.text, self.name).statements
        bound = {s.name for s in statements if isinstance(s, Parameter)}
        free = [name for name in other if name not in bound]
        for name in free:
            if name not in _words(statements):
                listed = ", ".join(sorted(bound)) or "none"
                raise ValueError(f"{self.name} has no parameter `{name}`; it has {listed}")
        lines = "".join(f"param {name} = 1\n" for name in free)
        return replace(self, text=_inserted(self.text, lines), vary={**self.vary, **other})


@cache
def templates() -> Mapping[str, Template]:
    """The templates that come with the compiler, by name."""
    rows = cast(dict[str, _Row], tomllib.loads(_TABLE.read_text(encoding="utf-8")))
    return {
        name: Template(name, row["about"], row["text"] + "\n", row["vary"])
        for name, row in rows.items()
    }


def headed(text: str, name: str, asked: SearchQuery) -> str:
    """The text with the headers that it needs; its leading comments stay in front."""
    statements = parse(text, name).statements
    has = {s.name for s in statements if isinstance(s, CountHeader | FlagHeader)}
    words = set(_words(statements))
    added = ["causal\n"] if asked.causal and "causal" not in has else []
    for header, word, count in (("layers", "layer", asked.layers), ("heads", "head", asked.heads)):
        if count is not None and header not in has and words & {word, header, "random"}:
            added.append(f"{header} {count}\n")
    return _inserted(text, "".join(added))


def filled(text: str, name: str, values: Mapping[str, int]) -> str:
    """The text with these values behind `param NAME =`."""
    for statement in reversed(parse(text, name).statements):
        if isinstance(statement, Parameter) and statement.name in values:
            span = statement.value.span
            text = text[: span.start] + str(values[statement.name]) + text[span.stop :]
    return text


def _inserted(text: str, lines: str) -> str:
    """The text with lines behind its leading comments."""
    preface = _PREFACE.match(text)
    start = preface.end() if preface else 0
    return text[:start] + lines + text[start:]


def _words(statements: Iterable[Statement]) -> Iterator[str]:
    """Names and functions that stand anywhere."""
    for statement in statements:
        for part in _nodes(statement):
            for node in walk(part):
                match node:
                    case Name(name) | Call(name):
                        yield name
                    case _:
                        pass


def _nodes(statement: Statement) -> tuple[Node, ...]:
    match statement:
        case CountHeader(_, value) | Parameter(_, value) | Let(_, value):
            return (value,)
        case CallHeader(call):
            return (call,)
        case Bare(pattern) | Otherwise(pattern):
            return (pattern,)
        case When(condition, pattern):
            return (condition, pattern)
        case FlagHeader() | StreamRows() | Size() | Stage():
            return ()
