"""`decay`: scores with c[i] - c[j], by direct evaluation on every backend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from patternc import Pattern
from tests.emit.dense import Tensor, compiled, draw

TEXT = "causal\nheads 4\nlocal(40) with decay(kept) with softcap(3) + columns([0])"


def sample(n: int) -> list[Tensor]:
    torch.manual_seed(0)
    q, k, v = draw(2, 4, n, 16), draw(2, 2, n, 16), draw(2, 2, n, 16)
    return [q, k, v, torch.rand(2, 4, n, dtype=torch.float64).log().cumsum(2) / 4]


def directly(q: Tensor, k: Tensor, v: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    i, j = torch.arange(q.shape[2])[:, None], torch.arange(q.shape[2])
    k, v = (part.repeat_interleave(2, 1) for part in (k, v))
    products = q @ k.mT / 4
    capped = 3 * torch.tanh(products / 3) + kept[..., None] - kept[:, :, None]
    scores = torch.where((j <= i) & (j >= i - 40), capped, products)
    scores = scores.masked_fill(~((j <= i) & ((j >= i - 40) | (j == 0))), -torch.inf)
    return scores.softmax(-1) @ v, scores.logsumexp(-1)


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [("reference", torch.float64), ("cpu", torch.float64), ("triton", torch.float32)],
)
def test_outputs_and_gradients_are_those_of_the_formula(backend: str, dtype: torch.dtype) -> None:
    leaves = [part.requires_grad_() for part in sample(80)]
    wanted = directly(*leaves)
    expected = torch.autograd.grad(wanted[0].square().sum() + wanted[1].sin().sum(), leaves)
    own = [part.detach().to(dtype).requires_grad_() for part in leaves]
    out, lse = compiled(TEXT).attention(*own[:3], kept=own[3], backend=backend, return_lse=True)
    gradients = torch.autograd.grad(out.square().sum() + lse.sin().sum(), own)
    bound = 1e-9 if dtype == torch.float64 else 1e-4
    for one, other in zip((out, lse, *gradients), (*wanted, *expected), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound)


def test_the_example_is_what_the_authors_kernels_compute() -> None:
    """The Forgetting Transformer's, in float32 in Triton's interpreter: with gradients of gates."""
    path = Path(__file__).parents[1] / "oracles/outputs/forgetting.npz"
    held = {name: torch.from_numpy(part).double() for name, part in np.load(path).items()}
    leaves = [held[name].requires_grad_() for name in ("q", "k", "v", "log_gates")]
    pattern = Pattern.from_zoo("forgetting")
    out = pattern.attention(*leaves[:3], kept=leaves[3].cumsum(2))
    found = torch.autograd.grad((out * held["weight"]).sum(), leaves)
    wanted = [held[name] for name in ("out", "dq", "dk", "dv", "dlog_gates")]
    for one, other in zip((out, *found), wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_fewer_queries_are_the_last_rows_and_padding_is_left_out() -> None:
    *parts, kept = sample(20)
    pattern, real = Pattern.parse(TEXT), torch.arange(20) < torch.tensor([[20], [9]])
    whole = pattern.attention(*parts, kept=kept)
    last = pattern.attention(parts[0][:, :, -3:], *parts[1:], kept=kept)
    torch.testing.assert_close(last, whole[:, :, -3:])
    found = pattern.attention(*parts, kept=kept, key_padding=real)
    alone = pattern.attention(*(part[1:, :, :9] for part in parts), kept=kept[1:, :, :9])
    torch.testing.assert_close(found[1:, :, :9], alone)


def test_other_numbers_and_queries_before_the_first_token_are_refused() -> None:
    *parts, kept = sample(20)
    pattern = Pattern.parse(TEXT)
    with pytest.raises(ValueError, match=r"expected floats \[batch, heads, n\]; here \[2, 4, 20\]"):
        pattern.attention(*parts, kept=kept[..., :9])
    fewer = [part[:, :, :15] for part in (*parts[1:], kept)]
    with pytest.raises(ValueError, match="5 more queries than tokens"):
        pattern.attention(parts[0], *fewer[:2], kept=fewer[2])
