"""Draws the pictures of how-it-works.md: `python docs/figures.py`.

one program -> its pairs, the tiles that hold them, and the tiles in the order of the kernel
"""

from __future__ import annotations

from pathlib import Path

from patternc import Pattern
from patternc.report.svg import STYLE

PICTURES = Path(__file__).parent / "pictures"
PROGRAM = "causal & (local(left=159) + columns([0:4]))"
N, TILE, SIDE, TOP = 512, 64, 30, 34
_TILES = N // TILE


def tiles() -> list[tuple[int, int, bool]]:
    """(query tile, key tile, whether all of its pairs are held), in the order of the layout."""
    layout = Pattern(PROGRAM).layout(N, TILE)
    rows = [(a, layout.row(0, a)) for a in range(_TILES)]
    return [
        (a, int(b), bool(full))
        for a, row in rows
        for b, full in zip(row.index, row.full, strict=True)
    ]


def _svg(title: str, body: list[str], width: int, height: int) -> str:
    label = f'<text class="head" x="8" y="20">{title}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="patternc" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img"><title>{title}</title>\n'
        f"<style>{STYLE}</style>\n"
        f'<rect class="paper" width="{width}" height="{height}"/>\n{label}\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _square(column: int, row: int, full: bool, text: str = "") -> str:
    x, y = 8 + column * SIDE, TOP + row * SIDE
    shade, ink = ("", "paper") if full else (' class="l2"', "ink")
    drawn = f'<path{shade} d="M{x + 1} {y + 1}h{SIDE - 2}v{SIDE - 2}h-{SIDE - 2}z"/>'
    return drawn + (
        f'<text x="{x + 11}" y="{y + 19}" style="fill:var(--{ink})">{text}</text>' if text else ""
    )


def tiling() -> str:
    """The grid of tiles: dark ones are full, light ones partial, the rest is never visited."""
    side = _TILES * SIDE
    frame = f'<rect class="frame" x="8" y="{TOP}" width="{side}" height="{side}"/>'
    body = [frame, *(_square(b, a, full) for a, b, full in tiles())]
    return _svg("Tiles: full dark, partial light", body, side + 16, side + TOP + 8)


def visits() -> str:
    """One line a query tile: the key tiles it visits, full ones first, as the kernel's loop."""
    body = []
    for a in range(_TILES):
        mine = sorted((not full, b) for row, b, full in tiles() if row == a)
        body += [_square(step, a, not partial, str(b)) for step, (partial, b) in enumerate(mine)]
    side = _TILES * SIDE
    return _svg("Steps of each program: key tile b", body, side + 16, side + TOP + 8)


def pictures() -> dict[str, str]:
    return {
        "how-relation.svg": Pattern(PROGRAM).svg(N),
        "how-tilings.svg": tiling(),
        "how-visits.svg": visits(),
    }


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for name, text in pictures().items():
        (PICTURES / name).write_text(text, encoding="utf-8")
