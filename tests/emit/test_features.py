"""`features`: products of features, by direct evaluation and by published implementations."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from patternc import Pattern
from tests.compiled import module_of_pattern
from tests.emit.dense import Tensor, draw

DIM, COUNT = 8, 32
BACKENDS = [("reference", torch.float64), ("cpu", torch.float64), ("triton", torch.float32)]
# Of the first direction for seed 3 and layer 2.
FIRST = [-0.6728348904805, -1.6593998227521, -0.1699608639104]
RECORDED = Path(__file__).parents[1] / "oracles" / "outputs"


@cache
def compiled(text: str) -> ModuleType:
    return module_of_pattern(Pattern.parse(text))


def program(kind: str, causal: bool, more: str = "") -> str:
    count = "" if kind == "elu" else f"{COUNT}, "
    return f"{'causal' * causal}\nfeatures({count}map={kind}{more})"


def features_of(kind: str, x: Tensor, directions: Tensor | None) -> Tensor:
    """The published formulas; softmax features of q and k that are divided by sqrt(sqrt(d))."""
    if kind == "elu" or directions is None:
        return torch.where(x > 0, x + 1, x.exp())
    if kind == "rfa":
        turned = (x / (x.norm(dim=-1, keepdim=True) + 1e-3)) @ directions.mT
        return torch.cat([turned.sin(), turned.cos()], -1) / directions.shape[0] ** 0.5
    x = x * DIM**-0.25
    return (x @ directions.mT - x.square().sum(-1, keepdim=True) / 2).exp()


def directly(
    kind: str, parts: list[Tensor], directions: Tensor | None, causal: bool, gates: Tensor | None
) -> Tensor:
    """Row by row, the recurrence of Peng et al. (section 3.1) written out where there are gates."""
    q, k, v = parts[:3]
    phi_q, phi_k = (features_of(kind, x, directions) for x in (q, k))
    rows, first = [], k.shape[2] - q.shape[2]
    for row in range(q.shape[2]):
        stop = first + row + 1 if causal else k.shape[2]
        if stop <= 0:
            rows.append(torch.zeros_like(v[:, :, 0]))
            continue
        weights = (phi_q[:, :, row, None] * phi_k[:, :, :stop]).sum(-1)
        if gates is not None:
            kept = [gates[:, :, j + 1 : stop].prod(-1) for j in range(stop)]
            weights = weights * torch.stack(kept, -1) * (1 - gates[:, :, :stop])
        total = weights.sum(-1, keepdim=True)
        total = total.abs().clamp(min=1e-3) if kind == "rfa" else total
        rows.append((weights[..., None] * v[:, :, :stop]).sum(2) / total)
    return torch.stack(rows, 2)


def sample(n: int, queries: int | None = None, heads: int = 2) -> list[Tensor]:
    torch.manual_seed(0)
    sizes = (n if queries is None else queries, n, n)
    parts = [draw(1, heads, rows, DIM) for rows in sizes]
    return [*parts, torch.rand(1, heads, n, dtype=torch.float64) * 0.9 + 0.05]


def drawn(module: ModuleType, kind: str, seed: int = 0) -> Tensor | None:
    count = {"favor": COUNT, "rfa": COUNT // 2, "elu": 0}[kind]
    if not count:
        return None
    found: Tensor = module.feature_directions(count, DIM, seed=seed, orthogonal=kind == "favor")
    return found


CASES = [
    ("favor", False, False),
    ("rfa", False, False),
    ("elu", False, False),
    ("favor", True, False),
    ("rfa", True, True),
    ("elu", True, True),
]


@pytest.mark.parametrize(("kind", "causal", "gated"), CASES)
def test_outputs_and_gradients_are_those_of_the_formulas(
    kind: str, causal: bool, gated: bool
) -> None:
    module = compiled(program(kind, causal, ", gate=g" * gated))
    *parts, gates = sample(150)
    leaves = [part.requires_grad_() for part in (*parts, *([gates] if gated else []))]
    wanted = directly(kind, leaves, drawn(module, kind), causal, gates if gated else None)
    weight = torch.randn_like(wanted)
    expected = torch.autograd.grad((wanted * weight).sum(), leaves)
    for backend, dtype in BACKENDS:
        own = [part.detach().to(dtype).requires_grad_() for part in leaves]
        inputs = {"g": own[3]} if gated else {}
        found = module.attention(*own[:3], backend=backend, **inputs)
        tight = {"rtol": 1e-9, "atol": 1e-9}
        bound = tight if dtype == torch.float64 else {"rtol": 2e-3, "atol": 2e-4}
        torch.testing.assert_close(found.double(), wanted, **bound)
        gradients = torch.autograd.grad((found * weight.to(dtype)).sum(), own)
        for one, other in zip(gradients, expected, strict=True):
            scale = other.abs().max()
            torch.testing.assert_close(one.double() / scale, other / scale, **bound)


@pytest.mark.parametrize("queries", [0, 1, 40, 70])
def test_other_numbers_of_queries_than_keys(queries: int) -> None:
    for text, kind, causal in (("favor", "favor", True), ("elu", "elu", False)):
        module = compiled(program(text, causal, ", gate=g" * causal))
        *parts, gates = sample(60, queries)
        inputs = {"g": gates} if causal else {}
        directions = drawn(module, kind)
        gated = gates if causal else None
        wanted = directly(kind, parts, directions, causal, gated) if queries else parts[0]
        for backend in ("reference", "cpu"):
            found = module.attention(*parts, backend=backend, **inputs)
            torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("text", [program("favor", True), program("rfa", True, ", gate=g")])
def test_a_state_is_the_sum_over_the_tokens_before(text: str) -> None:
    module = compiled(text)
    q, k, v, gates = sample(90)
    gated = "gate" in text
    whole = module.attention(q, k, v, backend="cpu", **({"g": gates} if gated else {}))
    state, outs = None, []
    for first, stop in ((0, 50), (50, 51), (51, 52), (52, 90)):
        q1, k1, v1, g1 = (part[:, :, first:stop] for part in (q, k, v, gates))
        inputs = {"g": g1} if gated else {}
        given: dict[str, Any] = {"feature_state": state, **inputs}
        outs.append(module.attention(q1, k1, v1, backend="cpu", **given))
        dense = module.attention(q1, k1, v1, backend="reference", **given)
        torch.testing.assert_close(outs[-1], dense)
        state = module.feature_state(k1, v1, **given)
    torch.testing.assert_close(torch.cat(outs, 2), whole)
    if gated:
        return
    (sums, unit), *rest = state
    phi = features_of("favor", k, drawn(module, "favor"))
    ones = torch.nn.functional.pad(v, (0, 1), value=1.0)
    assert not rest
    torch.testing.assert_close(sums * unit.exp()[..., None, None], phi.mT @ ones)


def test_the_error_of_softmax_features_falls_with_their_root_and_its_mean_vanishes() -> None:
    """256 seeds; four times the features halve the error, and the mean of all is far closer.

    What is unbiased is the kernel; the ratio of two sums has a bias of the order 1/features.
    """
    module = compiled(program("favor", False))
    q, k = (part[0, 0] / 4 for part in sample(12)[:2])
    exact = (q @ k.mT * DIM**-0.5).exp()
    errors = []
    for count in (16, 64, 256):
        estimates = []
        for seed in range(256):
            directions = module.feature_directions(count, DIM, seed=seed)
            phi_q, phi_k = (features_of("favor", x, directions) for x in (q, k))
            estimates.append(phi_q @ phi_k.mT / count)
        relative = torch.stack(estimates) / exact - 1
        errors.append(relative.square().mean().sqrt().item())
        # Of 144 means of 256 estimates none is beyond 4.5 standard deviations of a mean.
        deviation = relative.std(0) / 16
        assert (relative.mean(0).abs() < 4.5 * deviation).all()
    assert 1.7 < errors[0] / errors[1] < 2.3
    assert 1.7 < errors[1] / errors[2] < 2.3


def test_directions_are_orthogonal_and_the_same_everywhere() -> None:
    module = compiled(program("favor", False))
    found = module.feature_directions(20, DIM, seed=3, layer=2)
    for block in found.split(DIM):
        products = block @ block.mT
        torch.testing.assert_close(products, products.diagonal().diag())
    torch.testing.assert_close(found[0, :3].tolist(), FIRST, rtol=0, atol=1e-12)
    assert not found.allclose(module.feature_directions(20, DIM, seed=4, layer=2))
    assert not found.allclose(module.feature_directions(20, DIM, seed=3, layer=1))
    every = module.feature_directions(4000, DIM, seed=5)
    assert every.mean().abs() < 0.03
    assert (every.square().mean() - 1).abs() < 0.04


@pytest.mark.parametrize("kind", ["performer", "rfa", "elu"])
@pytest.mark.parametrize("causal", [False, True])
def test_published_implementations_give_the_same(kind: str, causal: bool) -> None:
    with np.load(RECORDED / f"features_{kind}_{'causal' if causal else 'full'}.npz") as file:
        held = {name: torch.from_numpy(file[name]) for name in file.files}
    named = {"performer": ("favor", 20), "rfa": ("rfa", 32), "elu": ("elu", 0)}[kind]
    text = f"{'causal' * causal}\nheads 2\nfeatures({named[1]}, map={named[0]}, matrix=w)"
    text = text.replace("0, map=elu, matrix=w", "map=elu") if kind == "elu" else text
    inputs = {} if kind == "elu" else {"w": held["directions"]}
    for backend in ("reference", "cpu"):
        leaves = [held[name].clone().requires_grad_() for name in "qkv"]
        found = compiled(text).attention(*leaves, backend=backend, **inputs)
        gradients = torch.autograd.grad((found * held["weight"]).sum(), leaves)
        wanted = [held[name] for name in ("out", "dq", "dk", "dv")]
        for one, other in zip((found, *gradients), wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_heads_gates_and_sums_join_features_with_softmaxes() -> None:
    text = (
        "causal\nheads 3\nhead == 0 -> features(32, map=favor)\n"
        "head == 1 -> gate(local(3), features(map=elu), name=g)\nelse -> local(3)"
    )
    module = compiled(text)
    q, k, v, _ = sample(40, heads=3)
    share = torch.tensor([0.5, 0.25, 0.5], dtype=torch.float64)
    window = compiled("causal\nlocal(3)").reference(q, k, v)
    favor = directly("favor", [q, k, v], drawn(module, "favor"), True, None)
    elu = directly("elu", [q, k, v], None, True, None)
    wanted = torch.stack([favor[:, 0], 0.75 * window[:, 1] + 0.25 * elu[:, 1], window[:, 2]], 1)
    for backend in ("reference", "cpu"):
        torch.testing.assert_close(module.attention(q, k, v, g=share, backend=backend), wanted)
    assert module.mask(5)[0].equal(torch.ones(5, 5, dtype=torch.bool).tril())


def test_key_heads_are_shared_and_matrices_may_differ_by_head() -> None:
    module = compiled("features(16, map=favor, matrix=w)")
    q, k, v, _ = sample(20, heads=4)
    k, v = k[:, :2], v[:, :2]
    matrix = draw(4, 16, DIM).requires_grad_()
    found = module.attention(q, k, v, w=matrix, backend="cpu")
    for head in range(4):
        one = [q[:, [head]], k[:, [head // 2]], v[:, [head // 2]]]
        wanted = directly("favor", one, matrix[head], False, None)
        torch.testing.assert_close(found[:, [head]], wanted)
    assert torch.autograd.grad(found.sum(), matrix)[0].isfinite().all()


def test_padding_and_odd_keys_reach_no_other_row() -> None:
    pattern = Pattern.parse(program("favor", True))
    q, k, v, _ = sample(30)
    alone = pattern.attention(q[:, :, :20], k[:, :, :20], v[:, :, :20])
    real = torch.arange(30)[None] < 20
    found = pattern.attention(q, k, v, key_padding=real)
    torch.testing.assert_close(found[:, :, :20], alone)
    for backend in ("reference", "cpu"):
        broken = k.clone()
        broken[:, 0, 20] = torch.inf
        found = compiled(program("favor", True)).attention(q, broken, v, backend=backend)
        torch.testing.assert_close(found[:, :, :20], alone)
        assert found[:, 0, 20:].isnan().all()
        assert found[:, 1].isfinite().all()


def test_derivatives_are_those_of_differences() -> None:
    module = compiled(program("favor", True, ", gate=g"))
    torch.manual_seed(1)
    parts = [draw(1, 1, 6, 3).requires_grad_() for _ in range(3)]
    gates = torch.rand(1, 1, 6, dtype=torch.float64).requires_grad_()

    def attend(q: Tensor, k: Tensor, v: Tensor, g: Tensor) -> Tensor:
        out: Tensor = module.attention(q, k, v, g=g, backend="cpu")
        return out

    assert torch.autograd.gradcheck(attend, (*parts, gates))


REFUSED = {
    "lse": ("return_lse=True: this layer has `features`", {"return_lse": True}),
    "dropout": ("dropout=0.5: this layer has `features`", {"dropout": 0.5}),
    "scale": ("the map elu has none", {"scale": 0.5}),
    "state": ("this layer has terms without features", {"feature_state": ()}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_features_do_not_have_is_refused(name: str) -> None:
    said, asked = REFUSED[name]
    module = compiled("causal\nsum(features(map=elu), local(3))")
    with pytest.raises(ValueError, match=said):
        module.attention(*sample(10)[:3], **asked)


@pytest.mark.parametrize("wrong", [-0.1, 1.5, float("nan")])
def test_a_gate_outside_zero_to_one_is_refused(wrong: float) -> None:
    module = compiled(program("elu", True, ", gate=g"))
    q, k, v, gates = sample(10)
    gates[0, 0, 3] = wrong
    with pytest.raises(ValueError, match="g has numbers outside 0 to 1"):
        module.attention(q, k, v, g=gates)


@pytest.mark.parametrize(
    "text", ["features(16, map=favor, same=doc)", "causal\nfeatures(map=elu, same=doc)"]
)
def test_documents_have_sums_of_their_own(text: str) -> None:
    """As each document by itself, whatever others hold; few queries; a negative label is none."""
    module, alone = compiled(text), compiled(text.replace(", same=doc", ""))
    n, few = 150, 20
    torch.manual_seed(0)
    for labels in (torch.arange(n)[None] // 40, torch.randint(-1, 3, (2, n))):
        parts = [torch.randn(2, 2, n, DIM, dtype=torch.float64) for _ in range(3)]
        leaves, rows = [part.requires_grad_() for part in parts], []
        for element, of in enumerate(labels.expand(2, n)):
            rows.append(torch.zeros(2, n, DIM, dtype=torch.float64))
            for label in of[of >= 0].unique():
                at = (of == label).nonzero()[:, 0]
                own = [part[element : element + 1, :, at] for part in leaves]
                (found,) = alone.attention(*own, backend="reference")
                rows[-1] = rows[-1].index_add(1, at, found)
        wanted = torch.stack(rows)[:, :, few:]
        expected = torch.autograd.grad(wanted.square().sum(), leaves)
        for backend, dtype in BACKENDS:
            mine = [part.detach().to(dtype).requires_grad_() for part in leaves]
            q, k, v = mine
            found = module.attention(q[:, :, few:], k, v, doc=labels, backend=backend)
            gradients = torch.autograd.grad(found.square().sum(), mine)
            bound = 1e-9 if dtype == torch.float64 else 1e-3
            for one, other in zip((found, *gradients), (wanted, *expected), strict=True):
                scale = other.abs().max()
                torch.testing.assert_close(one.double() / scale, other / scale, rtol=0, atol=bound)
    odd = [part.detach().clone() for part in leaves]
    odd[1][:, :, 45] = torch.nan
    found = module.attention(*odd, doc=torch.arange(n) // 40, backend="cpu")
    spoilt = found.isnan().any(-1).any(1)[0].nonzero()[:, 0]
    assert spoilt.tolist() == list(range(45 if "causal" in text else 40, 80))
    with pytest.raises(ValueError, match="sums of each document"):
        module.feature_state(odd[1], odd[2], doc=torch.arange(n) // 40)
