"""What the rows of a stage are: pooled ones of another stage, or windows that stand apart.

Knows numbers of rows and which positions they stand for. What computes with states is in
`patternc.runtime`.
"""

from __future__ import annotations

from typing import Literal

from patternc.frozen import frozen

QueryOperation = Literal["mean", "sum", "max"]
QueryTail = Literal["clip", "drop", "truncate"]


@frozen
class QueryPool:
    """One row for each window of `size` rows, every `stride`, behind the first `apart` rows.

    `clip`: the last window may be short; `drop`: only whole windows; `truncate`: the last row is
    left out, then as `clip` (Funnel Transformer, which keeps the row of its classes apart).
    """

    size: int
    operation: QueryOperation
    stride: int
    apart: int = 0
    tail: QueryTail = "clip"

    def windows(self, n: int) -> tuple[range, ...]:
        """The rows that each pooled row stands for, of n."""
        apart = min(self.apart, n)
        stop = max(n - (self.tail == "truncate"), apart)
        alone = tuple(range(row, row + 1) for row in range(apart))
        return alone + tuple(self._windows(apart, stop))

    def _windows(self, start: int, stop: int) -> list[range]:
        found: list[range] = []
        for first in range(start, stop, self.stride):
            whole = first + self.size <= stop
            short = self.tail != "drop" and (not found or found[-1].stop < stop)
            if whole or short:
                found.append(range(first, min(first + self.size, stop)))
        return found


@frozen
class Unfold:
    """Windows of `size` rows every `size` - 2 `margin`; the last one ends with the text.

    A window keeps what is `margin` or more from both of its ends, the first one its beginning, the
    last one all from where the window before it stops keeping. py-sled has margin
    int(size * (1 - f) / 2) for its share f.
    """

    size: int
    margin: int

    def __post_init__(self) -> None:
        if self.margin < 0 or self.size <= 2 * self.margin:
            raise ValueError(
                f"size {self.size} and margin {self.margin}; expected a margin of 0 or more and a "
                "size above twice the margin"
            )

    def starts(self, n: int) -> tuple[int, ...]:
        """The first row of each window of n rows; none for no rows."""
        last = max(n - self.size, 0)
        return (*range(0, last, self.size - 2 * self.margin), last) if n else ()

    def kept(self, n: int) -> tuple[range, ...]:
        """The rows that each window keeps: every row once."""
        starts = self.starts(n)
        stops = [start + self.size - self.margin for start in starts[:-1]]
        return tuple(map(range, [0, *stops], [*stops, n])) if starts else ()
