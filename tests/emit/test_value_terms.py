"""Vectors that are added to values by distance: backends agree, and equal published modules.

All tests are cheap: they share a module for each program.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from tests.emit.dense import Tensor, compiled, draw

RECORDED = Path(__file__).parents[1] / "oracles" / "outputs"
N, DIM = 40, 16
VECTORS = {name: draw(7, DIM) for name in ("relative_keys", "relative_values")}
BACKENDS = [("reference", torch.float64), ("cpu", torch.float64), ("triton", torch.float32)]


def graded(module: ModuleType, backend: str, dtype: torch.dtype, **options: Any) -> list[Tensor]:
    """The output, its lse, and the gradients of q, k, v and the vectors."""
    torch.manual_seed(0)
    leaves = [draw(1, heads, N, DIM).to(dtype).requires_grad_() for heads in (2, 1, 1)]
    q, k, v = leaves
    q = q[:, :, 5:]
    given = {
        name: value.to(dtype).requires_grad_()
        for name, value in VECTORS.items()
        if name in module.INPUTS
    }
    sets = {"valid": torch.arange(N) < N - 9} if "valid" in module.INPUTS else {}
    options = {"return_lse": True, **options}
    found = module.attention(q, k, v, backend=backend, **given, **sets, **options)
    out, *lse = found if options["return_lse"] else (found,)
    weight = torch.linspace(-1, 1, out.numel()).view(out.shape).to(dtype)
    return [out, *lse, *torch.autograd.grad((out * weight).sum(), [*leaves, *given.values()])]


PROGRAMS = {
    "alone": "full with relative_values(3)",
    "with scores": "(local(9) & columns(valid)) with relative(3) with relative_values(3)",
    "causal, some rows without keys": "allow empty\ncausal\n"
    "(local(9) & rows([20:])) with relative_values(3) with softcap(2)",
    "of one term": "local(3) with relative_values(3) + full",
    "classes": "strided(3) with relative_values(3)",
    "mix": "mix(local(9) with relative_values(3), full)",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_backends_agree(name: str) -> None:
    module = compiled(PROGRAMS[name])
    for options in ({}, {"dropout": 0.3, "seed": 5})[: 2 if name == "with scores" else 1]:
        wanted, *others = (graded(module, *backend, **options) for backend in BACKENDS)
        for found in others:
            for one, other in zip(found, wanted, strict=True):
                torch.testing.assert_close(one.double(), other, rtol=2e-4, atol=2e-4)


def test_of_branches_that_a_sum_joins_each_has_its_own() -> None:
    text = "sum(local(9) with relative_values(3), full)"
    found = [graded(compiled(text), *backend, return_lse=False) for backend in BACKENDS]
    apart = [compiled(part) for part in ("local(9) with relative_values(3)", "full")]
    wanted = sum(graded(module, *BACKENDS[0])[0] for module in apart)
    for each in found:
        torch.testing.assert_close(each[0].double(), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["full", "causal"])
def test_outputs_and_gradients_are_those_of_opennmt(name: str) -> None:
    with np.load(RECORDED / f"shaw_{name}.npz") as file:
        held = {key: torch.from_numpy(file[key]) for key in file.files}
    for backend, dtype in BACKENDS:
        leaves = [held[key].to(dtype).requires_grad_() for key in ("q", "k", "v", "vectors")]
        # It has one table for both.
        given = dict.fromkeys(("relative_keys", "relative_values"), leaves[3])
        module = compiled(f"{name} with relative(3) with relative_values(3)")
        found = module.attention(*leaves[:3], backend=backend, **given)
        gradients = torch.autograd.grad((found * held["weight"].to(dtype)).sum(), leaves)
        wanted = ("out", "dq", "dk", "dv", "dvectors")
        for one, other in zip((found, *gradients), wanted, strict=True):
            torch.testing.assert_close(one.double(), held[other], rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("n", [3, 20])
def test_vits_has_no_vectors_outside_its_window(n: int) -> None:
    """Transformers' module whole: pairs farther than the window have neither term."""
    vits = pytest.importorskip("transformers.models.vits.modeling_vits")
    config = pytest.importorskip("transformers").VitsConfig(
        hidden_size=32, num_attention_heads=2, window_size=4, attention_dropout=0.0
    )
    torch.manual_seed(0)
    layer = vits.VitsAttention(config).double().eval()
    states = draw(2, n, 32).requires_grad_()
    wanted, _ = layer(states)
    q, k, v = (
        part(states).unflatten(2, (2, 16)).transpose(1, 2)
        for part in (layer.q_proj, layer.k_proj, layer.v_proj)
    )
    keys, values = layer.emb_rel_k[0], layer.emb_rel_v[0]
    module = compiled("local(4) with relative(4) with relative_values(4) + full")
    found = module.attention(q, k, v, relative_keys=keys, relative_values=values, backend="cpu")
    found = layer.out_proj(found.transpose(1, 2).flatten(2))
    torch.testing.assert_close(found, wanted)
    leaves = [states, layer.emb_rel_k, layer.emb_rel_v]
    gradients = [torch.autograd.grad(out.square().sum(), leaves) for out in (found, wanted)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_keys_that_no_row_sees_change_nothing() -> None:
    module, given = compiled("columns([:28]) with relative_values(3)"), VECTORS["relative_values"]
    q, k, v = (draw(1, 2, N, DIM) for _ in range(3))
    odd = [part.index_fill(2, torch.tensor([30, 39]), torch.nan) for part in (k, v)]
    for backend, dtype in BACKENDS:
        outs = []
        for parts in ((k, v), odd):
            leaves = [part.to(dtype).requires_grad_() for part in (q, *parts, given)]
            out = module.attention(*leaves[:3], relative_values=leaves[3], backend=backend)
            outs.append([out, *torch.autograd.grad(out.square().sum(), leaves)])
        for one, other in zip(*outs, strict=True):
            torch.testing.assert_close(one, other)


def test_vectors_have_the_size_of_values() -> None:
    module = compiled("full with relative_values(3)")
    q, k, v = draw(1, 2, 5, DIM), draw(1, 2, 5, DIM), draw(1, 2, 5, 8)
    out = module.attention(q, k, v, relative_values=draw(7, 8), backend="cpu")
    assert out.shape == (1, 2, 5, 8)
    with pytest.raises(ValueError, match=r"^relative_values has shape \[7, 16\]; expected "):
        module.attention(q, k, v, relative_values=draw(7, 16), backend="cpu")
