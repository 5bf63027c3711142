"""The published patterns: from a name to the text of its program.

Non-goals: elaborating it (`Pattern.from_zoo`), describing it (`examples/README.md`).
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
        raise TypeError(f"a published pattern is called by its name, not {name!r}")
    if name not in known:
        near = nearest(name, known)
        question = f", did you mean {near!r}?" if near else "."
        listed = ", ".join(known)
        raise ValueError(f"no published pattern is called {name!r}{question} There are: {listed}")
    return read("examples", name + _SUFFIX)
