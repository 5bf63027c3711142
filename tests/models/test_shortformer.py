"""Our attention equals position-infused attention, which adds positions before the projections.

The released code (ofirpress/shortformer, `TransformerDecoderLayer`) calls a multi-head attention
with query x + p, key y + p and value y, where y is the cache and x behind it. Here the same with
torch's module: positions go through its projections and come as the pair `positions`.
"""

from __future__ import annotations

import pytest
import torch

from patternc.pattern import Pattern

HEADS, WIDTH = 2, 32


def by_head(states):
    """[batch or none, n, 32] to [batch or none, heads, n, 16]."""
    return states.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(-2, -3)


@pytest.mark.parametrize(("cached", "n"), [(0, 20), (24, 40), (40, 40)])
def test_position_infused_attention_with_a_cache(cached, n):
    torch.manual_seed(0)
    module = torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    torch.nn.init.normal_(module.in_proj_bias)
    y, positions = torch.randn(2, cached + n, WIDTH), torch.randn(cached + n, WIDTH)
    infused = y + positions
    ahead = torch.ones(n, cached + n, dtype=torch.bool).triu(cached + 1)
    w_q, w_k, w_v = module.in_proj_weight.chunk(3)
    b_q, b_k, b_v = module.in_proj_bias.chunk(3)
    with torch.no_grad():
        wanted, _ = module(infused[:, cached:], infused, y, attn_mask=ahead, need_weights=False)
        q, k, v = by_head(y @ w_q.T + b_q), by_head(y @ w_k.T + b_k), by_head(y @ w_v.T + b_v)
        out = Pattern.from_zoo("shortformer").attention(
            *(part[:, :, cached:] for part in (q, k, v)),
            memory_kv=(k[:, :, :cached], v[:, :, :cached]),
            positions=(by_head(positions @ w_q.T), by_head(positions @ w_k.T)),
        )
        found = module.out_proj(out.transpose(1, 2).flatten(2))
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
