"""Spans that each token asks for, and their penalty (Sukhbaatar et al. 2019, section 2.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DynamicSpan(nn.Module):
    """z = longest * sigmoid(v . x + b) for each head and token, for `dynamic_span(ramp, z=..)`.

        >>> import torch
        >>> from patternc import Pattern
        >>> from patternc.nn import DynamicSpan
        >>> pattern = Pattern.parse("causal\\nlocal(left=20) with dynamic_span(8, z=z)")
        >>> states, spans = torch.randn(1, 50, 32), DynamicSpan(32, heads=2, longest=16)
        >>> q, k, v = torch.randn(3, 1, 2, 50, 16)
        >>> z, penalty = spans(states)
        >>> loss = pattern.attention(q, k, v, z=z).square().mean() + 1e-4 * penalty
        >>> loss.backward()
        >>> bool(spans.projection.bias.grad.any())
        True

    `width` is that of the states; spans begin near 0. `longest` + `ramp` tokens back a key has no
    weight left, so the pattern needs no wider window.
    """

    def __init__(self, width: int, heads: int, longest: float) -> None:
        super().__init__()
        if longest <= 0:
            raise ValueError(f"longest is {longest}; expected a span above 0")
        self.longest = longest
        self.projection = nn.Linear(width, heads)
        nn.init.zeros_(self.projection.weight)
        nn.init.constant_(self.projection.bias, -4.0)

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """z [batch, heads, n] of states [batch, n, width], and the penalty: the mean of z."""
        z = self.longest * torch.sigmoid(self.projection(states)).transpose(1, 2)
        return z, z.mean()

    def extra_repr(self) -> str:
        return f"longest={self.longest}"
