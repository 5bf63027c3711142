"""Cost against length: from a pattern to curves, and to a chart on logarithmic axes.

Every point is the exact count (or the bound) that a report at that length gives. The chart is SVG,
made without a plotting library; `figure` draws the same with matplotlib, the extra `plot`.
Receptive fields are in `reach_svg`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from io import BytesIO
from math import ceil, floor, log10

from patternc.analysis.cost.layer_cost import Workload
from patternc.analysis.cost.roofline import rooflines
from patternc.analysis.report_facts import costs_of
from patternc.frozen import frozen
from patternc.progress import steps
from patternc.queries.arguments import MOST_TOKENS
from patternc.report.contents import Reported
from patternc.report.svg import label, number

# Lengths: these many doublings up to n, and two beyond, if they are lengths.
_BEFORE, _AFTER, _LEAST = 5, 2, 64
_WIDE, _HIGH, _LEFT, _TOP = 300, 200, 52, 30


@frozen
class Series:
    """One curve: a positive value for every length."""

    name: str
    values: tuple[float, ...]


@frozen
class Curves:
    """Pairs of all heads of all layers, those of dense attention, and minimum seconds by device."""

    lengths: tuple[int, ...]
    pairs: Series
    dense: Series
    seconds: tuple[Series, ...]


def curves(pattern: Reported, work: Workload, layers: int) -> Curves | None:
    """The cost at half, twice and four times n, and so on; None where only one length fits."""
    if any(pattern.fitting(layer) is not None for layer in range(pattern.layers or 1)):
        return None
    lengths = _lengths(work.n)
    pairs, dense = [], []
    seconds: dict[str, list[float]] = {}
    for n in steps(lengths, "lengths"):
        at = replace(work, n=n)
        costs = costs_of(pattern.subject(at, layers, {}, {}), at)
        pairs.append(sum(head.pairs.most for cost in costs for head in cost.heads))
        dense.append(sum(n * cost.keys * len(cost.heads) for cost in costs))
        for found in rooflines(costs, at, {}):
            seconds.setdefault(found.device.name, []).append(found.forward.seconds)
    return Curves(
        tuple(lengths),
        Series("pairs", tuple(pairs)),
        Series("every pair", tuple(dense)),
        tuple(Series(name, tuple(values)) for name, values in seconds.items()),
    )


def _lengths(n: int) -> list[int]:
    before = [n >> by for by in range(_BEFORE, 0, -1) if n >> by >= min(_LEAST, n)]
    after = (n << by for by in range(1, _AFTER + 1) if n << by <= MOST_TOKENS)
    return [*before, n, *after]


def chart(title: str, lengths: Sequence[int], series: Sequence[Series], unit: str) -> str:
    """The curves on logarithmic axes, as an SVG element to appear in a page."""
    every = [value for one in series for value in one.values if value > 0] or [1.0]
    low, high = floor(log10(min(every))), max(ceil(log10(max(every))), floor(log10(min(every))) + 1)
    scale = _Scale(log10(lengths[0]), log10(lengths[-1]), low, high)
    height = _TOP + _HIGH + 40
    body = [label(_LEFT, 16, title, "head"), *_grid(scale, lengths, unit)]
    for at, one in enumerate(series):
        body += list(_curve(scale, lengths, one, at))
    lines = "\n".join(body)
    return (
        f'<svg class="patternc chart" width="{_LEFT + _WIDE + 110}" height="{height}" '
        f'viewBox="0 0 {_LEFT + _WIDE + 110} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n{lines}\n</svg>"
    )


@frozen
class _Scale:
    """Powers of ten at the ends of both axes."""

    left: float
    right: float
    low: int
    high: int

    def x(self, length: int) -> float:
        span = self.right - self.left
        return _LEFT + (log10(length) - self.left) / span * _WIDE if span else _LEFT

    def y(self, value: float) -> float:
        return _TOP + _HIGH * (1 - (log10(value) - self.low) / (self.high - self.low))


def _grid(scale: _Scale, lengths: Sequence[int], unit: str) -> Iterator[str]:
    every = range(scale.low, scale.high + 1)
    for power in every[:: max(1, len(every) // 6)]:
        y = number(scale.y(10.0**power))
        yield f'<path class="rule" d="M{_LEFT} {y}h{_WIDE}"/>'
        yield label(_LEFT - 6, scale.y(10.0**power) + 4, _power(power, unit), anchor="end")
    for length in lengths[:: max(1, len(lengths) // 4)]:
        x = number(scale.x(length))
        yield f'<path class="rule" d="M{x} {_TOP}v{_HIGH}"/>'
        yield label(scale.x(length), _TOP + _HIGH + 16, f"{length:,}", anchor="middle")
    yield label(_LEFT + _WIDE / 2, _TOP + _HIGH + 34, "tokens n", anchor="middle")


def _power(power: int, unit: str) -> str:
    prefixes = {
        -12: "p",
        -9: "n",
        -6: "µ",
        -3: "m",
        0: "",
        3: "k",
        6: "M",
        9: "G",
        12: "T",
        15: "P",
    }
    base = 3 * (power // 3)
    return f"{10 ** (power - base)} {prefixes.get(base, f'e{base}')}{unit}".rstrip()


def _curve(scale: _Scale, lengths: Sequence[int], one: Series, at: int) -> Iterator[str]:
    points = [
        (scale.x(length), scale.y(value))
        for length, value in zip(lengths, one.values, strict=True)
        if value > 0
    ]
    if not points:
        return
    path = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    colour = f"t{at % 6}"
    yield f'<path class="curve {colour}" d="M{path}"/>'
    for (x, y), length, value in zip(points, lengths, one.values, strict=False):
        yield (
            f'<circle class="{colour}" cx="{number(x)}" cy="{number(y)}" r="3">'
            f"<title>{escape(one.name)}, n = {length:,}: {value:,.6g}</title></circle>"
        )
    yield (
        f'<rect class="{colour}" x="{_LEFT + _WIDE + 12}" y="{_TOP + 18 * at}" '
        'width="10" height="10" rx="2"/>'
    )
    yield label(_LEFT + _WIDE + 27, _TOP + 18 * at + 9, one.name)


def figure(found: Curves, title: str, kind: str) -> bytes:
    """Both charts as a file of a kind that matplotlib knows: "pdf", "png" or "svg".

    Raises `ModuleNotFoundError` without matplotlib, and `ValueError` for an unknown kind.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "figures need matplotlib: pip install 'patternc[plot]'"
        ) from error
    drawn = Figure(figsize=(10, 4), layout="constrained")
    # A dollar sign would begin a formula.
    drawn.suptitle(title.replace("$", "\\$"))
    left, right = drawn.subplots(1, 2)
    for one in (found.pairs, found.dense):
        left.loglog(found.lengths, one.values, marker="o", label=one.name)
    for one in found.seconds:
        right.loglog(found.lengths, one.values, marker="o", label=one.name)
    for axes, name in ((left, "pairs of all layers"), (right, "roofline lower bound (s), forward")):
        axes.set_xlabel("tokens n")
        axes.set_ylabel(name)
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend()
    written = BytesIO()
    dated = {"pdf": "CreationDate", "svg": "Date"}
    metadata = {dated[kind]: None} if kind in dated else None
    drawn.savefig(written, format=kind, metadata=metadata)
    return written.getvalue()
