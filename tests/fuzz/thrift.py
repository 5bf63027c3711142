"""What makes a random program cheap and changes no answer: closed forms are sought once.

They are those of the module's tiles, in reports too, and have a small budget of integer sets: a
program that exceeds it is answered tile by tile, which must agree as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from patternc import search
from patternc.algebra import isl_context
from patternc.queries import analyses
from patternc.schedule.tile_sizes import given_tiles


@contextmanager
def thrifty(tile: tuple[int, int], operations: int) -> Iterator[None]:
    """Reports on these tiles, and so many operations of integer sets."""
    chosen = given_tiles(*tile)
    with (
        mock.patch.object(analyses, "choose_tiles", return_value=chosen),
        mock.patch.object(search, "choose_tiles", return_value=chosen),
        mock.patch.object(isl_context, "BUDGET", operations),
    ):
        yield
