"""Operations on scores as lines of a kernel, and the lines of their derivatives.

Converts a modifier's numbers to text over a tile of scores `qk` [queries, keys], of which
`distance`, `row`, `inside` and `j` speak. Tables' gradients are found row by row, so that no two
programs add to one place: what rows share is summed afterwards. Does not decide which operation a
modifier is.
"""

from __future__ import annotations

from dataclasses import dataclass

from patternc.emit.text.layout import Call, Leaf, Text
from patternc.ir.sources import KeySource, Pool


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
    by the score before it, where that is not 1, in terms of the score qk after it and of the
    former, `opN_before`. With ds the gradient of the score after it, `sums` and `scattered` make
    the gradient of its table, row by row; `learning` are the lines that `sums` build on.
    """

    text: Text
    number: int
    values: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    slope: str = ""
    learning: tuple[str, ...] = ()
    sums: tuple[RowSum, ...] = ()
    scattered: Scattered | None = None

    @property
    def has_table(self) -> bool:
        return bool(self.values or self.rows)

    @property
    def asks_before(self) -> bool:
        """Does a derivative ask the score before the operation?"""
        return any("_before" in line for line in (self.slope, *self.learning))

    @property
    def looks_up(self) -> bool:
        """Has each pair an entry of its table?"""
        return self.scattered is not None

    @property
    def is_involved(self) -> bool:
        """Does it multiply scores by what has gradients itself?"""
        return bool(self.slope and self.sums)


def distance_aware(table: Text, number: int) -> Operation:
    """relu(qk) * most / (1 + far), most = 1 + e^beta, far = e^(beta - alpha |distance|)."""
    op = f"op{number}"
    return Operation(
        Call("_DistanceAware", (table,)),
        number,
        (f"{op}_value = tl.load({op})", f"{op}_beta = tl.load({op} + 1)"),
        lines=(
            f"far = tl.exp({op}_beta - {op}_value * tl.abs(distance))",
            f"factor = (1.0 + tl.exp({op}_beta)) / (1.0 + far)",
            "qk = tl.maximum(qk, 0.0) * factor",
        ),
        slope=f"tl.where({op}_before >= 0.0, factor, 0.0)",
        learning=(
            f"positive = ds * tl.maximum({op}_before, 0.0)",
            # far / (1 + far): far may be infinite, and 1 - 1 / (1 + far) loses a small one.
            f"near = tl.exp({op}_value * tl.abs(distance) - {op}_beta)",
            "falling = positive * factor / (1.0 + near)",
        ),
        sums=(
            RowSum("alpha", "falling * tl.abs(distance)", "0"),
            RowSum("beta", f"positive * tl.exp({op}_beta) / (1.0 + far) - falling", "1"),
        ),
    )


def soft_span(table: Text, number: int, ramp: float) -> Operation:
    """Adds the logarithm of a share that falls from 1 to 0 over `ramp` positions."""
    op = f"op{number}"
    return Operation(
        Call("_SoftSpan", (table, Leaf(str(ramp)))),
        number,
        (f"{op}_value = tl.load({op})",),
        lines=(
            f"share = ({op}_value + 1.0 + distance) / {ramp} + 1.0",
            "qk += tl.log(tl.minimum(tl.maximum(share, 0.0), 1.0))",
        ),
        learning=("falling = (share > 0.0) & (share <= 1.0)",),
        sums=(RowSum("span", f"tl.where(falling, ds / (share * {ramp}), 0.0)", "0"),),
    )


def lookup(table: Text, number: int, low: str, high: str) -> Operation:
    """Adds a table's entry at the pair's distance; low -1: as far as the table goes.

    Distances between the ends are those of one pair of a row; the ends gather all beyond.
    """
    op = f"op{number}"
    farthest = f"{op}_size - 1" if low == "-1" else low
    place = f"{op}_at = tl.minimum(tl.maximum(distance, -({farthest})), {high}) + {farthest}"
    line = f"qk += tl.load({op}_rows + {op}_at, mask=inside[:, None], other=0.0)"
    return Operation(
        Call("_Lookup", (table, Leaf(low), Leaf(high))),
        number,
        rows=(rows_of(op),),
        lines=(place, line),
        learning=(
            f"low = distance <= -({farthest})",
            f"high = (distance >= {high}) & ~low",
        ),
        sums=(
            RowSum("low", "tl.where(low, ds, 0.0)", "0"),
            RowSum("high", "tl.where(high, ds, 0.0)", f"{op}_size - 1"),
        ),
        scattered=Scattered(f"{op}_at", "~low & ~high"),
    )


def rows_of(op: str) -> str:
    return f"{op}_rows = {op} + row.to(tl.int64)[:, None] * {op}_row"


def row_of_distance(source: KeySource) -> str:
    """What distances are counted from: the position, or its window on a pool."""
    if not isinstance(source, Pool):
        return "i"
    window = "i" if source.stride == 1 else f"_floor_div(i, {source.stride})"
    # Leftover positions are part of the last slot.
    return f"tl.minimum({window}, m - 1)" if source.tail == "merge" else window
