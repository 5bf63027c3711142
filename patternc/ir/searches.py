"""Searches: how the lists of a relation are found in a call, from its queries and keys.

Each is data that a relation carries; the generated module has the code. What a row may find is the
`among` of `terms.Found`. Does not search.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nearest:
    """The `count` keys of greatest product with the query."""

    count: int

    @property
    def most(self) -> int:
        """The keys that a row finds at most."""
        return self.count


Search = Nearest
