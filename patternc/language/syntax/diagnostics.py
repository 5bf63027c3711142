"""What is wrong with a program, and how it is shown.

Created by every stage of the front end and rendered by the command line. A diagnostic says what
appears here, which rule it meets (note) and what to write instead (help). They are collected,
sorted and raised once as a `PatternError`. The layout of the text is rustc's. Does not handle
colors or exit codes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Literal

from patternc.frozen import frozen
from patternc.language.syntax.characters import visible, visible_lines
from patternc.language.syntax.limits import COLUMNS, SHOWN
from patternc.language.syntax.source import SourceText, Span

Severity = Literal["error", "warning"]
_TAB = "    "
_DOTS = " .. "


@frozen
class Mark:
    """A second place that explains the first."""

    span: Span
    label: str


@frozen
class Diagnostic:
    """One finding; `span` is None where no text is at fault (a parameter given at call time)."""

    code: str
    title: str
    span: Span | None = None
    label: str = ""
    note: str = ""
    help: str = ""
    marks: tuple[Mark, ...] = ()
    severity: Severity = "error"


class PatternError(Exception):
    """A program that means nothing; `diagnostics` holds every finding, in the order of the text."""

    def __init__(self, diagnostics: Iterable[Diagnostic], source: SourceText) -> None:
        self.diagnostics = ordered(diagnostics)
        self.source = source
        super().__init__(self.diagnostics, source)

    def __str__(self) -> str:
        return render(self.diagnostics, self.source)


class Findings:
    """Collects diagnostics; the same finding made for several heads is kept once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Span | None], Diagnostic] = {}
        self.count = 0
        """How many errors so far, repeated ones included."""

    def add(self, diagnostic: Diagnostic) -> None:
        self.count += diagnostic.severity == "error"
        self._found.setdefault((diagnostic.code, diagnostic.span), diagnostic)

    def errors(self) -> tuple[Diagnostic, ...]:
        return ordered(d for d in self._found.values() if d.severity == "error")

    def warnings(self) -> tuple[Diagnostic, ...]:
        return ordered(d for d in self._found.values() if d.severity == "warning")

    def all(self) -> tuple[Diagnostic, ...]:
        return ordered(self._found.values())


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In the order of the text; what has no place comes first."""
    return tuple(sorted(diagnostics, key=lambda d: (d.span or Span(-1, -1), d.code)))


def render(diagnostics: Iterable[Diagnostic], source: SourceText) -> str:
    """Plain text for a terminal; one blank line between findings, and no more than many."""
    found = tuple(diagnostics)
    shown = [_one(diagnostic, source) for diagnostic in found[:SHOWN]]
    if len(found) > SHOWN:
        shown.append(f"and {len(found) - SHOWN:,} more, not shown\n")
    return "\n".join(shown)


def _one(diagnostic: Diagnostic, source: SourceText) -> str:
    marks = _marks(diagnostic)
    last = max((source.position(mark.span.start)[0] for mark in marks), default=1)
    gutter = " " * len(str(last))
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {_cut(diagnostic.title)}"]
    if marks:
        line, column = source.position(marks[0].span.start)
        lines += [f"{gutter}--> {visible(source.name)}:{line}:{column}", f"{gutter} |"]
        lines += _snippets(marks, source, gutter)
    for word, text in (("note", diagnostic.note), ("help", diagnostic.help)):
        if text:
            indent = "\n" + gutter + " " * (len(word) + 5)
            lines.append(f"{gutter} = {word}: " + _cut(text).replace("\n", indent))
    return "\n".join(lines) + "\n"


def _marks(diagnostic: Diagnostic) -> tuple[Mark, ...]:
    if diagnostic.span is None:
        return ()
    return (Mark(diagnostic.span, diagnostic.label), *diagnostic.marks)


def _snippets(marks: tuple[Mark, ...], source: SourceText, gutter: str) -> list[str]:
    """Every marked line with its carets, in the order of the text; `^` marks the main place."""
    lines: list[str] = []
    previous, shown = 0, ""
    for mark in sorted(marks, key=lambda mark: mark.span):
        number, column = source.position(mark.span.start)
        if previous and number > previous + 1:
            lines.append(f"{gutter}...")
        text, start = _window(source.line(number), column - 1, mark.span)
        if number != previous or text != shown:
            lines.append(f"{number:>{len(gutter)}} | {_shown(text)}")
        stroke = "^" if mark is marks[0] else "-"
        lines.append(f"{gutter} | {_strokes(text, start, mark.span, stroke)} {_cut(mark.label)}")
        shown = text
        previous = number
    lines = [line.rstrip() for line in lines]
    return [*lines, f"{gutter} |"]


def _window(line: str, start: int, span: Span) -> tuple[str, int]:
    """The part of a long line that holds the marked place, and where that begins in it."""
    if len(line) <= COLUMNS:
        return line, start
    wanted = min(span.stop - span.start, COLUMNS // 2)
    first = max(0, min(start - (COLUMNS - wanted) // 2, len(line) - COLUMNS))
    last = min(len(line), first + COLUMNS)
    before, after = _DOTS * (first > 0), _DOTS * (last < len(line))
    return before + line[first:last] + after, start - first + len(before)


def _cut(text: str) -> str:
    """What is said, visible, without the middle of what only a machine would write."""
    if len(text) > 8 * COLUMNS:
        text = text[: 4 * COLUMNS] + _DOTS + text[-COLUMNS:]
    return visible_lines(text)


def _strokes(text: str, start: int, span: Span, stroke: str) -> str:
    """Carets under the part of the span that lies on its first line, at least one."""
    marked = text[start : start + span.stop - span.start]
    return " " * _width(text[:start]) + stroke * max(1, _width(marked))


def _shown(text: str) -> str:
    return visible_lines(text).replace("\t", _TAB)


def _width(text: str) -> int:
    """Columns that a terminal gives the text."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if character == "\t":
        return len(_TAB)
    if (shown := visible(character)) != character:
        return len(shown)
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
