"""What the manual says of a word, as Markdown."""

from __future__ import annotations

import re
from functools import cache

from patternc import resources
from patternc.language.syntax.builtins import PRIMITIVES

_HEADING = re.compile(r"#{2,3} (.*)")
_QUOTED = re.compile(r"`([^`]+)`")
_WORD = re.compile(r"[A-Za-z_]\w*")
# Paragraphs of a section, code blocks included.
_SHOWN = 2


@cache
def about_words() -> dict[str, str]:
    """Words of the language to the section, or the row of a table, that defines them.

    Of those without either it is the paragraph that names them first.
    """
    text = resources.read("grammar", "README.md")
    lines = text.splitlines()
    found: dict[str, str] = {}
    for at, line in enumerate(lines):
        for word, said in _defined(line, lines, at):
            found.setdefault(word, said)
    paragraphs = text.split("\n\n")
    for word in PRIMITIVES.keys() - found.keys():
        found[word] = next((part for part in paragraphs if re.search(rf"\b{word}\b", part)), "")
    return found


def _defined(line: str, lines: list[str], at: int) -> list[tuple[str, str]]:
    heading = _HEADING.fullmatch(line)
    if heading:
        return [(word, _section(heading[1], lines, at)) for word in _words(heading[1])]
    if line.startswith("| `"):
        # A bar inside of a cell is written with a backslash.
        cells = [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        text = "\n\n".join(cells)
        return [(word, text) for word in _words(cells[0])]
    return []


def _words(text: str) -> list[str]:
    """The first word of each piece of code."""
    found = (_WORD.match(code) for code in _QUOTED.findall(text))
    return [match[0] for match in found if match]


def _section(title: str, lines: list[str], at: int) -> str:
    """A heading and the first paragraphs behind it."""
    stop = next((k for k in range(at + 1, len(lines)) if _HEADING.match(lines[k])), len(lines))
    parts = "\n".join(lines[at + 1 : stop]).strip().split("\n\n")
    return "\n\n".join([f"**{title}**", *parts[:_SHOWN]])
