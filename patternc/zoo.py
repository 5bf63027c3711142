"""The published patterns: from a name to the text of its program.

Elaboration is in `Pattern.from_zoo`, descriptions in `examples/README.md`.
"""

from __future__ import annotations

from patternc.language.syntax.spelling import nearest
from patternc.resources import names, read

_SUFFIX = ".pat"


def zoo() -> tuple[str, ...]:
    """The names of all published patterns, in alphabetical order."""
    return names("examples", _SUFFIX)


def published(name: str) -> str:
    """The text of one of them. Raises `ValueError` for a name that is none of theirs."""
    known = zoo()
    if not isinstance(name, str):
        raise TypeError(f"the name of a published pattern must be a string, not {name!r}")
    if name not in known:
        near = nearest(name, known)
        question = f", did you mean {near!r}?" if near else "."
        listed = ", ".join(known)
        raise ValueError(f"unknown published pattern {name!r}{question} Available: {listed}")
    return read("examples", name + _SUFFIX)
