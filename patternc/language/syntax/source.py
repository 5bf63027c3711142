"""The text of a program and places in it.

Every diagnostic points into it. Offsets count code points of the text after a leading byte order
mark. Lines end with LF, CRLF or CR. Does not handle display width.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The half-open range of code points start <= p < stop."""

    start: int
    stop: int

    def to(self, other: Span) -> Span:
        return Span(min(self.start, other.start), max(self.stop, other.stop))


NOWHERE = Span(0, 0)


@dataclass(frozen=True)
class SourceText:
    """A named text; `name` is a path, `-` or `<pattern>`."""

    text: str
    name: str = "<pattern>"

    @staticmethod
    def of(text: str, name: str = "<pattern>") -> SourceText:
        return SourceText(text.removeprefix("\ufeff"), name)

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return (0, *(match.end() for match in _LINE_END.finditer(self.text)))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        line = bisect_right(self._starts, min(offset, len(self.text)))
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The place of a line and column, both counted from 1, in the text."""
        return self._starts[line - 1] + column - 1

    def line(self, number: int) -> str:
        """The text of a line counted from 1, without its line end."""
        start = self._starts[number - 1]
        rest = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[start:rest].rstrip("\r\n")

    def line_span(self, number: int) -> Span:
        start = self._starts[number - 1]
        return Span(start, start + len(self.line(number)))

    def slice(self, span: Span) -> str:
        return self.text[span.start : span.stop]
