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


def test_keys_that_lie_anywhere_are_gathered_for_each_row_without_planning_tiles() -> None:
    """An entry that is there twice counts once, and what stands around lists cuts them."""
    torch.manual_seed(0)
    pattern, n = Pattern.parse("causal\nlisted(keys)"), 600
    lists = torch.randint(-1, n, (1, 2, n, 3))
    parts = [torch.randn(1, 2, n, 8, requires_grad=True) for _ in range(3)]
    found = {}
    for backend in ("cpu", "reference"):
        out = pattern.attention(*parts, backend=backend, keys=lists)
        found[backend] = [out, *torch.autograd.grad(out.square().sum(), parts)]
    for mine, wanted in zip(found["cpu"], found["reference"], strict=True):
        torch.testing.assert_close(mine, wanted, atol=1e-5, rtol=1e-4)
    calls = pattern.module._calls(*parts, {"keys": lists}, 0, None)
    ((*_, pieces), *_) = pattern.module._planned(calls[0]._replace(scale=1.0))
    assert [piece.height for _, piece in pieces] == [1]


def test_rows_of_an_encoder_behind_the_lists_leave_those_before_in_place() -> None:
    """Lists have a row for each token, and queries on an encoder may be more."""
    torch.manual_seed(0)
    pattern, tokens, slots = Pattern.parse("listed(keys) on encoder"), 30, 4
    q, k = torch.randn(1, 2, 72, 8), torch.randn(1, 2, tokens, 8)
    encoder = torch.randn(2, 1, 2, slots, 8).unbind(0)
    lists = torch.randint(0, slots, (tokens, 1))
    out = {
        backend: pattern.attention(q, k, k, keys=lists, encoder_kv=encoder, backend=backend)
        for backend in ("cpu", "reference")
    }
    torch.testing.assert_close(out["cpu"][:, :, :tokens], encoder[1][:, :, lists[:, 0]])
    torch.testing.assert_close(out["cpu"], out["reference"])
