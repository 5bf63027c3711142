"""`project` and convolved pools: the ways to share weights, against linformer-pytorch 0.19.3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.emit.dense import Tensor, compiled, draw

RECORDED = Path(__file__).parents[1] / "oracles" / "outputs"
# Program, name of its weights, and how the recorded ones [heads or 1, 2 or 1, ..] are given.
CASES: dict[str, tuple[str, str, Any]] = {
    "none": ("full on project(6)", "project_weights", lambda w: tuple(w.unbind(1))),
    "headwise": ("full on project(6)", "project_weights", lambda w: tuple(w[0])),
    "kv": ("full on project(6)", "project_weights", lambda w: w[0, 0]),
    "fixed": ("full on project(6)", "project_weights", lambda w: tuple(w[0])),
    "convolution": ("full on pool(4, convolution)", "pool_kernels", lambda w: tuple(w[0])),
}


@pytest.mark.parametrize("name", CASES)
def test_shared_weights_are_those_of_linformer_pytorch(name: str) -> None:
    text, given, made = CASES[name]
    with np.load(RECORDED / f"linformer_{name}.npz") as file:
        held = {key: torch.from_numpy(file[key]) for key in file.files}
    for backend in ("reference", "cpu"):
        leaves = [held[key].clone().requires_grad_() for key in "qkv"]
        inputs = {given: made(held["directions"])}
        found = compiled(text).attention(*leaves, backend=backend, **inputs)
        gradients = torch.autograd.grad((found * held["weight"]).sum(), leaves)
        for one, other in zip((found, *gradients), ("out", "dq", "dk", "dv"), strict=True):
            torch.testing.assert_close(one, held[other], rtol=1e-5, atol=1e-5)


def attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    found: Tensor = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    return found


def test_drawn_weights_have_their_variance_and_do_not_depend_on_n() -> None:
    module = compiled("full on project(8, seed=5)")
    torch.manual_seed(0)
    q, k, v = (draw(1, 2, 50, 16) for _ in range(3))
    weights = module._drawn_weights(8, 50, 5)
    for backend in ("reference", "cpu"):
        found = module.attention(q, k, v, backend=backend)
        torch.testing.assert_close(found, attended(q, weights @ k, weights @ v))
    assert weights[:, :20].equal(module._drawn_weights(8, 20, 5))
    assert not weights.allclose(module._drawn_weights(8, 50, 6))
    many = module._drawn_weights(8, 4000, 5)
    assert abs(many.mean()) < 0.01
    assert abs(many.square().mean() * 8 - 1) < 0.04


@pytest.mark.parametrize("n", [3, 4, 11])
def test_a_convolution_has_a_slot_for_each_whole_window_that_is_available(n: int) -> None:
    module = compiled("causal\nlocal(0) + full on pool(4, convolution, stride=3)")
    torch.manual_seed(0)
    q, k, v = (draw(1, 2, n, 16) for _ in range(3))
    kernel = draw(16, 16, 4)
    slots = [
        torch.einsum("bhjc,ocj->bho", part[:, :, first : first + 4], kernel)
        for part in (k, v)
        for first in range(0, n - 3, 3)
    ]
    count = len(slots) // 2
    keys, values = (
        torch.stack(part, 2) if count else k[:, :, :0] for part in (slots[:count], slots[count:])
    )
    rows = []
    for i in range(n):
        seen = sum(3 * slot + 4 <= i + 1 for slot in range(count))
        own = [
            torch.cat([part[:, :, [i]], more[:, :, :seen]], 2)
            for part, more in ((k, keys), (v, values))
        ]
        rows.append(attended(q[:, :, [i]], *own))
    for backend in ("reference", "cpu"):
        found = module.attention(q, k, v, pool_kernels=kernel, backend=backend)
        torch.testing.assert_close(found, torch.cat(rows, 2))


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (torch.zeros(6, 11), r"expected for keys .* here \[6, 12\]"),
        (torch.zeros(3, 6, 12), r"here \[2, 6, 12\]"),
        ((torch.zeros(6, 12),) * 3, "expected a tensor"),
    ],
)
def test_weights_of_other_sizes_are_refused(weights: Any, said: str) -> None:
    q = torch.zeros(1, 2, 12, 8)
    with pytest.raises((ValueError, TypeError), match=said):
        compiled("full on project(6)").attention(q, q, q, project_weights=weights)
