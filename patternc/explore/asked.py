"""What the page asks: numbers and texts of a request, checked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from patternc.frozen import frozen
from patternc.pattern import Pattern
from patternc.queries.arguments import MOST_TOKENS
from patternc.report.view import View, view
from patternc.semantics.errors import InputError

# Cells on each side of a window.
MOST_CELLS = 256
# Tokens up to which run-time inputs are made up.
MOST_MADE_UP = 1 << 20


@frozen
class Asked:
    """The fields of a request. Raises `ValueError` for those that are missing or out of range."""

    fields: Mapping[str, object]

    def text(self, name: str = "text") -> str:
        found = self.fields.get(name)
        if not isinstance(found, str):
            raise ValueError(f"{name} is missing; expected a text")
        return found

    def number(self, name: str, least: int, most: int, default: int | None = None) -> int:
        found = self.fields.get(name, default)
        if not isinstance(found, int) or isinstance(found, bool):
            raise ValueError(f"{name} is {found!r}; expected an integer")
        if not least <= found <= most:
            raise ValueError(f"{name} is {found:,}; expected {least:,} to {most:,}")
        return found

    @property
    def n(self) -> int:
        return self.number("n", 1, MOST_TOKENS)

    def pattern(self, name: str = "text") -> Pattern:
        return _parsed(self.text(name))

    def head(self, pattern: Pattern) -> int:
        return self.number("head", 0, (pattern.heads or 1) - 1, 0)

    def layer(self, pattern: Pattern) -> int:
        return self.number("layer", 0, (pattern.layers or 1) - 1, 0)

    def view(self) -> View:
        """One layer and head at the length; run-time inputs are made up."""
        pattern, n = self.pattern(), self.n
        layer = self.layer(pattern)
        if n > MOST_MADE_UP and any(item.decides for item in pattern.inputs):
            name = next(item.name for item in pattern.inputs if item.decides)
            raise InputError(
                f"`{name}` is given at call time: such patterns are drawn up to {MOST_MADE_UP:,} "
                "tokens, with inputs made up"
            )
        return view(pattern, n, layer, self.head(pattern))


@lru_cache(maxsize=16)
def _parsed(text: str) -> Pattern:
    return Pattern.parse(text)
