"""Overlapping windows of a long input that are encoded apart (SLED, Unlimiformer's encoder).

    states [batch, n, dim] -> windows [batch * count, size, dim] -> encoder -> [batch, n, dim]

Every window is encoded by all layers on its own and keeps its centre, so that a token has one state
and has seen its window alone, at every depth (Ivgi et al. 2023, "Efficient long-text understanding
with short-text models"). That is no pattern of one layer: run the encoder, of any pattern, on
`split`, and the decoder's `full on encoder` on what `join` returns.

    >>> import torch
    >>> windows = Windows(size=8, margin=2)
    >>> states = torch.arange(20.0).reshape(1, 20, 1)
    >>> windows.starts(20)
    (0, 4, 8, 12)
    >>> parts = windows.split(states)
    >>> parts.shape
    torch.Size([4, 8, 1])
    >>> torch.equal(windows.join(parts, 20), states)
    True

Does not make attention masks and does not pad: a text shorter than a window is one window.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of `size` tokens every `size` - 2 `margin`; the last one ends with the text.

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
        """The first token of each window of a text of n tokens; none for no tokens."""
        last = max(n - self.size, 0)
        return (*range(0, last, self.size - 2 * self.margin), last) if n else ()

    def kept(self, n: int) -> tuple[range, ...]:
        """The tokens that each window keeps: every token once."""
        starts = self.starts(n)
        stops = [start + self.size - self.margin for start in starts[:-1]]
        return tuple(map(range, [0, *stops], [*stops, n])) if starts else ()

    def split(self, states: Tensor, prefix: Tensor | None = None) -> Tensor:
        """[batch, n, ..] to [batch * count, size or n, ..], windows of one text behind one another.

        A `prefix` [batch, p, ..] (a question) stands before every window.
        """
        n = states.shape[1]
        parts = [states[:, start : start + self.size] for start in self.starts(n)]
        if prefix is not None:
            parts = [torch.cat([prefix, part], 1) for part in parts]
        return torch.stack(parts, 1).flatten(0, 1) if parts else states

    def join(self, encoded: Tensor, n: int, prefix: int = 0) -> Tensor:
        """The kept states [batch, n, ..] of what an encoder made of `split`, without the prefix."""
        starts = self.starts(n)
        if not starts:
            return encoded
        parts = encoded.reshape(-1, len(starts), *encoded.shape[1:]).unbind(1)
        kept = zip(parts, starts, self.kept(n), strict=True)
        return torch.cat(
            [
                part[:, prefix + own.start - start : prefix + own.stop - start]
                for part, start, own in kept
            ],
            1,
        )
