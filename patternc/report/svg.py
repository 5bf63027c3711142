"""Pictures of masks: from a dense mask or a table of tiles to the rectangles of an SVG.

A picture is a grid of cells, one cell a token or a square of tokens, shaded by the share of its
pairs that the pattern holds. The text grows with the number of rectangles, not with n. The terminal
is handled by `terminal`, the choice of n by `view`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from patternc.frozen import frozen

Mask = NDArray[np.bool_]
Shares = NDArray[np.float64]
Levels = NDArray[np.int64]

FULL = 5
_STEPS = (1 / 24, 1 / 8, 1 / 2)
_SIDE = 272
_GAP = 36
_LEFT, _TOP, _BOTTOM = 44, 84, 38
STYLE = """
.patternc{--paper:#ffffff;--field:#f4f5fa;--line:#d5d8e4;--ink:#1c2033;--faint:#6b7189;--held:#3b49c9}
@media(prefers-color-scheme:dark){
.patternc{--paper:#12141d;--field:#1b1e2b;--line:#343a50;--ink:#eceef6;--faint:#979eb8;--held:#8d9bff}}
.patternc text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
font-size:11px;fill:var(--faint)}
.patternc .title{font-size:16px;font-weight:600;fill:var(--ink)}
.patternc .head{font-size:12px;font-weight:600;fill:var(--ink)}
.patternc .paper{fill:var(--paper)}.patternc .field{fill:var(--field)}
.patternc .frame{fill:none;stroke:var(--line)}
.patternc path{fill:var(--held)}
.patternc .l1{opacity:.2}.patternc .l2{opacity:.34}
.patternc .l3{opacity:.52}.patternc .l4{opacity:.74}
""".strip()


@frozen
class Panel:
    """One mask of a picture: shares [rows, columns] in 0..1, and its extent in tokens."""

    title: str
    shares: Shares
    queries: int
    keys: int


@frozen
class Rectangle:
    """Cells of one level: columns left..left+width, rows top..top+height."""

    level: int
    left: int
    top: int
    width: int
    height: int


def shares(mask: Mask, cell: int) -> Shares:
    """The share of held pairs in every square of `cell` tokens of a mask [queries, keys]."""
    if cell == 1:
        return mask.astype(np.float64)
    rows, columns = (np.arange(0, size, cell) for size in mask.shape)
    counts = np.add.reduceat(mask, rows, axis=0, dtype=np.int64)
    counts = np.add.reduceat(counts, columns, axis=1)
    areas = np.outer(np.diff(rows, append=mask.shape[0]), np.diff(columns, append=mask.shape[1]))
    return np.asarray(counts / areas)


def levels(cells: Shares) -> Levels:
    """0 where no pair is held, FULL where all are, and four steps between on a rough log scale."""
    steps = np.searchsorted(_STEPS, cells, side="left") + 1
    return np.where(cells <= 0, 0, np.where(cells >= 1, FULL, steps)).astype(np.int64)


def rectangles(grid: Levels) -> tuple[Rectangle, ...]:
    """Disjoint rectangles of equal, positive level that cover exactly the positive cells."""
    done: list[Rectangle] = []
    growing: dict[tuple[int, int, int], int] = {}
    for row, cells in enumerate(grid):
        here = set(_runs(cells))
        done += [_closed(run, top, row) for run, top in growing.items() if run not in here]
        growing = {run: growing.get(run, row) for run in sorted(here)}
    done += [_closed(run, top, len(grid)) for run, top in growing.items()]
    return tuple(sorted(done, key=lambda item: (item.level, item.top, item.left)))


def svg(title: str, caption: str, panels: Sequence[Panel]) -> str:
    """A standalone SVG of the panels side by side, in the colours of the reader's theme."""
    width = _LEFT + len(panels) * (_SIDE + _GAP)
    height = _TOP + _SIDE + _BOTTOM
    body = "\n".join(_panel(panel, _LEFT + k * (_SIDE + _GAP)) for k, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="patternc" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f'<rect class="paper" width="{width}" height="{height}" rx="10"/>\n'
        f"{label(_LEFT, 32, cut(title, width // 11), 'title')}\n"
        f"{label(_LEFT, 52, cut(caption, width // 7))}\n{body}\n</svg>\n"
    )


def _runs(cells: Levels) -> Iterator[tuple[int, int, int]]:
    edges = np.flatnonzero(np.diff(cells)) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), len(cells)]
    for start, stop in zip(starts, stops, strict=True):
        if stop > start and cells[start]:
            yield start, stop, int(cells[start])


def _closed(run: tuple[int, int, int], top: int, bottom: int) -> Rectangle:
    start, stop, level = run
    return Rectangle(level, start, top, stop - start, bottom - top)


def _panel(panel: Panel, x: int) -> str:
    rows, columns = panel.shares.shape
    scale = _SIDE / max(rows, columns, 1)
    wide, high = columns * scale, rows * scale
    box = f'width="{number(wide)}" height="{number(high)}"'
    return "\n".join(
        (
            f'<g transform="translate({x} {_TOP})">',
            label(0, -10, panel.title, "head"),
            f'<rect class="field" {box}/>',
            f'<g transform="scale({number(scale)})" shape-rendering="crispEdges">',
            *paths(panel.shares),
            "</g>",
            f'<rect class="frame" x="-.5" y="-.5" width="{number(wide + 1)}" '
            f'height="{number(high + 1)}"/>',
            *_axes(panel, wide, high),
            "</g>",
        )
    )


def paths(cells: Shares) -> Iterator[str]:
    boxes = rectangles(levels(cells))
    for level in range(1, FULL + 1):
        outlines = "".join(
            f"M{box.left} {box.top}h{box.width}v{box.height}h-{box.width}z"
            for box in boxes
            if box.level == level
        )
        if outlines:
            yield f'<path class="l{level}" d="{outlines}"/>'


def _axes(panel: Panel, wide: float, high: float) -> Iterator[str]:
    first = panel.keys - panel.queries
    yield label(0, high + 16, "0", anchor="start")
    yield label(wide / 2, high + 16, "key j \N{RIGHTWARDS ARROW}", anchor="middle")
    yield label(wide, high + 16, f"{panel.keys:,}", anchor="end")
    yield label(-7, 10, f"{first:,}", anchor="end")
    yield (
        f'<text transform="translate(-11 {number(high / 2)}) rotate(-90)" '
        'text-anchor="middle">\N{LEFTWARDS ARROW} query i</text>'
    )


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


def label(x: float, y: float, text: str, style: str = "", anchor: str = "") -> str:
    attributes = f'x="{number(x)}" y="{number(y)}"'
    attributes += f' class="{style}"' if style else ""
    attributes += f' text-anchor="{anchor}"' if anchor else ""
    return f"<text {attributes}>{escape(text)}</text>"


def number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
