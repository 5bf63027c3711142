"""Operations on scores as lines of a kernel, and the lines of their derivatives.

From a modifier's numbers to text over a tile of scores `s` [queries, keys], of which `distance`,
`row`, `inside` and `j` speak. Tables' gradients are found row by row, so that no two programs add
to one place: what rows share is summed afterwards. Non-goals: which operation a modifier is.
"""

from __future__ import annotations

from dataclasses import dataclass

from patternc.emit.text import Call, Leaf, Text


@dataclass(frozen=True, slots=True)
class RowSum:
    """Part of a table's gradient: `value` summed over a row's keys, for the entry at `place`."""

    name: str
    value: str
    place: str


@dataclass(frozen=True, slots=True)
class Scattered:
    """Part of a table's gradient: ds of the pairs in `mask`, one of a row for each `place`."""

    place: str
    mask: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on scores: its data, and its lines in a kernel.

    `values` are read once for a head, `rows` found once for a query tile. `slope` is the derivative
    by the score s before it, where that is not 1. With ds the gradient of the score after it,
    `sums` and `scattered` make the gradient of its table, row by row.
    """

    text: Text
    number: int
    values: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    slope: str = ""
    sums: tuple[RowSum, ...] = ()
    scattered: Scattered | None = None


def distance_aware(table: Text, number: int) -> Operation:
    """relu(s) * (1 + e^beta) / (1 + far), far = e^(beta - alpha |distance|)."""
    op = f"op{number}"
    most, positive = f"(1.0 + tl.exp({op}_beta))", f"tl.maximum({op}_before, 0.0)"
    far = f"tl.exp({op}_beta - {op}_value * tl.abs(distance))"
    falling = f"ds * {positive} * {most} * far / ((1.0 + far) * (1.0 + far))"
    return Operation(
        Call("_DistanceAware", (table,)),
        number,
        (f"{op}_value = tl.load({op})", f"{op}_beta = tl.load({op} + 1)"),
        lines=(f"far = {far}", f"s = tl.maximum(s, 0.0) * {most} / (1.0 + far)"),
        slope=f"tl.where(s >= 0.0, {most} / (1.0 + {far}), 0.0)",
        sums=(
            RowSum("alpha", f"{falling} * tl.abs(distance)", "0"),
            RowSum("beta", f"ds * {positive} * ({most} - 1.0) / (1.0 + far) - {falling}", "1"),
        ),
    )


def soft_span(table: Text, number: int, ramp: float) -> Operation:
    """Adds the logarithm of a share that falls from 1 to 0 over `ramp` positions."""
    op = f"op{number}"
    share = f"(({op}_value + 1.0 + distance) / {ramp} + 1.0)"
    inside = f"({share} > 0.0) & ({share} <= 1.0)"
    return Operation(
        Call("_SoftSpan", (table, Leaf(str(ramp)))),
        number,
        (f"{op}_value = tl.load({op})",),
        lines=(f"s += tl.log(tl.minimum(tl.maximum({share}, 0.0), 1.0))",),
        sums=(RowSum("span", f"tl.where({inside}, ds / ({share} * {ramp}), 0.0)", "0"),),
    )


def lookup(table: Text, number: int, low: str, high: str) -> Operation:
    """Adds a table's entry at the pair's distance; low -1: as far as the table goes.

    Distances between the ends are those of one pair of a row; the ends gather all beyond.
    """
    op = f"op{number}"
    farthest = f"{op}_size - 1" if low == "-1" else low
    place = f"{op}_at = tl.minimum(tl.maximum(distance, -({farthest})), {high}) + {farthest}"
    line = f"s += tl.load({op}_rows + {op}_at, mask=inside[:, None], other=0.0)"
    before, after = f"(distance <= -({farthest}))", f"(distance >= {high})"
    return Operation(
        Call("_Lookup", (table, Leaf(low), Leaf(high))),
        number,
        rows=(rows_of(op),),
        lines=(place, line),
        sums=(
            RowSum("low", f"tl.where({before}, ds, 0.0)", "0"),
            RowSum("high", f"tl.where({after} & ~{before}, ds, 0.0)", f"{op}_size - 1"),
        ),
        scattered=Scattered(f"{op}_at", f"~{before} & ~{after}"),
    )


def rows_of(op: str) -> str:
    return f"{op}_rows = {op} + row.to(tl.int64)[:, None] * {op}_row"
