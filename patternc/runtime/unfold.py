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

import torch
from torch import Tensor

from patternc.ir.stages import Unfold


class Windows(Unfold):
    """Windows of `size` tokens, of which each keeps its centre: see `Unfold`."""

    __slots__ = ()

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
