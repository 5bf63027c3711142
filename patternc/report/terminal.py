"""Pictures in a terminal: from panels to lines of block characters.

A character stands for two cells, one above the other, so that cells are square in most fonts. Edges
keep the resolution of a cell, insides are shaded by their share. Does not use colors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from patternc.report.svg import FULL, Levels, Panel, levels

_SHADES = " ░░▒▓█"


def draw(panels: Sequence[Panel]) -> str:
    """The panels side by side, each in a frame with its title and its number of keys."""
    columns = [tuple(_framed(panel)) for panel in panels]
    height = max(map(len, columns), default=0)
    padded = [(*lines, *(" " * len(lines[0]),) * (height - len(lines))) for lines in columns]
    return "\n".join("  ".join(row).rstrip() for row in zip(*padded, strict=True))


def blocks(grid: Levels) -> Iterator[str]:
    """One line for every two rows of cells."""
    rows, columns = grid.shape
    even = np.vstack((grid, np.zeros((rows % 2, columns), dtype=grid.dtype)))
    for upper, lower in zip(even[::2], even[1::2], strict=True):
        yield "".join(map(_character, upper.tolist(), lower.tolist()))


def _character(upper: int, lower: int) -> str:
    if lower == 0 and upper:
        return "▀"
    if upper == 0 and lower:
        return "▄"
    return _SHADES[FULL if upper == lower == FULL else min((upper + lower + 1) // 2, FULL - 1)]


def _framed(panel: Panel) -> Iterator[str]:
    lines = tuple(blocks(levels(panel.shares)))
    width = panel.shares.shape[1]
    yield "┌" + _fitting(panel.title, width).ljust(width, "─") + "┐"
    for line in lines:
        yield f"│{line}│"
    yield "└" + _fitting(f"{panel.keys:,}", width).rjust(width, "─") + "┘"


def _fitting(label: str, width: int) -> str:
    """The label between spaces, or nothing where a frame is too narrow for it."""
    return f" {label} " if len(label) + 2 <= width else ""
