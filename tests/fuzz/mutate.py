"""Texts beside the right ones: tokens dropped, doubled, swapped, odd characters and numbers.

From a program's text to another text. Gentle changes keep the shape, so that most are accepted.
"""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

from tests.fuzz.programs import program

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_TOKEN = re.compile(r"\w+|->|\*\*|//|[<>=!]=|\s+|.", re.DOTALL)
_ODD_NUMBERS = ("0", "1", "00", "1_0", "127", "4096", "65537", "2147483648", str(2**63), str(2**70))
_ODD_PIECES = (
    *(
        "\0",
        "\t",
        "\r",
        "\r\n",
        "\v",
        "\f",
        "\x85",
        "\u2028",
        "\ufeff",
        "\ud800",
        "é",
        "Ⅻ",
        "\U0001d7d9",
    ),
    *("#", "->", "else", "rows", "layer", "i", "(", ")", "[", "]", "{", "}", ":", ",", "=", "~"),
    *("1.5", "1e9", "on encoder", "with alibi", "& causal", "+ full", "- none", "causal\n"),
)


def text(seed: int) -> str:
    """A text for the reader: a program, a published one, or one of them with a few changes."""
    random = Random(f"text {seed}")
    found = program(seed) if random.random() < 0.9 else _published(random)
    match random.random():
        case share if share < 0.5:
            return found
        case share if share < 0.75:
            return gentle(found, random)
        case _:
            return rough(found, random)


def _published(random: Random) -> str:
    return random.choice(sorted(EXAMPLES.glob("*.pat"))).read_text(encoding="utf-8")


def gentle(found: str, random: Random) -> str:
    """Other numbers, spaces, comments and ends of lines."""
    tokens = _TOKEN.findall(found)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(tokens))
        numbers = [place for place in range(len(tokens)) if _is_number(tokens, place)]
        match random.randrange(4):
            case 0 if numbers:
                tokens[random.choice(numbers)] = random.choice(_ODD_NUMBERS[:7])
            case 1 if numbers:
                place = random.choice(numbers)
                tokens[place] = f"({tokens[place]} + {random.randint(-1, 1)})"
            case 2:
                tokens.insert(at, random.choice([" ", "  ", "\t"]))
            case _:
                tokens = [
                    random.choice([t, "\r\n", " # é \U0001d7d9\n"]) if t == "\n" else t
                    for t in tokens
                ]
    return "".join(tokens)


def _is_number(tokens: list[str], place: int) -> bool:
    """Not of heads or layers: thousands of them take their time."""
    line = "".join(tokens[:place]).rpartition("\n")[2]
    return tokens[place].isdecimal() and not line.lstrip().startswith(("heads ", "layers "))


def rough(found: str, random: Random) -> str:
    tokens = _TOKEN.findall(found)
    for _ in range(random.randint(1, 3)):
        if not tokens:
            break
        at, other = random.randrange(len(tokens)), random.randrange(len(tokens))
        match random.randrange(6):
            case 0:
                del tokens[at]
            case 1:
                tokens.insert(at, tokens[other])
            case 2:
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 3:
                tokens[at] = random.choice((*_ODD_PIECES, *_ODD_NUMBERS))
            case 4:
                tokens.insert(at, random.choice((*_ODD_PIECES, *_ODD_NUMBERS)))
            case _:
                del tokens[at : at + random.randint(1, 6)]
    return "".join(tokens)
