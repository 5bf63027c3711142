"""Which pairs dropout drops: others in every layer and branch, the same on every backend."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch

from patternc import Pattern
from tests.emit.dense import Tensor, compiled


def dropped(module: ModuleType, n: int = 40, backend: str = "cpu", **options: Any) -> Tensor:
    """Which weights of `full` are zero [heads, queries, keys], seen through values of one-hots."""
    q = torch.zeros(1, 2, n, 16)
    v = torch.eye(n).expand(1, 2, -1, -1)
    out = module.attention(q, q, v, dropout=0.5, seed=7, backend=backend, **options)
    return out[0] == 0


@pytest.mark.parametrize("header", ["", "layers 3\n"])
def test_layers_with_one_seed_drop_pairs_of_their_own(header: str) -> None:
    module = compiled(f"{header}full")
    first, second, third = (dropped(module, layer=layer) for layer in range(3))
    for one, other in [(first, second), (first, third), (second, third)]:
        # Independent keep masks agree on half of the pairs.
        assert 0.4 < (one == other).double().mean() < 0.6
    assert torch.equal(first, dropped(module, layer=0))
    for backend in ("reference", "triton"):
        assert torch.equal(second, dropped(module, layer=1, backend=backend))


def test_the_branches_of_a_combination_drop_pairs_of_their_own() -> None:
    """With one random number for both a pair would be in none or in both."""
    module = compiled("sum(full, full)")
    n = 40
    q, v = torch.zeros(1, 2, n, 16), torch.eye(n).expand(1, 2, -1, -1)
    for backend in ("cpu", "reference", "triton"):
        out = module.attention(q, q, v, dropout=0.5, seed=7, backend=backend)
        copies = (out * n / 2).round()
        shares = [(copies == times).double().mean() for times in (0, 1, 2)]
        torch.testing.assert_close(
            torch.stack(shares), torch.tensor([0.25, 0.5, 0.25]).double(), atol=0.05, rtol=0
        )


def test_rows_of_a_stream_drop_pairs_of_their_own() -> None:
    text = "local(1) + full on stream(g, 40)\n\nrows g\nfull + none on stream(g, 40)"
    module = Pattern.parse(text).module
    q, v = torch.zeros(1, 2, 40, 16), torch.eye(40).expand(1, 2, -1, -1)
    pair = torch.zeros(1, 2, 40, 16), torch.zeros_like(v)
    rows = [
        module.attention(q, q, v, rows="g", g_kv=pair, dropout=0.5, seed=7, backend=backend)
        for backend in ("cpu", "reference", "triton")
    ]
    assert torch.equal(rows[0] == 0, rows[1] == 0)
    assert torch.equal(rows[0] == 0, rows[2] == 0)
    tokens = dropped(compiled("full"))
    assert 0.4 < ((rows[0][0] == 0) == tokens).double().mean() < 0.6


def test_gradients_drop_the_pairs_of_their_layer() -> None:
    module = compiled("layers 2\nsum(local(9), full with alibi)")
    torch.manual_seed(0)
    parts = [torch.randn(1, 2, 30, 16, dtype=torch.float64) for _ in range(3)]

    def gradients(backend: str, dtype: torch.dtype) -> list[Tensor]:
        leaves = [part.to(dtype).requires_grad_() for part in parts]
        out = module.attention(*leaves, layer=1, dropout=0.3, seed=3, backend=backend)
        return [out, *torch.autograd.grad(out.square().sum(), leaves)]

    wanted = gradients("reference", torch.float64)
    for backend, dtype, bound in [("cpu", torch.float64, 1e-9), ("triton", torch.float32, 5e-5)]:
        for one, other in zip(gradients(backend, dtype), wanted, strict=True):
            torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound)


@pytest.mark.parametrize("text", ["full", "gate(local(3), full, name=share)"])
def test_a_seed_that_is_a_tensor_drops_what_the_number_does(text: str) -> None:
    module = compiled(text)
    given = {"share": torch.rand(2)} if module.INPUTS else {}
    parts = [torch.randn(1, 2, 20, 16, requires_grad=True) for _ in range(3)]
    for backend in ("cpu", "reference", "triton"):
        found = []
        for seed in (4_000_000_000, torch.tensor([4_000_000_000])):
            options: dict[str, Any] = {"dropout": 0.4, "seed": seed, "backend": backend}
            out = module.attention(*parts, **options, **given)
            found.append((out, *torch.autograd.grad(out.square().sum(), parts)))
        assert all(map(torch.equal, *found))


def test_a_seed_is_drawn_by_the_device_where_a_call_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, part = compiled("full"), torch.randn(1, 2, 20, 16)
    monkeypatch.setattr(module, "_is_capturing", lambda _device: True)
    _, seed = module._checked_dropout(0.5, None, part)
    assert isinstance(seed, torch.Tensor)
    lists = compiled("causal & same(document)")
    monkeypatch.setattr(lists, "_is_capturing", lambda _device: True)
    document = torch.arange(20) // 7
    with pytest.raises(RuntimeError, match="capture of a CUDA graph cannot look at values"):
        lists.attention(part, part, part, document=document, backend="triton")
