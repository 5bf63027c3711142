"""Errors from inside the compiler, with what a report of them needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from patternc.language.syntax.diagnostics import PatternError

_ATTACHED = 4_000


@contextmanager
def attached(text: str) -> Iterator[None]:
    """Adds the program to an error that is not one of the program."""
    try:
        yield
    except PatternError:
        raise
    except Exception as error:
        error.add_note(
            f"internal error of patternc, please report; the program:\n{text[:_ATTACHED]}"
        )
        raise
