"""Lists whose entries lie in most tiles: right, and with a warning that a mask is dense there."""

from __future__ import annotations

import warnings

import torch

from patternc import Pattern

N = 1100


def _lists(mask: torch.Tensor) -> torch.Tensor:
    most = int(mask.sum(-1).max())
    found = mask.float().topk(most, dim=-1).indices
    return torch.where(mask.gather(-1, found), found, -1)


def test_scattered_lists_warn_and_are_right_and_near_ones_do_not_warn() -> None:
    torch.manual_seed(0)
    pattern, mask = Pattern.parse("listed(keys)"), torch.rand(2, N, N) < 0.05
    q, k, v = torch.randn(3, 1, 2, N, 16)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        out = pattern.attention(q, k, v, keys=_lists(mask))
    assert ["dense mask" in str(found.message) for found in caught] == [True]
    wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    torch.testing.assert_close(out, wanted, atol=1e-5, rtol=1e-4)
    near = (torch.arange(N)[:, None] - torch.arange(N)).abs() < 40
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pattern.attention(q, k, v, keys=_lists(near))
