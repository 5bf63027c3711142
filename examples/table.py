"""Writes the table of README.md from the headers of the programs: `python examples/table.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from patternc import Pattern

FOLDER = Path(__file__).parent
README = FOLDER / "README.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
_FIELD = re.compile(r"# (paper|config|length|equals): +(.*)")


@dataclass(frozen=True, slots=True)
class Example:
    """One program and what its header says."""

    path: Path
    title: str
    paper: str
    length: int

    @staticmethod
    def read(path: Path) -> Example:
        first, *rest = path.read_text(encoding="utf-8").splitlines()
        header = dict(match.groups() for line in rest if (match := _FIELD.match(line)))
        return Example(path, first.removeprefix("# "), header["paper"], int(header["length"]))

    @property
    def lines(self) -> int:
        """Lines of the program, comments and empty lines left out."""
        text = self.path.read_text(encoding="utf-8").splitlines()
        return sum(bool(line.strip()) and not line.startswith("#") for line in text)

    @property
    def pattern(self) -> Pattern:
        return Pattern.load(self.path)


def examples() -> list[Example]:
    return [Example.read(path) for path in sorted(FOLDER.glob("*.pat"))]


def density(example: Example) -> float | None:
    """Held pairs of all layers and heads among all pairs; None where the call decides."""
    pattern, n = example.pattern, example.length
    if pattern.inputs:
        return None
    counts = [pattern.pairs(n, layer) for layer in range(pattern.layers or 1)]
    pairs = [count for heads in counts for count in heads]
    return sum(pairs) / (len(pairs) * n * n)


def table() -> str:
    rows = ["| program | paper | lines | n | density |", "|---|---|---:|---:|---:|"]
    for example in examples():
        share = density(example)
        name = example.path.name
        rows.append(
            f"| [{name}]({name}): {example.title} | {example.paper} | {example.lines} "
            f"| {example.length:,} | {'at the call' if share is None else f'{share:.2%}'} |"
        )
    return "\n".join(rows)


def updated(text: str) -> str:
    """The text with everything between the two marks replaced by the table of today."""
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    README.write_text(updated(README.read_text(encoding="utf-8")), encoding="utf-8")
