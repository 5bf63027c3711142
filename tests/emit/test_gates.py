"""Gates of each query: weights [batch, heads, queries] in place of one a head."""

from __future__ import annotations

import pytest
import torch

from patternc import Pattern
from tests.emit.dense import Tensor, compiled, draw

TEXT = "heads 2\nhead == 0 -> gate(local(2), columns([0]), name=g)\nelse -> local(1)"
THREE = "gate(local(2), columns([0]), full, name=g)"


def parts(batch: int = 2) -> list[Tensor]:
    torch.manual_seed(0)
    return [draw(batch, 2, 12, 16) for _ in range(3)]


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_each_query_weighs_its_branches(backend: str) -> None:
    q, k, v = parts()
    share = torch.rand(2, 2, 12, dtype=torch.float64).requires_grad_()
    found = compiled(TEXT).attention(q, k, v, g=share, backend=backend)
    one, other, rest = (
        compiled(text).reference(q, k, v) for text in ("local(2)", "columns([0])", "local(1)")
    )
    weight = share[:, 0, :, None]
    torch.testing.assert_close(found[:, 0], (1 - weight) * one[:, 0] + weight * other[:, 0])
    torch.testing.assert_close(found[:, 1], rest[:, 1])
    (gradient,) = torch.autograd.grad(found.sum(), share)
    torch.testing.assert_close(gradient[:, 0], (other - one)[:, 0].sum(-1))
    assert not gradient[:, 1].any()
    whole = compiled(TEXT).attention(q, k, v, g=torch.tensor([0.25, 0.5]), backend=backend)
    alike = torch.tensor([0.25, 0.5])[None, :, None].expand(2, 2, 12)
    assert whole.equal(compiled(TEXT).attention(q, k, v, g=alike, backend=backend))


def test_three_branches_have_a_weight_each() -> None:
    q, k, v = parts()
    weights = torch.rand(3, 2, 2, 12, dtype=torch.float64)
    found = compiled(THREE).attention(q, k, v, g=weights, backend="cpu")
    outs = [compiled(text).reference(q, k, v) for text in ("local(2)", "columns([0])", "full")]
    wanted = sum(out * weight[..., None] for out, weight in zip(outs, weights, strict=True))
    torch.testing.assert_close(found, wanted)


def test_padding_takes_the_weights_of_its_queries() -> None:
    q, k, v = parts()
    share = torch.rand(2, 2, 12, dtype=torch.float64)
    real = torch.arange(12) < torch.tensor([[12], [7]])
    pattern = Pattern.parse(TEXT)
    found = pattern.attention(q, k, v, g=share, key_padding=real)
    alone = pattern.attention(*(part[1:, :, :7] for part in (q, k, v)), g=share[1:, :, :7])
    torch.testing.assert_close(found[1:, :, :7], alone)


def test_another_number_of_queries_is_refused() -> None:
    with pytest.raises(ValueError, match=r"here \[2, 2, 12\]"):
        compiled(TEXT).attention(*parts(), g=torch.rand(2, 2, 11))
