"""Pictures of reach and of terms: from shares of cells to SVG, without a plotting library.

`fields` shows how far one query sees after every layer, row by row, and the whole matrix after the
first layers; `terms` shows a mask in the colours of the terms that hold it. The colours follow the
reader's theme. Shares are computed in `reach_growth` and `term_shares`; plain masks are in `svg`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

import numpy as np

from patternc.report.reach_growth import ReachGrowth
from patternc.report.svg import STYLE, Levels, cut, label, levels, number, paths, rectangles
from patternc.report.term_shares import TermShare

_LEFT, _TOP, _GAP, _BOTTOM = 64, 84, 20, 24
_WIDE, _HIGH = 640, 14
_SMALL, _COLUMNS = 140, 4
# Cells of a row; matrices drawn.
_CELLS, _MOST = 320, 12
COLOURS = 6
_TERMS = """
.patternc{--t0:#3b49c9;--t1:#c2410c;--t2:#0f766e;--t3:#a21caf;--t4:#a16207;--t5:#475569}
@media(prefers-color-scheme:dark){
.patternc{--t0:#8d9bff;--t1:#fb923c;--t2:#2dd4bf;--t3:#e879f9;--t4:#facc15;--t5:#94a3b8}}
.patternc .t0 path,.patternc rect.t0{fill:var(--t0)}
.patternc .t1 path,.patternc rect.t1{fill:var(--t1)}
.patternc .t2 path,.patternc rect.t2{fill:var(--t2)}
.patternc .t3 path,.patternc rect.t3{fill:var(--t3)}
.patternc .t4 path,.patternc rect.t4{fill:var(--t4)}
.patternc .t5 path,.patternc rect.t5{fill:var(--t5)}
.patternc .rule{fill:none;stroke:var(--line);stroke-width:.5}
.patternc .here{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 2}
""".strip()


def fields(title: str, caption: str, growth: ReachGrowth) -> str:
    """The field of the growth's query after 1, 2, .. layers, then all fields, as one SVG."""
    top = _TOP + growth.telling * _HIGH + 52
    every, high = _matrices(growth, _LEFT, top, _COLUMNS)
    body = [*_strip(growth, _TOP), *every]
    return _document(title, caption, _WIDE + _LEFT + _GAP, top + high + 4, body)


def style() -> str:
    """The colours of all pictures, and of a page around them."""
    return f"{STYLE}\n{_TERMS}"


def strip(growth: ReachGrowth) -> str:
    """The field of one query after every layer, as an element of a page."""
    return _element(_LEFT + _WIDE + 4, growth.telling * _HIGH + 44, _strip(growth, 22))


def matrices(growth: ReachGrowth) -> str:
    """All fields after the first layers, as an element of a page."""
    every, high = _matrices(growth, 1, 0, _COLUMNS - 1)
    return _element((_COLUMNS - 1) * (_SMALL + _GAP + 6), high, every)


def layers_map(growth: ReachGrowth, side: int) -> str:
    """The layer after which a square is first connected: the earlier, the stronger."""
    first, count = growth.first, growth.telling
    boxes = rectangles(np.where(first > 0, count + 1 - first, 0))
    scale = number(side / len(first))
    body = [f'<rect class="field" width="{side}" height="{side}"/>']
    body += [f'<g transform="scale({scale})" shape-rendering="crispEdges">']
    for level in dict.fromkeys(box.level for box in boxes):
        outline = "".join(
            f"M{box.left} {box.top}h{box.width}v{box.height}h-{box.width}z"
            for box in boxes
            if box.level == level
        )
        opacity = number(0.15 + 0.85 * level / count)
        body.append(f'<path style="opacity:{opacity}" d="{outline}"/>')
    return _element(side, side, [*body, "</g>"])


def terms(title: str, caption: str, parts: Sequence[TermShare], queries: int, keys: int) -> str:
    """A mask in the colours of its terms, with a legend; from the sixth on they share one."""
    side = 420
    body = [f'<g transform="translate({_LEFT} {_TOP})">', *mask(parts, side), "</g>"]
    body += [
        label(_LEFT, _TOP + side + 16, "0", anchor="start"),
        label(_LEFT + side / 2, _TOP + side + 16, "key j \N{RIGHTWARDS ARROW}", anchor="middle"),
        label(_LEFT + side, _TOP + side + 16, f"{keys:,}", anchor="end"),
        label(_LEFT - 7, _TOP + 10, f"{keys - queries:,}" if keys > queries else "0", anchor="end"),
    ]
    for at, part in enumerate(parts):
        y = _TOP + 18 * at
        body.append(
            f'<rect class="t{min(at, COLOURS - 1)}" x="{_LEFT + side + 20}" y="{y}" '
            'width="12" height="12" rx="2"/>'
        )
        body.append(label(_LEFT + side + 38, y + 10, cut(part.text, 34), "head"))
    return _document(title, caption, _LEFT + side + 300, _TOP + side + _BOTTOM + 14, body)


def mask(parts: Sequence[TermShare], side: float) -> Iterator[str]:
    """The squares of a mask of that many pixels; a cell has the colour of its largest share."""
    stacked = np.stack([part.shares for part in parts])
    chosen = np.where(stacked.max(axis=0) > 0, stacked.argmax(axis=0), -1)
    grid = levels(np.minimum(stacked.sum(axis=0), 1))
    rows, columns = grid.shape
    scale = side / max(rows, columns)
    box = f'width="{number(columns * scale)}" height="{number(rows * scale)}"'
    yield f'<rect class="field" {box}/>'
    yield f'<g transform="scale({number(scale)})" shape-rendering="crispEdges">'
    for at in range(min(len(parts), COLOURS)):
        own = chosen == at if at < COLOURS - 1 else chosen >= at
        if own.any():
            yield f'<g class="t{at}">'
            yield from paths(np.where(own, _shown(grid), 0))
            yield "</g>"
    yield "</g>"
    yield f'<rect class="frame" {box}/>'


def _shown(grid: Levels) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A share of each level."""
    return np.array([0, 0.03, 0.1, 0.3, 0.7, 1.0])[grid]


def _strip(growth: ReachGrowth, top: float) -> Iterator[str]:
    layers = growth.telling
    cells = -(-growth.n // -(-growth.n // _CELLS))
    size = -(-growth.n // cells)
    starts = np.arange(0, growth.n, size)
    counts = np.add.reduceat(growth.row[:layers], starts, axis=1, dtype=np.int64)
    shares = counts / np.diff(starts, append=growth.n)
    scale = _WIDE / growth.n * size
    yield f'<g transform="translate({_LEFT} {top})">'
    yield label(0, -10, f"query {growth.query:,}", "head")
    yield f'<rect class="field" width="{_WIDE}" height="{layers * _HIGH}"/>'
    transform = f'transform="scale({number(scale)} {_HIGH})"'
    yield f'<g {transform} shape-rendering="crispEdges">'
    yield from paths(shares)
    yield "</g>"
    for layer in range(layers):
        y = (layer + 1) * _HIGH
        yield label(-7, y - 3, f"layer {layer + 1}", anchor="end")
        yield f'<path class="rule" d="M0 {y}h{_WIDE}"/>'
    at = number((growth.query + 0.5) * _WIDE / growth.n)
    yield f'<path class="here" d="M{at} 0v{layers * _HIGH}"/>'
    yield label(0, layers * _HIGH + 16, "0", anchor="start")
    yield label(_WIDE / 2, layers * _HIGH + 16, "position \N{RIGHTWARDS ARROW}", anchor="middle")
    yield label(_WIDE, layers * _HIGH + 16, f"{growth.n:,}", anchor="end")
    yield "</g>"


def _matrices(growth: ReachGrowth, left: int, top: int, columns: int) -> tuple[list[str], int]:
    """The telling ones of the first, in rows, and their height."""
    count = min(growth.telling, _MOST)
    every = [
        _matrix(
            growth,
            layer,
            left + layer % columns * (_SMALL + _GAP + 6),
            top + layer // columns * (_SMALL + 2 * _GAP) + _GAP,
        )
        for layer in range(count)
    ]
    return every, -(-count // columns) * (_SMALL + 2 * _GAP)


def _matrix(growth: ReachGrowth, layer: int, x: int, y: int) -> str:
    shares = growth.shares[layer]
    scale = number(_SMALL / len(shares))
    name = f"after {layer + 1} layer{'s' * (layer > 0)}"
    full = growth.full_at is not None and layer + 1 >= growth.full_at
    return "\n".join(
        (
            f'<g transform="translate({x} {y})">',
            label(0, -6, f"{name}, full" if full else name, "head"),
            f'<rect class="field" width="{_SMALL}" height="{_SMALL}"/>',
            f'<g transform="scale({scale})" shape-rendering="crispEdges">',
            *paths(shares),
            "</g>",
            f'<rect class="frame" width="{_SMALL}" height="{_SMALL}"/>',
            "</g>",
        )
    )


def _element(width: int, height: int, body: Iterable[str]) -> str:
    lines = "\n".join(body)
    box = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg class="patternc" {box} role="img">\n{lines}\n</svg>'


def _document(title: str, caption: str, width: int, height: int, body: Sequence[str]) -> str:
    lines = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="patternc" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{style()}</style>\n"
        f'<rect class="paper" width="{width}" height="{height}" rx="10"/>\n'
        f"{label(_LEFT, 32, cut(title, width // 11), 'title')}\n"
        f"{label(_LEFT, 52, cut(caption, width // 7))}\n{lines}\n</svg>\n"
    )
