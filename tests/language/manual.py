"""The examples of the manual: fenced blocks of `pattern`, each with the masks that follow it.

A fence `pattern` may carry the code of the diagnostic it is there to show. A fence `mask` has the
length, and where needed `layer=`, `head=`, `queries=`, `rows=`, slots of `memory=`, `compressed=`
and `encoder=`, and run-time inputs as comma-separated numbers; `.` is no pair, `#` one, a digit how
often the pair counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from patternc.language import Elaborated
from patternc.resources import read
from patternc.semantics.mask import multiplicity

_SIZES = ("memory", "compressed", "encoder")
_FENCE = re.compile(r"^```(pattern|mask)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """`expects` is a code or empty; `masks` are pairs of settings and picture."""

    line: int
    text: str
    expects: str
    masks: tuple[tuple[str, str], ...]


def examples() -> Iterator[Example]:
    manual = read("grammar", "README.md")
    found: list[Example] = []
    for match in _FENCE.finditer(manual):
        kind, settings, body = match.groups()
        if kind == "pattern":
            line = manual.count("\n", 0, match.start()) + 1
            found.append(Example(line, body, settings.strip(), ()))
        else:
            last = found.pop()
            masks = (*last.masks, (settings.strip(), body))
            found.append(Example(last.line, last.text, last.expects, masks))
    yield from found


def picture(elaborated: Elaborated, settings: str) -> str:
    """The mask under the given settings, as the manual draws it."""
    values = dict(setting.split("=") for setting in settings.split())
    n, layer, head = (int(values.pop(name, 0)) for name in ("n", "layer", "head"))
    rows = values.pop("rows", "")
    queries = None if rows else int(values.pop("queries", n))
    sizes = {name: int(values.pop(name)) for name in _SIZES if name in values}
    inputs = {name: _numbers(value) for name, value in values.items()}
    counts = multiplicity(elaborated.resolve(layer, head, rows), n, queries, inputs, sizes)
    return "".join("".join(_sign(count) for count in row) + "\n" for row in counts)


def _numbers(value: str) -> np.ndarray:
    """Numbers; rows are separated by semicolons."""
    rows = [[int(number) for number in row.split(",")] for row in value.split(";")]
    return np.array(rows if len(rows) > 1 else rows[0])


def _sign(count: int) -> str:
    return ".#"[count] if count < 2 else str(count)
