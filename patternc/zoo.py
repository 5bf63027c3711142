"""The published patterns: from a name to the text of its program.

Elaboration is in `Pattern.from_zoo`, descriptions in `examples/README.md`.
"""

from __future__ import annotations

from patternc.language.syntax.spelling import nearest
from patternc.resources import names, read

_SUFFIX = ".pat"
_STAGED = "staged/"


def zoo() -> tuple[str, ...]:
    """The names of all published patterns, in alphabetical order."""
    return names("examples", _SUFFIX)


def staged_zoo() -> tuple[str, ...]:
    """The names of all published programs of stages, in alphabetical order."""
    return names("examples", _SUFFIX, _STAGED)


def published(name: str) -> str:
    """The text of one of them. Raises `ValueError` for a name that is none of theirs."""
    return _text("", name, zoo())


def published_stages(name: str) -> str:
    """The text of a program of stages. Raises `ValueError` for a name that is none of theirs."""
    return _text(_STAGED, name, staged_zoo())


def _text(folder: str, name: str, known: tuple[str, ...]) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the name of a published pattern must be a string, not {name!r}")
    if name not in known:
        near = nearest(name, known)
        question = f", did you mean {near!r}?" if near else "."
        listed = ", ".join(known)
        raise ValueError(f"unknown published pattern {name!r}{question} Available: {listed}")
    return read("examples", folder + name + _SUFFIX)
