"""Writes `words.py`: a typed function for each relation and output of the table of words.

The table says the arguments, the manual what a word means. Run by
`python -m patternc.composition.write_words`.
"""

from __future__ import annotations

import re
import textwrap
from keyword import iskeyword
from pathlib import Path

from patternc.ir.builtin_words import Builtin, BuiltinParameter
from patternc.language.syntax.builtins import PRIMITIVES
from patternc.resources import read

TAKEN = ("columns", "rows")
"""Words that `Pattern` has another meaning for; they end in `_`, as those of Python do."""

_TYPES = {
    "count": "Integer",
    "width": "Integer",
    "number": "Integer",
    "positions": "Positions",
    "pool": "Positions",
    "order": "Positions",
    "distances": "Positions",
    "condition": "str",
    "set": "Self",
    "branch": "Self",
    "input": "str",
}
_SAID = {
    "mix": "One softmax over all branches: a pair in two of them counts twice.",
    "gate": "The branches' outputs, weighted by a run-time input for each head or query.",
    "difference": "The first output less the second, by a run-time weight of each head or query.",
    "sum": "The sum of the branches' outputs, each a softmax of its own.",
    "mean": "The mean of the outputs of the branches with a key in a row.",
    "features": "Features in place of a softmax, at a cost linear in n.",
    "contextual": "On a tree: the next k nodes on each side, at every level up to the root.",
}
_HEAD = '''\
"""The words of the language as functions. Written by `write_words.py` from the table of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

Integer = int | str
"""A number, or text such as `"n // 4"`."""
Positions = str | slice | range | Sequence[int | str | slice | range]
"""Numbers and ranges, `[0, slice(4, 8), -1]`, or text: `"period(4, 0:1)"`, the name of an input."""


class Words:
    """A pattern for each word: `Pattern.local(256)`. Arguments are those of the text.

    Numbers are numbers or text of the language (`"n // 4"`), positions lists, ranges or text, names
    of run-time inputs and conditions text. `PatternError` says what a word does not take.
    """

    @classmethod
    def _of_word(cls, word: str, placed: tuple[object, ...], /, **named: object) -> Self:
        raise NotImplementedError
'''


def written() -> str:
    """The text of `words.py`."""
    sections = _sections()
    words = (word for word in PRIMITIVES.values() if word.group in ("relation", "combination"))
    return _HEAD + "".join(_function(word, _meaning(word.name, sections)) for word in words)


def method_name(word: str) -> str:
    """What the function of a word is called."""
    return f"{word}_" if iskeyword(word) or word in TAKEN else word


def _function(word: Builtin, meaning: str) -> str:
    placed = [f"{slot.name}: {_annotation(slot)}" for slot in word.positional]
    placed += ["/"] if word.positional else []
    placed += [f"*branches: {_type(word.variadic)}"] if word.variadic else []
    star = ["*"] if word.keyword and not word.variadic else []
    keyword = [f"{slot.name}: {_annotation(slot)}" for slot in word.keyword]
    arguments = _listed(["cls", *placed, *star, *keyword], "()", bool(keyword), 4)
    values = _placed(word)
    given = [f'"{word.name}"', values, *(f"{slot.name}={slot.name}" for slot in word.keyword)]
    return f'''
    @classmethod
    def {method_name(word.name)}{arguments} -> Self:
        """{meaning}"""
        return cls._of_word{_listed(given, "()", bool(word.keyword), 8)}
'''


def _placed(word: Builtin) -> str:
    """The tuple of the placed arguments."""
    if word.variadic and not word.positional:
        return "branches"
    names = [slot.name for slot in word.positional]
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"


def _listed(parts: list[str], brackets: str, long: bool, indent: int) -> str:
    """Parts in brackets, each on its line where they are `long`."""
    before, after = brackets[0], brackets[1]
    if not long:
        return before + ", ".join(parts) + after
    lines = "".join(f"{' ' * (indent + 4)}{part},\n" for part in parts)
    return f"{before}\n{lines}{' ' * indent}{after}"


def _annotation(slot: BuiltinParameter) -> str:
    return _type(slot) if slot.required else f"{_type(slot)} | None = None"


def _type(slot: BuiltinParameter) -> str:
    if slot.kind == "word":
        return f"Literal[{', '.join(map(repr, slot.words))}]".replace("'", '"')
    return _TYPES[slot.kind]


def _meaning(word: str, sections: dict[str, str]) -> str:
    """How it is written, and what the manual says first of it."""
    said = PRIMITIVES[word].usage(), _SAID.get(word) or sections[word]
    wrapped = [textwrap.wrap(part, 90) for part in said]
    lines = [*wrapped[0], "", *wrapped[1]]
    return "\n        ".join(lines).replace("\n        \n", "\n\n") + "\n        "


def _sections() -> dict[str, str]:
    """The first paragraphs below the heading that names each word."""
    text = read("grammar", "README.md")
    found: dict[str, str] = {}
    for heading, body in re.findall(r"^### (`.*)\n\n((?:.+\n)+)", text, re.MULTILINE):
        words, said = re.findall(r"`(\w+)", heading), " ".join(body.split())
        each = said.split(". ")[0].rstrip(".").split("; ")
        for at, word in enumerate(words):
            own = f"{each[at]}." if len(each) == len(words) > 1 else said
            found.setdefault(word, own[0].upper() + own[1:] if own[1:2] != " " else own)
    return found


if __name__ == "__main__":
    Path(__file__).with_name("words.py").write_text(written(), encoding="utf-8")
