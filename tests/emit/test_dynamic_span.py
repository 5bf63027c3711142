"""`dynamic_span`: a soft span of each query, by direct evaluation on every backend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from patternc import Pattern
from tests.emit.dense import Tensor, compiled, draw

RECORDED = Path(__file__).parents[1] / "oracles" / "outputs" / "adaptive_span_training.npz"
TEXT = "causal\nlocal(left=30, right=-1) with dynamic_span(8, z=z) + columns([0])"
ALIKE = "causal\nlocal(left=30, right=-1) with softspan(8, z=z) + columns([0])"


def sample(n: int) -> list[Tensor]:
    torch.manual_seed(0)
    return [*(draw(2, 2, n, 16) for _ in range(3)), torch.rand(2, 2, n, dtype=torch.float64) * 20]


def directly(q: Tensor, k: Tensor, v: Tensor, z: Tensor) -> Tensor:
    i, j = torch.arange(q.shape[2])[:, None], torch.arange(q.shape[2])
    share = ((z[..., None] + 1 - (i - j)) / 8 + 1).clamp(0, 1)
    window = (j < i) & (j >= i - 30)
    weights = (q @ k.mT / 4).exp() * torch.where(window, share, ((j == 0) & (j <= i)).double())
    weights = weights / weights.sum(-1, keepdim=True)
    out: Tensor = weights @ v
    return out


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [("reference", torch.float64), ("cpu", torch.float64), ("triton", torch.float32)],
)
def test_outputs_and_gradients_are_those_of_the_formula(backend: str, dtype: torch.dtype) -> None:
    leaves = [part.requires_grad_() for part in sample(50)]
    wanted = directly(*leaves)
    expected = torch.autograd.grad(wanted.square().sum(), leaves)
    own = [part.detach().to(dtype).requires_grad_() for part in leaves]
    found = compiled(TEXT).attention(*own[:3], z=own[3], backend=backend)
    gradients = torch.autograd.grad(found.square().sum(), own)
    bound = 1e-9 if dtype == torch.float64 else 1e-4
    for one, other in zip((found, *gradients), (wanted, *expected), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound)


def test_spans_of_heads_are_those_of_softspan() -> None:
    q, k, v, _ = sample(50)
    z = torch.tensor([3.5, 12.0], dtype=torch.float64)
    wanted = compiled(ALIKE).attention(q, k, v, z=z, backend="cpu")
    alike = z[None, :, None].expand(2, 2, 50)
    torch.testing.assert_close(compiled(TEXT).attention(q, k, v, z=alike, backend="cpu"), wanted)


def test_padding_takes_the_spans_of_its_queries_and_other_numbers_are_refused() -> None:
    *parts, z = sample(20)
    pattern, real = Pattern.parse(TEXT), torch.arange(20) < torch.tensor([[20], [9]])
    found = pattern.attention(*parts, z=z, key_padding=real)
    alone = pattern.attention(*(part[1:, :, :9] for part in parts), z=z[1:, :, :9])
    torch.testing.assert_close(found[1:, :, :9], alone)
    with pytest.raises(ValueError, match=r"here \[2, 2, 20\]"):
        pattern.attention(*parts, z=z[..., :9])


@pytest.mark.parametrize("word", ["softspan", "dynamic_span"])
def test_a_training_step_is_that_of_the_authors_module_with_its_penalty(word: str) -> None:
    """Up to the 1e-8 that the module adds to the sums of weights; with z of heads or of tokens."""
    with np.load(RECORDED) as file:
        held = {name: torch.from_numpy(file[name]) for name in file.files}
    q, k, v, share = (held[name].requires_grad_() for name in ("q", "k", "v", "z"))
    z = 16 * share[:, 0, 0]
    asked = z if word == "softspan" else z[None, :, None].expand(2, 3, 20)
    text = f"causal\nlocal(left=16, right=-1) with {word}(4, z=z)"
    out = compiled(text).attention(q, k, v, z=asked, backend="cpu")
    penalty = 0.3 * asked.mean()
    torch.testing.assert_close(out, held["out"], atol=1e-6, rtol=0)
    torch.testing.assert_close(penalty, held["penalty"])
    loss = (out * held["weight"]).sum() + penalty
    wanted = [held[f"d{name}"] for name in "qkvz"]
    for mine, other in zip(torch.autograd.grad(loss, (q, k, v, share)), wanted, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=0)
