"""A failing text made small: lines, then tokens are left out while it still fails."""

from __future__ import annotations

import re
from collections.abc import Callable

_TOKEN = re.compile(r"\w+|->|\*\*|//|[<>=!]=|\s+|.", re.DOTALL)
_BRACKET = re.compile(r"[([{]")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
MOST = 600
"""Texts that are tried."""


def shrunk(text: str, fails: Callable[[str], bool], most: int = MOST) -> str:
    """The smallest text found within `most` tries of which `fails` is still true."""
    tries = 0

    def still(candidate: str) -> bool:
        nonlocal tries
        tries += 1
        return tries <= most and fails(candidate)

    while tries <= most:
        smaller = next((part for part in _smaller(text) if still(part)), None)
        if smaller is None:
            return text
        text = smaller
    return text


def _smaller(text: str) -> list[str]:
    """Simpler texts, the shortest first of each sort; groups before single tokens."""
    candidates = [*_without_lines(text), *_parts(text), *_without_runs(text)]
    return list(dict.fromkeys(part for part in candidates if len(part) < len(text)))


def _without_lines(text: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    return ["".join(lines[:at] + lines[at + 1 :]) for at in range(len(lines))]


def _parts(text: str) -> list[str]:
    """A bracketed group in place of what stands round it, or its one part in place of all."""
    found = []
    for opened in _BRACKET.finditer(text):
        start, stop = opened.start(), _closed(text, opened.start())
        inner = text[start + 1 : stop - 1]
        called = re.search(r"\w*$", text[:start])
        begin = called.start() if called else start
        parts = _arguments(inner)
        found += [text[:begin] + part.strip() + text[stop:] for part in parts]
        found += [
            text[: start + 1] + ",".join(parts[:at] + parts[at + 1 :]) + text[stop - 1 :]
            for at in range(len(parts))
        ]
        found.append(text[:begin] + "full" + text[stop:])
    return sorted(found, key=len)


def _closed(text: str, start: int) -> int:
    """Where the bracket at `start` ends."""
    depth = 0
    for at in range(start, len(text)):
        depth += text[at] in _CLOSING
        depth -= text[at] in _CLOSING.values()
        if depth == 0:
            return at + 1
    return len(text)


def _arguments(inner: str) -> list[str]:
    """The parts between the outermost commas and signs of sets."""
    parts, depth = [""], 0
    for character in inner:
        depth += (character in _CLOSING) - (character in _CLOSING.values())
        if depth == 0 and character in ",+&":
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _without_runs(text: str) -> list[str]:
    tokens = _TOKEN.findall(text)
    found = []
    for width in (16, 8, 5, 4, 3, 2, 1):
        for at in range(max(len(tokens) - width + 1, 0)):
            found.append("".join(tokens[:at] + tokens[at + width :]))
    return found
