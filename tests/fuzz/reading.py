"""What holds of every text: it is refused with a message, or read, printed and laid out alike."""

from __future__ import annotations

from contextlib import suppress

from patternc import Pattern, PatternError
from patternc.language import Elaborated, elaborate, parse, show
from patternc.language.syntax.diagnostics import render
from patternc.language.syntax.formatter import layout
from patternc.language.syntax.source import SourceText
from patternc.semantics.errors import LengthError
from tests.fuzz.failures import DisagreementError, Failures, failures

SECONDS = 1.0
# Rules of more layers and heads than these are taken to be like them.
MOST = 4


def is_program(text: str) -> bool:
    """Whether the text is accepted."""
    try:
        elaborate(parse(text))
    except PatternError:
        return False
    return True


def read(text: str) -> tuple[bool, Failures]:
    """Whether the text is a program, and what is wrong with how it is treated."""
    known: list[Pattern] = []
    found = failures({"read": lambda: known.extend(_accepted(text))}, SECONDS)
    if found or not known:
        return False, found
    pattern = known[0]
    checks = {
        "fmt": lambda: _laid_out(pattern),
        "show": lambda: _shown(pattern),
        "check": lambda: _warned(pattern),
    }
    return True, failures(checks, SECONDS)


def _accepted(text: str) -> list[Pattern]:
    """The program, if the text is one; what refuses it can be shown."""
    try:
        return [Pattern.parse(text)]
    except PatternError as error:
        str(error)
        return []


def _laid_out(pattern: Pattern) -> None:
    """`fmt` keeps the tree, and what it has written."""
    once = layout(pattern.text)
    if parse(once) != pattern.tree:
        raise DisagreementError(f"fmt changes the tree: {once!r}")
    if layout(once) != once:
        raise DisagreementError(f"fmt is not idempotent: {once!r}")


def _shown(pattern: Pattern) -> None:
    """What is printed after elaboration means the same."""
    printed = show(pattern.elaborated)
    if _meanings(elaborate(parse(printed))) != _meanings(pattern.elaborated_program):
        raise DisagreementError(f"show changes the meaning: {printed}")


def _meanings(program: Elaborated) -> list[object]:
    layers, heads = min(program.layers or 1, MOST), min(program.heads or 1, MOST)
    return [
        program.resolve(layer, head, rows)
        for layer in range(layers)
        for head in range(heads)
        for rows in ("", *program.rows)
    ]


def _warned(pattern: Pattern) -> None:
    """Every warning at a short length, rendered."""
    with suppress(LengthError):
        render(pattern.check(48), SourceText.of(pattern.text, pattern.name))
