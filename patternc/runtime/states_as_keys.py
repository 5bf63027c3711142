"""States in place of keys and values, so that one index serves all heads and layers (Unlimiformer).

    q . (h W_k) = (q W_k^T) . h        sum of p (h W_v) = (sum of p h) W_v

With queries multiplied by the weights of the keys, every head of every layer searches the states h
themselves: `nearest(k) on encoder` of one key head, its pair (h, h). What comes out is multiplied
by the weights of the values. The bias of keys adds one number to all scores of a query, which
changes no weight (Bertsch et al. 2023, "Unlimiformer").

    >>> import torch
    >>> from patternc import Pattern
    >>> pattern = Pattern.parse("nearest(4) on encoder")
    >>> q, states = torch.randn(1, 2, 3, 8), torch.randn(1, 100, 16)
    >>> key, value = torch.nn.Linear(16, 16), torch.nn.Linear(16, 16)
    >>> index = states[:, None]
    >>> asked = queries_of_states(q, key.weight)
    >>> out = pattern.attention(asked, None, None, encoder_kv=(index, index), scale=8**-0.5)
    >>> values_of_states(out, value.weight, value.bias).shape
    torch.Size([1, 2, 3, 8])

Give the scale of the heads: that of `attention` would follow from the size of the states.
"""

from __future__ import annotations

from torch import Tensor


def queries_of_states(q: Tensor, weight: Tensor) -> Tensor:
    """Queries [batch, heads, queries, d] as [.., dim]; `weight` [heads * d, dim] is of the keys."""
    return q @ _by_head(weight, q.shape[1], q.shape[3])


def values_of_states(out: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Mixed states [batch, heads, queries, dim] as outputs [.., d].

    `weight` [heads * d, dim] and `bias` [heads * d] are those of the values.
    """
    heads = out.shape[1]
    found = out @ _by_head(weight, heads, weight.shape[0] // heads).mT
    return found if bias is None else found + bias.view(heads, 1, -1)


def _by_head(weight: Tensor, heads: int, size: int) -> Tensor:
    if weight.dim() != 2 or weight.shape[0] != heads * size:
        raise ValueError(
            f"weight has shape {list(weight.shape)}; expected [{heads * size}, dim] for {heads} "
            f"heads of {size}"
        )
    return weight.view(heads, size, -1)
