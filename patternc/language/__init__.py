"""The language: text to the pattern of every layer and head.

`parse` reads, `elaborate` checks and resolves, `show` prints a tree and `fmt` lays out a text,
`explain` tells what a diagnostic means. Parsing imports Lark when it is first used. Nothing here
knows n, blocks of a kernel, or torch.
"""

from __future__ import annotations

from patternc.language.check.runtime_inputs import RunTimeInput
from patternc.language.elaborate.elaborate import Elaborated, elaborate
from patternc.language.syntax.ast import Program
from patternc.language.syntax.diagnostics import Diagnostic, PatternError
from patternc.language.syntax.unparse import show

__all__ = [
    "Diagnostic",
    "Elaborated",
    "PatternError",
    "Program",
    "RunTimeInput",
    "elaborate",
    "explain",
    "fmt",
    "parse",
    "show",
]


def parse(text: str, name: str = "<pattern>") -> Program:
    """The syntax tree of a program; raises `PatternError` with every unreadable statement."""
    from patternc.language.syntax import parser

    return parser.parse(text, name)


def fmt(text: str, name: str = "<pattern>") -> str:
    """The text in its one layout, comments kept; raises `PatternError` if it cannot be read."""
    from patternc.language.syntax.formatter import layout

    parse(text, name)
    return layout(text)


def explain(code: str) -> str:
    """The page of a diagnostic code such as `P040`, with a wrong and a right program."""
    from patternc.language.syntax import error_pages

    return error_pages.explain(code)
