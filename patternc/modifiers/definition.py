"""What the file of a score modifier defines: its word, and the modifier that the word means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from patternc.frozen import frozen
from patternc.ir.builtin_words import Builtin, BuiltinParameter, Role
from patternc.ir.modifiers import ScoreModifier


class Arguments(Protocol):
    """The values of a word's arguments, by name."""

    def count(self, name: str, default: int) -> int:
        """A constant, at least as large as its parameter asks."""
        ...

    def at_least(self, name: str, least: int, note: str, advice: str) -> int:
        """A constant that other arguments bound: below `least` the program is refused (P105)."""
        ...

    def positive(self, name: str) -> float:
        """A number above 0."""
        ...

    def word(self, name: str) -> str:
        """A name; none where the argument is left out."""
        ...


@frozen
class Definition:
    """A word after `with`.

    `build` is given the arguments, and whether the term holds only keys up to the query. `inputs`
    are those of fixed names that it takes, `unnamed` is the one that it takes where the program
    names none.
    """

    builtin: Builtin
    build: Callable[[Arguments, bool], ScoreModifier]
    inputs: tuple[tuple[str, Role], ...] = ()
    unnamed: tuple[str, Role] | None = None


def definition(
    modifier: type[ScoreModifier],
    build: Callable[[Arguments, bool], ScoreModifier],
    *positional: BuiltinParameter,
    keyword: tuple[BuiltinParameter, ...] = (),
    inputs: tuple[tuple[str, Role], ...] = (),
    unnamed: tuple[str, Role] | None = None,
) -> Definition:
    """The definition of a modifier's word, with its arguments."""
    needed = any(slot.required for slot in (*positional, *keyword))
    alone = bool(keyword) and not positional and not needed
    builtin = Builtin(modifier.word, "modifier", positional, keyword, alone=alone)
    return Definition(builtin, build, inputs, unnamed)
