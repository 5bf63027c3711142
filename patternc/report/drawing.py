"""A picture of one layer of a pattern with its numbers, for a terminal, a file or a notebook.

What `patternc show` prints and writes, and what `Pattern.show`, `svg` and notebooks give.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from patternc.algebra.work_budget import allowance
from patternc.frozen import frozen
from patternc.language.syntax.characters import visible
from patternc.queries.arguments import inputs_of_element
from patternc.report import svg, terminal
from patternc.report.subject import Subject
from patternc.report.svg import Panel
from patternc.report.view import CELLS, view

# Numbers that a drawing and its counts compute; counts that need more are left out.
NUMBERS = 1 << 29
MOST_PANELS = 4


@frozen
class Drawing:
    """Panels of groups of heads; `more` groups are not among them. `facts` are names and values."""

    title: str
    caption: str
    panels: tuple[Panel, ...]
    facts: tuple[tuple[str, str], ...]
    more: int = 0

    @property
    def numbers(self) -> str:
        """The facts, a line each."""
        return "\n".join(f"{name:<8} {value}" for name, value in self.facts)

    @property
    def blocks(self) -> str:
        """The panels in block characters."""
        return terminal.draw(self.panels)

    def text(self) -> str:
        return f"{self.title}: {self.caption}\n{self.blocks}\n{self.numbers}\n"

    def svg(self) -> str:
        caption = f"{self.caption}, {dict(self.facts)['density']} of all pairs"
        return svg.svg(self.title, caption, self.panels)

    def html(self, text: str) -> str:
        """The picture between the program and the numbers."""
        facts = " &middot; ".join(f"{escape(name)} {escape(value)}" for name, value in self.facts)
        return f"<pre>{escape(text)}</pre>\n{self.svg()}<p><small>{facts}</small></p>\n"


def fitting_panels(columns: int) -> int:
    """How many panels stand side by side in a terminal."""
    return max(1, columns // (CELLS + 4))


def drawing(
    pattern: Subject,
    title: str,
    n: int | None,
    layer: int,
    head: int | None,
    rows: str,
    inputs: Mapping[str, Any],
    batch_element: int | None,
    most: int = MOST_PANELS,
) -> Drawing:
    """The picture at n, or where that is None at a length that shows the pattern.

    Raises `EffortError` and `SizeError` where n needs too much, and `ValueError` for other
    arguments.
    """
    head = head if pattern.heads or head is None else 0
    chosen = inputs_of_element(inputs, pattern.inputs, batch_element)
    with allowance(NUMBERS):
        found = view(pattern, n, layer, head, rows, chosen)
        panels, facts = found.panels(most), tuple(found.facts())
    return Drawing(visible(title), found.caption, panels, facts, max(len(found.groups) - most, 0))


def title_of(name: str, text: str) -> str:
    """A file's name, or a text that has none, in one line."""
    return " ".join(text.split()) if name.startswith("<") else name
