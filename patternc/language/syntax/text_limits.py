"""What is said of a text beyond the limits of the language."""

from __future__ import annotations

from patternc.language.syntax.characters import code_point, hidden
from patternc.language.syntax.diagnostics import Diagnostic, PatternError
from patternc.language.syntax.limits import DIGITS, LIST_ITEMS, NESTING, TEXT_BYTES, WORDS
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import SourceText, Span


def bounded(source: SourceText) -> None:
    """Refuses a text that is too long, and characters that cannot be shown."""
    size = len(source.text.encode("utf-8", "surrogatepass"))
    if size > TEXT_BYTES:
        raise PatternError([_too_long_text(size)], source)
    found = hidden(source.text)
    if found is not None:
        raise PatternError([_hidden(found[0], Span(*found.span()))], source)


def _too_long_text(size: int) -> Diagnostic:
    return diagnostic("P130.too_long_text", size=size, most=TEXT_BYTES)


def _hidden(character: str, span: Span) -> Diagnostic:
    return diagnostic("P007.control_character", span, character=code_point(character))


def too_deep(span: Span) -> Diagnostic:
    return diagnostic("P005.too_deep", span, most=NESTING)


def too_long_number(span: Span) -> Diagnostic:
    return diagnostic("P104.too_long_number", span, most=DIGITS)


def too_long_list(span: Span) -> Diagnostic:
    return diagnostic("P130.too_long_list", span, most=LIST_ITEMS)


def too_many_words(span: Span) -> Diagnostic:
    return diagnostic("P130.too_many_words", span, most=WORDS)
