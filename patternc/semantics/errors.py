"""What is wrong with a call: a length the pattern refuses, a run-time input that does not fit.

And with a program, where its normal form says so (`TooManyCasesError`).
"""

from __future__ import annotations

from patternc.language.syntax.diagnostics import PatternError
from patternc.language.syntax.limits import CASES
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import SourceText, Span


class LengthError(ValueError):
    """The pattern has no meaning at this length, such as a grid whose product is not n.

    `expected` is the length it has a meaning at, where that is one.
    """

    def __init__(self, message: str, expected: int | None = None) -> None:
        super().__init__(message)
        self.expected = expected


class InputError(ValueError):
    """A run-time input is missing, or its shape or its type does not fit."""


class TooManyCasesError(PatternError):
    """The normal form of a relation has more cases than one may; with the place, where known."""

    def __init__(self, source: SourceText | None = None, span: Span | None = None) -> None:
        found = diagnostic("P135.too_many_cases", span, most=CASES)
        super().__init__([found], source or SourceText.of(""))
