"""Tables that pairs look into, and softcap: all kinds of predicates, caps of all sizes."""

from __future__ import annotations

import pytest
import torch

from tests.emit.dense import Tensor, compiled, draw

N = 40
PAIRS = {
    "columns up to a number": "columns([:n - 4])",
    "columns at both ends": "columns([:5]) + columns([n - 3:])",
    "columns and rows": "columns([:n - 4]) & rows([3:])",
    "a run-time set": "columns(valid) & columns([:n - 4])",
    "classes": "strided(3)",
}
MODIFIERS = {
    "t5": "t5(8, 32, name=s)",
    "relative": "relative(4)",
    "bias": "bias(b)",
    "distances": "distance_aware",
}
TABLES = {
    "s": torch.linspace(-1, 1, 16).view(8, 2).double(),
    "relative_keys": torch.linspace(-1, 1, 9 * 16).view(9, 16).double(),
    "b": torch.linspace(-1, 1, 2 * N * N).view(2, N, N).double(),
    "distance_alpha": torch.tensor([0.5, 0.3]).double(),
    "distance_beta": torch.tensor([0.2, 0.4]).double(),
}


def graded(text: str, dtype: torch.dtype, backend: str) -> list[Tensor]:
    """The output, its lse, and the gradients of q, k, v and the tables."""
    module = compiled(text)
    torch.manual_seed(1)
    parts = [draw(1, 2, N, 16).to(dtype).requires_grad_() for _ in range(3)]
    given = {
        name: value.to(dtype).requires_grad_()
        for name, value in TABLES.items()
        if name in module.INPUTS
    }
    sets = {"valid": torch.arange(N) < N - 9} if "valid" in module.INPUTS else {}
    out, lse = module.attention(*parts, backend=backend, return_lse=True, **given, **sets)
    return [out, lse, *torch.autograd.grad(out.square().sum(), [*parts, *given.values()])]


@pytest.mark.parametrize("modifier", MODIFIERS)
@pytest.mark.parametrize("pairs", PAIRS)
def test_tables_have_their_gradients_under_every_kind_of_predicate(
    pairs: str, modifier: str
) -> None:
    text = f"allow empty\n({PAIRS[pairs]}) with {MODIFIERS[modifier]}"
    wanted = graded(text, torch.float64, "reference")
    for one, other in zip(graded(text, torch.float32, "triton"), wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", ["cpu", "triton"])
@pytest.mark.parametrize("cap", [1e-3, 0.1, 1.0, 50.0, 1e4, 1e6])
def test_softcap_loses_no_digits_of_scores_far_below_the_cap(cap: float, backend: str) -> None:
    text = f"full with softcap({cap:f})"
    wanted = graded(text, torch.float64, "reference")
    for one, other in zip(graded(text, torch.float32, backend), wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-5)


def test_the_smaller_share_of_a_gate_keeps_its_digits_in_bfloat16() -> None:
    module = compiled("gate(local(3), full on memory(4), name=g)")
    q, k, v = (draw(1, 2, N, 16).bfloat16() for _ in range(3))
    gate, nothing = torch.tensor([0.999, 0.9995]), torch.zeros(1, 2, 4, 16).bfloat16()
    found = module.attention(q, k, v, g=gate, memory_kv=(nothing, nothing), backend="cpu")
    part = compiled("local(3)").attention(q, k, v, backend="cpu").float()
    wanted = (1 - gate)[:, None, None] * part
    torch.testing.assert_close(found.float(), wanted, rtol=0.02, atol=1e-6)
