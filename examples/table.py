"""Writes the table and the gallery of README.md, and the pictures: `python examples/table.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from patternc import Pattern
from patternc.algebra.work_budget import EffortError
from patternc.ir.sources import TOKENS, Encoder
from patternc.relation.relation import Relation
from patternc.report.svg import svg
from patternc.report.view import view

FOLDER = Path(__file__).parent
README = FOLDER / "README.md"
PICTURES = FOLDER / "pictures"
BEGIN, END = "<!-- written by table.py -->", "<!-- end -->"
_FIELD = re.compile(r"# (paper|config|length|equals|checked): +(.*)")
_CHECK = re.compile(r"([^,()]+) \((\w+)\)")
ENCODER = Encoder()
MOST_LAYERS = 64
# Inputs of these roles decide which pairs there are.
_DECIDING = ("labels", "set", "listed", "integers")


@dataclass(frozen=True, slots=True)
class Example:
    """One program and what its header says."""

    path: Path
    title: str
    paper: str
    length: int
    checked: tuple[tuple[str, str], ...]
    """Third-party code whose masks were observed, with the family of those masks."""

    @staticmethod
    def read(path: Path) -> Example:
        first, *rest = path.read_text(encoding="utf-8").splitlines()
        fields = filter(None, map(_FIELD.match, rest))
        header = {field[1]: field[2] for field in fields}
        found = _CHECK.findall(header.get("checked", ""))
        checked = tuple((source.strip(), family) for source, family in found)
        title, length = first.removeprefix("# "), int(header["length"])
        return Example(path, title, header["paper"], length, checked)

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


def density(example: Example) -> str:
    """Held pairs of all layers and heads among all pairs with all slots.

    Layers that no rule tells apart differ in their draws only: one stands for all, as one does
    for layers with equal relations.
    """
    pattern, n = example.pattern, example.length
    if any(item.role in _DECIDING and "" in item.rows for item in pattern.inputs):
        return "at call time"
    slots = {"encoder": n}
    told_apart = re.search(r"^[^#\n]*\blayer\b", pattern.text, re.MULTILINE)
    layers: dict[tuple[Relation, ...], list[int]] = {}
    for layer in range(pattern.layers or 1) if told_apart else [0]:
        layers.setdefault(pattern.relations(layer), []).append(layer)
    try:
        pairs = {alike[0]: pattern.pairs(n, alike[0], slots=slots) for alike in layers.values()}
    except EffortError:
        return "not counted"
    keys = sum(count for _, count in pattern.columns(n, slots=slots))
    held = sum(len(alike) * sum(pairs[alike[0]]) for alike in layers.values())
    every = sum(len(alike) * len(pairs[alike[0]]) for alike in layers.values()) * n * keys
    return f"{held / every:.2%}"


def layers_until_full(example: Example) -> str:
    """After how many layers every permitted pair is connected, at the example's own length."""
    pattern = example.pattern
    if any(item.role in _DECIDING and "" in item.rows for item in pattern.inputs):
        return "at call time"
    if {source for source, _ in pattern.columns(1, slots={"encoder": 1})} == {ENCODER}:
        return "another sequence"
    reach = pattern.reach(example.length, MOST_LAYERS)
    if not reach.full_exact:
        return (
            "at call time" if any(item.role in _DECIDING for item in pattern.inputs) else "unknown"
        )
    return f"not in {MOST_LAYERS}" if reach.full_at is None else str(reach.full_at)


def table() -> str:
    heads = (
        "| program | what | paper | lines | n | density | full after | checked against |",
        "|---|---|---|---:|---:|---:|---:|---|",
    )
    return "\n".join((*heads, *map(row, examples())))


def row(example: Example) -> str:
    cells = (
        f"[{example.path.name}]({example.path.name})",
        example.title,
        example.paper.split(",")[0],
        str(example.lines),
        f"{example.length:,}",
        density(example),
        layers_until_full(example),
        ", ".join(source for source, _ in example.checked),
    )
    return f"| {' | '.join(cells)} |"


def gallery() -> str:
    names = [example.path.stem for example in examples()]
    return "\n".join(
        f'<img src="pictures/{name}.svg" width="32%" alt="the mask of {name}.pat">'
        for name in names
    )


def updated(text: str) -> str:
    """The text with everything between the two marks replaced by what is true today."""
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n{table()}\n\n{gallery()}\n{END}{tail}"


def picture(example: Example) -> str:
    """The SVG of the first head of the first layer, at a length that shows its shape.

    Beside slots of other sources, that is a short one.
    """
    sources = [source for source, _ in example.pattern.columns(1, slots={"encoder": 1})]
    length = None if sources == [TOKENS] else min(example.length, 512)
    seen = view(example.pattern, length, 0, 0)
    return svg(example.path.stem, seen.caption, seen.panels(1))


def main() -> None:
    README.write_text(updated(README.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURES.mkdir(exist_ok=True)
    for example in examples():
        target = PICTURES / f"{example.path.stem}.svg"
        target.write_text(picture(example), encoding="utf-8")


if __name__ == "__main__":
    main()
