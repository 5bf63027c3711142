"""A text in an editor: what is wrong with it, what its words mean, where names are bound.

Places are offsets in code points. Needs no editor and no protocol; `server` speaks to editors.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from patternc.algebra.work_budget import EffortError, allowance
from patternc.editors.manual import about_words
from patternc.language import fmt, parse
from patternc.language.syntax.ast import (
    Binding,
    Call,
    Let,
    Name,
    Node,
    Parameter,
    Program,
    Range,
    Reading,
    Size,
    Stage,
    Statement,
    nodes_of,
    walk,
)
from patternc.language.syntax.builtins import PRIMITIVES
from patternc.language.syntax.diagnostics import Diagnostic, PatternError
from patternc.language.syntax.source import Span
from patternc.pattern import Pattern
from patternc.report.svg import svg
from patternc.report.view import view

STATEMENTS = ("heads", "layers", "causal", "allow empty", "param", "let", "size", "else")
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# Length at which warnings are looked for and costs told, and numbers that one answer computes.
_LENGTH, _NUMBERS = 1024, 1 << 24


class Completion(NamedTuple):
    """A word that may be meant: how it is written, and what the manual says of it."""

    word: str
    usage: str
    text: str


class RenameError(Exception):
    """A name that cannot become the other; the message says why."""


@dataclass(frozen=True)
class Document:
    """One text. Nothing here raises for a text that is wrong, but `renamed`."""

    text: str

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What `patternc check` says."""
        if self._pattern is None:
            return self._mistakes
        try:
            with allowance(_NUMBERS):
                return self._pattern.check(None if self._pattern.fitting() else _LENGTH)
        except EffortError:
            return self._pattern.warnings

    @cached_property
    def _tree(self) -> Program | None:
        try:
            return parse(self.text)
        except PatternError:
            return None

    @cached_property
    def _read(self) -> tuple[Pattern | None, tuple[Diagnostic, ...]]:
        try:
            return Pattern.parse(self.text), ()
        except PatternError as error:
            return None, error.diagnostics

    @property
    def _pattern(self) -> Pattern | None:
        return self._read[0]

    @property
    def _mistakes(self) -> tuple[Diagnostic, ...]:
        return self._read[1]

    def word_at(self, offset: int) -> Span | None:
        """The word at an offset, or that ends there."""
        found = (match.span() for match in _WORD.finditer(self.text))
        return next((Span(*span) for span in found if span[0] <= offset <= span[1]), None)

    def hover(self, offset: int) -> str | None:
        """What the word at an offset means, as Markdown; of a term also its cost and picture."""
        span = self.word_at(offset)
        if span is None:
            return None
        word = self.text[span.start : span.stop]
        binding = self._binding(span)
        if binding is not None:
            own = self.text[binding.span.start : binding.span.stop]
            return f"```pattern\n{own}\n```{self._about(binding)}"
        given = next((item for item in self._inputs if item[0] == word), None)
        if given is not None:
            return f"`{word}`: given at call time: {given[1]}"
        return about_words().get(word, "") + self._cost(span) or None

    @property
    def _inputs(self) -> list[tuple[str, str]]:
        return [(item.name, item.shape) for item in self._pattern.inputs] if self._pattern else []

    def _about(self, binding: Binding) -> str:
        return "" if not isinstance(binding, Let) else self._told(binding.value)

    def _cost(self, span: Span) -> str:
        """The cost of the smallest term that begins with a word."""
        if self._tree is None:
            return ""
        nodes = (part for node in _nodes(self._tree) for part in walk(node))
        terms = [
            part
            for part in nodes
            if isinstance(part, Call | Name) and part.span.start == span.start
        ]
        return self._told(terms[-1]) if terms else ""

    def _told(self, node: Node | Range) -> str:
        """Pairs in closed form and a picture, of what is a pattern by itself."""
        lets = [
            self.text[binding.span.start : binding.span.stop]
            for binding in _bindings(self._tree)
            if binding.span.stop <= node.span.start
        ]
        own = self.text[node.span.start : node.span.stop]
        try:
            with allowance(_NUMBERS):
                return _described("\n".join([*lets, own]), own)
        except (PatternError, EffortError, ValueError):
            return ""

    def completions(self) -> tuple[Completion, ...]:
        """Words of the language, and names that the text binds."""
        told = about_words()
        words = [Completion(word, word, told.get(word, "")) for word in STATEMENTS]
        words += [Completion(b.name, b.usage(), told.get(b.name, "")) for b in PRIMITIVES.values()]
        names = [
            Completion(binding.name, self.text[binding.span.start : binding.span.stop], "")
            for binding in _bindings(self._tree)
        ]
        return tuple({each.word: each for each in (*words, *names)}.values())

    def formatted(self) -> str | None:
        """What `patternc fmt` writes; None where the text cannot be read."""
        try:
            return fmt(self.text)
        except PatternError:
            return None

    def definition(self, offset: int) -> Span | None:
        """Where the name at an offset is bound."""
        span = self.word_at(offset)
        binding = None if span is None else self._binding(span)
        return None if binding is None else binding.name_span

    def references(self, offset: int) -> tuple[Span, ...]:
        """Where the name at an offset is bound and used, in the order of the text."""
        span = self.word_at(offset)
        binding = None if span is None else self._binding(span)
        if binding is None or self._tree is None:
            return ()
        part = next(part for part in _stages(self._tree) if binding in part)
        uses = (use.span for use in _uses(part) if use.name == binding.name)
        return tuple(sorted({binding.name_span, *uses}))

    def renamed(self, offset: int, name: str) -> tuple[Span, ...]:
        """Where the name at an offset is to be replaced, so that the program means the same.

        Raises `RenameError` for what no `let`, `param` or `size` binds, and for names that are
        taken or are words of the language.
        """
        places = self.references(offset)
        if not places:
            raise RenameError("only names of let, param and size can be renamed")
        if not _WORD.fullmatch(name):
            raise RenameError(f"{name!r} is not a valid name: letters, digits and underscores")
        if name in PRIMITIVES or any(use.name == name for use in _uses(self._statements)):
            raise RenameError(f"`{name}` means something else here")
        text = self.text
        for span in reversed(places):
            text = text[: span.start] + name + text[span.stop :]
        mistakes = Document(text)._mistakes
        if mistakes and not self._mistakes:
            raise RenameError(f"`{name}`: {mistakes[0].title}")
        return places

    @property
    def _statements(self) -> tuple[Statement, ...]:
        return self._tree.statements if self._tree else ()

    def _binding(self, span: Span) -> Binding | None:
        """What binds the name at a place, which is the binding itself or a use behind it."""
        name = self.text[span.start : span.stop]
        for part in _stages(self._tree):
            known = [b for b in part if isinstance(b, Let | Parameter | Size) and b.name == name]
            own = [b for b in known if b.name_span == span]
            used = any(use.span == span for use in _uses(part))
            if known and (own or used):
                return known[0]
        return None


def _bindings(tree: Program | None) -> list[Binding]:
    statements = () if tree is None else tree.statements
    return [each for each in statements if isinstance(each, Let | Parameter | Size)]


def _stages(tree: Program | None) -> list[tuple[Statement, ...]]:
    """The statements of each stage, whose names are its own."""
    parts: list[list[Statement]] = [[]]
    for statement in () if tree is None else tree.statements:
        if isinstance(statement, Stage):
            parts.append([])
        parts[-1].append(statement)
    return [tuple(part) for part in parts]


def _nodes(tree: Program) -> Iterator[Node]:
    for statement in tree.statements:
        yield from nodes_of(statement)


def _uses(statements: tuple[Statement, ...]) -> Iterator[Name]:
    for statement in statements:
        for node in nodes_of(statement):
            for part in walk(node):
                if isinstance(part, Name):
                    yield part
                elif isinstance(part, Reading):
                    yield part.name


def _described(text: str, title: str) -> str:
    """Pairs of each head, and a picture of the first."""
    pattern = Pattern.parse(text)
    layer = pattern.report(_LENGTH).facts.layers[0]
    counts = [head.with_multiplicity for head in layer.cost.heads]
    forms = dict.fromkeys(count.form or f"{count.most:,} at n = {_LENGTH:,}" for count in counts)
    drawn = view(pattern, None, 0, None)
    picture = svg(title, drawn.caption, drawn.panels(1))
    image = b64encode(picture.encode()).decode()
    return f"\n\nPairs: {'; '.join(forms)}\n\n![mask](data:image/svg+xml;base64,{image})"
