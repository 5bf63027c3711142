"""The language: text to the pattern of every layer and head.

`parse` reads, `elaborate` checks and resolves, `show` prints. Parsing imports Lark when it is first
used. Nothing here knows n, blocks of a kernel, or torch.
"""

from __future__ import annotations

from patternc.language.diagnostics import Diagnostic, PatternError
from patternc.language.elaborate import Elaborated, elaborate
from patternc.language.inputs import RunTimeInput
from patternc.language.program import Program

__all__ = [
    "Diagnostic",
    "Elaborated",
    "PatternError",
    "Program",
    "RunTimeInput",
    "elaborate",
    "parse",
]


def parse(text: str, name: str = "<pattern>") -> Program:
    """The syntax tree of a program; raises `PatternError` with every unreadable statement."""
    from patternc.language import reader

    return reader.parse(text, name)
