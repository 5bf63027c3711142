"""The dense reference: a plain softmax at any size of the scores."""

from __future__ import annotations

import pytest
import torch

from tests.emit.dense import Tensor, compiled, draw

SCALES = [1e4, 1e6, 1e10, 1e18, 1e30]


def parts(dtype: torch.dtype = torch.float32) -> list[Tensor]:
    torch.manual_seed(0)
    return [draw(1, 2, 20, 16).to(dtype) for _ in range(3)]


def plain(q: Tensor, k: Tensor, v: Tensor, counts: Tensor, scale: float) -> Tensor:
    """The softmax of each pair's score, which counts so many times."""
    scores = ((q @ k.mT) * scale).masked_fill(counts == 0, -torch.inf)
    weights = counts * (scores - scores.amax(-1, keepdim=True)).exp()
    return (weights / weights.sum(-1, keepdim=True)) @ v


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("text", ["full", "mix(local(8), strided(4))", "mix(full, full, local(2))"])
def test_great_scores_are_a_plain_softmax(text: str, scale: float) -> None:
    q, k, v = parts()
    module = compiled(text)
    counts = module.multiplicity(20)
    found, lse = module.reference(q, k, v, scale=scale, return_lse=True)
    torch.testing.assert_close(found, plain(q, k, v, counts, scale), rtol=1e-5, atol=1e-6)
    assert lse.isfinite().all()
    assert module.reference(q, k, torch.ones_like(v), scale=scale).allclose(torch.ones_like(v))


@pytest.mark.parametrize("scale", SCALES)
def test_equal_great_scores_share_by_multiplicity(scale: float) -> None:
    q, _, v = parts()
    q, k = torch.ones_like(q), torch.ones_like(q)
    module = compiled("mix(local(8), strided(4))")
    counts = module.multiplicity(20).float()
    wanted = counts / counts.sum(-1, keepdim=True) @ v
    torch.testing.assert_close(module.reference(q, k, v, scale=scale), wanted)


@pytest.mark.parametrize("scale", SCALES)
def test_a_gate_of_great_scores_weighs_two_plain_softmaxes(scale: float) -> None:
    q, k, v = parts()
    share = torch.tensor([0.25, 0.75])
    module = compiled("gate(local(8), strided(4))")
    first, second = (
        plain(q, k, v, compiled(text).multiplicity(20), scale)
        for text in ("local(8)", "strided(4)")
    )
    wanted = first * (1 - share)[:, None, None] + second * share[:, None, None]
    found = module.reference(q, k, v, scale=scale, gate=share)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e4, 1e6, 1e18])
@pytest.mark.parametrize("backend", ["reference", "cpu", "triton"])
def test_a_sink_as_great_as_the_scores_takes_its_share(size: float, backend: str) -> None:
    """One key with the score `size` and a sink with that logit: half of the value."""
    q, k = torch.ones(1, 2, 1, 16), torch.full((1, 2, 1, 16), 1 / 16)
    v, sinks = torch.ones(1, 2, 1, 16), torch.full((2,), size)
    out = compiled("full with sink").attention(
        q, k, v, sinks=sinks, scale=size or 1e-30, backend=backend
    )
    torch.testing.assert_close(out, torch.full_like(out, 0.5))


@pytest.mark.parametrize("scale", [1.0, 1e6, 1e30])
def test_a_bias_of_minus_infinity_hides_a_pair_and_a_row_of_it_is_empty(scale: float) -> None:
    q, k, v = (part.requires_grad_() for part in parts())
    table = torch.zeros(2, 20, 20)
    table[:, :, 3], table[:, 5] = -torch.inf, -torch.inf
    counts = torch.ones(20, 20)
    counts[:, 3] = 0
    out = compiled("full with bias(table)").reference(q, k, v, table=table, scale=scale)
    rows = [row for row in range(20) if row != 5]
    torch.testing.assert_close(
        out[:, :, rows], plain(q, k, v, counts, scale)[:, :, rows], rtol=1e-5, atol=1e-6
    )
    assert (out[:, :, 5] == 0).all()
    gradients = torch.autograd.grad(out.sum(), (q, k, v))
    assert all(part.isfinite().all() for part in gradients)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_rows_without_keys_beside_a_sink_have_a_gradient_of_zero(backend: str) -> None:
    q, k, v = (part.double().requires_grad_() for part in parts())
    sinks = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    module = compiled(
        "heads 2\nallow empty\nhead == 0 -> (causal & columns([5:])) with sink\n"
        "else -> causal & columns([5:])"
    )
    out, lse = module.attention(q, k, v, sinks=sinks, backend=backend, return_lse=True)
    assert lse[:, 0, :5].eq(0).all()
    assert lse[:, 1, :5].eq(-torch.inf).all()
    loss = out.sum() + lse[:, :, 6:].sum() + lse[:, 0].sum()
    gradients = torch.autograd.grad(loss, (q, k, v, sinks))
    assert all(part.isfinite().all() for part in gradients)
    assert (gradients[0][:, :, :5] == 0).all()
