"""patternc: a compiler for attention patterns, from a line of text to a Triton file.

`Pattern` is the whole of it in Python, `Stages` of a program of several patterns; the `patternc`
command is the same for the shell. Importing this package is cheap: what needs torch or triton is
imported by the call that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from patternc.version import __version__

if TYPE_CHECKING:
    from patternc.language import PatternError
    from patternc.pattern import Pattern
    from patternc.staged import Stages

__all__ = ["Pattern", "PatternError", "Stages", "__version__"]

_HOMES = {
    "Pattern": "patternc.pattern",
    "PatternError": "patternc.language",
    "Stages": "patternc.staged",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'patternc' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
