"""patternc: a compiler for attention patterns, from a line of text to a Triton file.

`Pattern` is the whole of it in Python, `Stages` of a program of several patterns; the `patternc`
command is the same for the shell. Errors are those that an invalid program, unsuitable inputs of a
call, a length and an unproved equality raise. Importing this package is cheap: what needs torch or
triton is imported by the call that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from patternc.version import __version__

if TYPE_CHECKING:
    from patternc.analysis.equivalence.results import NotProvedError
    from patternc.bridges.layer_masks import FormatError
    from patternc.emit.backend import UnsupportedError
    from patternc.language import PatternError
    from patternc.pattern import Pattern
    from patternc.semantics.errors import InputError, LengthError
    from patternc.staged import Stages

__all__ = [
    "FormatError",
    "InputError",
    "LengthError",
    "NotProvedError",
    "Pattern",
    "PatternError",
    "Stages",
    "UnsupportedError",
    "__version__",
]

_HOMES = {
    "FormatError": "patternc.bridges.layer_masks",
    "InputError": "patternc.semantics.errors",
    "LengthError": "patternc.semantics.errors",
    "NotProvedError": "patternc.analysis.equivalence.results",
    "Pattern": "patternc.pattern",
    "PatternError": "patternc.language",
    "Stages": "patternc.staged",
    "UnsupportedError": "patternc.emit.backend",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'patternc' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
