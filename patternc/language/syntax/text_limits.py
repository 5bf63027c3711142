"""What is said of a text beyond the limits of the language."""

from __future__ import annotations

from patternc.language.syntax.characters import code_point, hidden
from patternc.language.syntax.diagnostics import Diagnostic, PatternError
from patternc.language.syntax.limits import DIGITS, LIST_ITEMS, NESTING, TEXT_BYTES, WORDS
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
    return Diagnostic(
        "P130",
        f"a program of {size:,} bytes",
        note=f"a program has at most {TEXT_BYTES:,} bytes",
        help="pass in long lists of positions at call time: `columns(name)`, `listed(name)`",
    )


def _hidden(character: str, span: Span) -> Diagnostic:
    return Diagnostic(
        "P007",
        f"the character {code_point(character)} in a program",
        span,
        "not printable",
        note="the only control characters allowed, also in comments, are tabs and line ends",
        help="delete it; lines end with LF, CRLF or CR",
    )


def too_deep(span: Span) -> Diagnostic:
    return Diagnostic(
        "P005",
        "nested too deeply",
        span,
        f"more than {NESTING} levels",
        note="this is the maximum nesting of brackets and operators",
        help="define parts of it with `let`",
    )


def too_long_number(span: Span) -> Diagnostic:
    return Diagnostic(
        "P104",
        "integer out of range",
        span,
        f"more than {DIGITS} digits",
        help="write a smaller number",
    )


def too_long_list(span: Span) -> Diagnostic:
    return Diagnostic(
        "P130",
        f"more than {LIST_ITEMS:,} items between brackets",
        span,
        "opened here",
        note=f"a list or call has at most {LIST_ITEMS:,} items",
        help="write ranges `a:b`, or pass in the positions at call time: `columns(name)`",
    )


def too_many_words(span: Span) -> Diagnostic:
    return Diagnostic(
        "P130",
        f"more than {WORDS:,} tokens",
        span,
        "unexpected argument",
        note="a list of plain numbers counts as one token",
        help="pass in long tables at call time: `listed(name)`, `columns(name)`, `bias(name)`",
    )
