"""Near misses: which known word an unknown one was meant to be.

Words of other libraries are in `grammar/mistakes.toml`; the rest is spelling.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import TypedDict, cast

from patternc.language.syntax.limits import NEAR_KNOWN, NEAR_LETTERS
from patternc.resources import names, read


class KnownMistake(TypedDict, total=False):
    """A common mistake: what appears at the place (and before it on the line), and the remedy."""

    at: str
    before: str
    help: str


class _Mistakes(TypedDict):
    words: dict[str, str]
    calls: dict[str, str]
    syntax: list[KnownMistake]


@cache
def _mistakes() -> _Mistakes:
    return cast(_Mistakes, tomllib.loads(read("grammar", "mistakes.toml")))


def known_mistakes() -> list[KnownMistake]:
    return _mistakes()["syntax"]


def instead_of_call(word: str) -> str:
    """What to write instead of a word with arguments, where it takes none."""
    return _mistakes()["calls"].get(word, f"write `{word}`")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is spelled most like the given one."""
    if len(word) > NEAR_LETTERS:
        return None
    candidates = sorted(set(islice(known, NEAR_KNOWN)))
    lower = {candidate.lower(): candidate for candidate in candidates}
    matches = get_close_matches(word.lower(), lower, n=1, cutoff=0.7)
    if matches:
        return lower[matches[0]]
    if len(word) < 3:
        return None
    return next((candidate for candidate in candidates if one_edit(word, candidate)), None)


def suggestion(word: str, known: Iterable[str], *, loosely: bool = True) -> str:
    """What to write instead of an unknown word; empty where nothing is near.

    A word of another library is meant by one spelled like it only `loosely`.
    """
    words = _mistakes()["words"]
    elsewhere = words.get(word) or words.get(word.lower())
    if elsewhere is not None:
        return elsewhere
    if word in names("examples", ".pat"):
        return (
            f'`{word}` is a published pattern: `Pattern.from_zoo("{word}")`, or a file of your own '
            f"by `patternc new --from {word}`"
        )
    near = nearest(word, known) or (nearest(word, words) if loosely else None)
    return words.get(near) or f"did you mean `{near}`?" if near else ""


def variants(word: str) -> Iterator[str]:
    """The word, and the word without one letter: words that are one edit apart share one."""
    if len(word) <= NEAR_LETTERS:
        yield word
        yield from (word[:k] + word[k + 1 :] for k in range(len(word)))


def one_edit(first: str, second: str) -> bool:
    """Whether one letter added, dropped, changed or swapped with its neighbour makes them equal."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    short, long = sorted((first, second), key=len)
    start = next((k for k, letter in enumerate(short) if letter != long[k]), len(short))
    if len(short) != len(long):
        return short[start:] == long[start + 1 :]
    swapped = long[:start] + long[start : start + 2][::-1] + long[start + 2 :]
    return short[start + 1 :] == long[start + 1 :] or short == swapped
