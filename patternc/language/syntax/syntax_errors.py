"""Explains a place at which the text cannot be read on.

Converts the parser's state (what appears here, what could appear here, which brackets are open) to
a diagnostic. Common mistakes and their remedies are in `grammar/mistakes.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from patternc.frozen import frozen
from patternc.language.syntax.diagnostics import Diagnostic, Mark
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import SourceText, Span
from patternc.language.syntax.spelling import known_mistakes, nearest

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = {"(": "RPAR", "[": "RSQB", "{": "RBRACE"}
_STATEMENT_WORDS = ("heads", "layers", "causal", "allow", "let", "param", "size", "rows", "else")
_JOINING = ("PLUS", "AMPERSAND", "FACTOR", "POWER", "ON", "WITH", "AND", "OR", "ARROW", "COMPARE")
_TERMINALS = {
    "ARROW": "`->`",
    "EQUAL": "`=`",
    "COMMA": "`,`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "EMPTY": "`empty`",
    "_NEWLINE": "the end of the line",
}


@frozen
class Bracket:
    """An opening bracket that is not closed yet."""

    character: str
    span: Span


@frozen
class ParseFailure:
    """The parser's state: `found` is a terminal, empty for a character that begins none."""

    span: Span
    found: str
    expected: frozenset[str]
    open: tuple[Bracket, ...]


def describe(trouble: ParseFailure, source: SourceText) -> Diagnostic:
    """The diagnostic for a place at which the text cannot be read on."""
    text = source.slice(trouble.span)
    if trouble.found == "$END" and trouble.open:
        return _never_closed(trouble.open[-1])
    if text in (")", "]", "}"):
        return _stray_bracket(text, trouble, source)
    if trouble.found in ("_NEWLINE", "$END"):
        return _too_short(trouble, source)
    if not trouble.open and _starts_line(trouble.span, source) and _continues(trouble.found):
        return _continuation(text, trouble)
    return _unexpected(text, trouble, source)


def _unexpected(text: str, trouble: ParseFailure, source: SourceText) -> Diagnostic:
    wanted = expected(trouble)
    return diagnostic(
        "P002.unexpected_token" if trouble.found else "P001.unexpected_character",
        trouble.span,
        tuple(_open_marks(trouble, source)),
        text=text,
        expected=wanted,
        remedy=_remedy(trouble, source),
    )


def _open_marks(trouble: ParseFailure, source: SourceText) -> Iterator[Mark]:
    """The innermost open bracket, if it appears on an earlier line: it may be the mistake."""
    if trouble.open:
        bracket = trouble.open[-1]
        if source.position(bracket.span.start)[0] < source.position(trouble.span.start)[0]:
            yield Mark(bracket.span, "still open here")


def _never_closed(bracket: Bracket) -> Diagnostic:
    return diagnostic(
        "P003.never_closed",
        bracket.span,
        bracket=bracket.character,
        closing=_PAIRS[bracket.character],
    )


def _stray_bracket(text: str, trouble: ParseFailure, source: SourceText) -> Diagnostic:
    if not trouble.open:
        return diagnostic("P003.unmatched_bracket", trouble.span, text=text)
    bracket = trouble.open[-1]
    closing = _PAIRS[bracket.character]
    if closing != text:
        return diagnostic(
            "P003.mismatched_bracket",
            trouble.span,
            (Mark(bracket.span, "opened here"),),
            text=text,
            bracket=bracket.character,
            closing=closing,
        )
    return _unexpected(text, trouble, source)


def _too_short(trouble: ParseFailure, source: SourceText) -> Diagnostic:
    remedy = _remedy(trouble, source)
    return diagnostic("P002.too_short", trouble.span, expected=expected(trouble), remedy=remedy)


def _starts_line(span: Span, source: SourceText) -> bool:
    number, column = source.position(span.start)
    return number > 1 and not source.line(number)[: column - 1].strip()


def _continues(found: str) -> bool:
    return found in _JOINING


def _continuation(text: str, trouble: ParseFailure) -> Diagnostic:
    return diagnostic("P004.continuation", trouble.span, text=text)


def _remedy(trouble: ParseFailure, source: SourceText) -> str:
    number, column = source.position(trouble.span.start)
    line = source.line(number)
    before, at = line[: column - 1], line[column - 1 :]
    word = before.split()
    if len(word) == 1 and trouble.found in ("NAME", "NUMBER") and not trouble.open:
        near = nearest(word[0], _STATEMENT_WORDS)
        if near not in (None, word[0]) and not re.match(r"(not\s+)?in\b", at):
            return f"did you mean `{near}`?"
    for slip in known_mistakes():
        if re.search(slip.get("before", ""), before) and re.match(slip["at"], at):
            return slip["help"]
    return ""


def expected(trouble: ParseFailure) -> str:
    """What could appear here, in words."""
    parts = list(_expected_parts(_possible(trouble)))
    if len(parts) < 2:
        return "".join(parts) or "something else"
    return f"{', '.join(parts[:-1])} or {parts[-1]}"


def _possible(trouble: ParseFailure) -> frozenset[str]:
    """The terminals that can follow, less the closing brackets and ends that do not fit here."""
    unfit = {"RPAR", "RSQB", "RBRACE"}
    if trouble.open:
        unfit -= {_CLOSERS[trouble.open[-1].character]}
        unfit |= {"_NEWLINE", "ARROW"}
    else:
        unfit |= {"COMMA"}
    return trouble.expected - unfit


def _expected_parts(terminals: frozenset[str]) -> Iterator[str]:
    if "LET" in terminals:
        yield "a statement"
        return
    if "NUMBER" in terminals and "LSQB" in terminals:
        yield "a pattern or number"
    elif "NUMBER" in terminals:
        yield "a number, a parameter or parentheses"
    elif "NAME" in terminals:
        yield "a name"
    if "PLUS" in terminals:
        yield "an operator"
    for terminal, words in _TERMINALS.items():
        if terminal in terminals:
            yield words
