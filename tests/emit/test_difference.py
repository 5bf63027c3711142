"""`difference`: one softmax less another, each with its own queries and keys, on every backend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from patternc import Pattern
from tests.emit.dense import Tensor, compiled, draw

TEXT = "causal\ndifference(local(9), rows([:], projection=second), name=weight)"


def directly(q: Tensor, k: Tensor, v: Tensor, q2: Tensor, k2: Tensor, weight: Tensor) -> Tensor:
    i, j = torch.arange(q.shape[2])[:, None], torch.arange(q.shape[2])

    def softmax(rows: Tensor, keys: Tensor, held: Tensor) -> Tensor:
        return (rows @ keys.mT / 4).masked_fill(~held, -torch.inf).softmax(-1)

    near, far = softmax(q, k, (j <= i) & (j >= i - 9)), softmax(q2, k2, j <= i)
    return (near - weight[:, None, None] * far) @ v


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [("reference", torch.float64), ("cpu", torch.float64), ("triton", torch.float32)],
)
def test_outputs_and_gradients_are_those_of_the_formula(backend: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    leaves = [draw(2, 2, 40, 16).requires_grad_() for _ in range(5)]
    leaves.append(torch.tensor([0.4, 1.3], dtype=torch.float64, requires_grad=True))
    wanted = directly(*leaves)
    expected = torch.autograd.grad(wanted.square().sum(), leaves)
    own = [part.detach().to(dtype).requires_grad_() for part in leaves]
    q, k, v, q2, k2, weight = own
    given = {"second": (q2, k2, v), "weight": weight, "backend": backend}
    found = compiled(TEXT).attention(q, k, v, **given)
    gradients = torch.autograd.grad(found.square().sum(), own)
    bound = 1e-9 if dtype == torch.float64 else 1e-4
    for one, other in zip((found, *gradients), (wanted, *expected), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound)


def test_the_example_is_what_the_authors_module_computes() -> None:
    """Its heads 2 h and 2 h + 1 of queries and keys are one head here, and its second softmax."""
    path = Path(__file__).parents[1] / "oracles/outputs/differential.npz"
    held = {name: torch.from_numpy(part) for name, part in np.load(path).items()}
    q, k, v = leaves = [held[name].requires_grad_() for name in ("q", "k", "v")]
    given = {"second": (q[:, 1::2], k[:, 1::2], v), "weight": held["share"].expand(2)}
    out = Pattern.from_zoo("differential").attention(q[:, ::2], k[:, ::2], v, **given)
    found = torch.autograd.grad((out * held["weight"]).sum(), leaves)
    wanted = [held[name] for name in ("out", "dq", "dk", "dv")]
    for one, other in zip((out, *found), wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=2e-6)
