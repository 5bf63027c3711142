"""Score modifiers and dropout in C: the reference's results and gradients, for any threads.

The texts hold every modifier of scores, on tokens, on a pool and by positions of the call.
"""

from __future__ import annotations

from types import ModuleType

import pytest
import torch

from tests.emit.test_cpu import module_of
from tests.emit.test_native import natively, needs_compiler
from tests.emit.test_native_gradients import threads

pytestmark = needs_compiler
N, HEADS, SIZE = 150, 3, 24
TEXTS = {
    "functions of the score": "local(20) with softcap(3) with distance_aware with softspan(4, z=z)",
    "entries at distances": "local(30) with relative(4) with t5(8, 16)",
    "numbers of queries": "causal with xl_relative with dynamic_span(4, z=far)",
    "positions of the call": "local(30) with alibi(position=place) with bias(b)",
    "windows of a pool": "local(9) with alibi + full on pool(4, mean, tail=merge) with alibi",
}
BOUNDS = {torch.float32: 2e-5, torch.bfloat16: 3e-2, torch.float64: 1e-13}
# Functions of float64 are others than those of float32; what looks up entries is the same.
CASES = [(name, dtype) for name in TEXTS for dtype in (torch.float32, torch.bfloat16)]
CASES += [("functions of the score", torch.float64)]
Tensor = torch.Tensor


def drawn(module: ModuleType, dtype: torch.dtype) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Queries, keys and values, and the inputs."""
    torch.manual_seed(5)
    shapes = {
        **dict.fromkeys(["distance_alpha", "distance_beta", "z"], (HEADS,)),
        "far": (2, HEADS, N),
        "t5_bias": (8, HEADS),
        "relative_keys": (9, SIZE),
        "xl_u": (HEADS, SIZE),
        "xl_v": (HEADS, SIZE),
        "xl_r": (N, HEADS, SIZE),
        "b": (HEADS, N, N),
        "place": (N,),
    }
    exact = dtype if dtype == torch.float64 else torch.float32
    asked = [name for name in shapes if name in module.INPUTS]
    given = {name: torch.randn(shapes[name], dtype=exact) for name in asked}
    for name in {"z", "far"} & set(given):
        given[name] = given[name].abs() * 6
    if "place" in given:
        given["place"] = torch.randint(0, 40, (N,)).cumsum(0)
    return [torch.randn(2, HEADS, N, SIZE, dtype=dtype) for _ in range(3)], given


def graded(
    module: ModuleType, parts: list[Tensor], given: dict[str, Tensor], **options: object
) -> list[Tensor]:
    """out, lse, and gradients of all that has them."""
    leaves = [part.detach().requires_grad_() for part in parts]
    held = {name: x.detach().requires_grad_(x.is_floating_point()) for name, x in given.items()}
    out, lse = module.attention(*leaves, return_lse=True, **held, **options)
    torch.manual_seed(3)
    weights = torch.randn(out.shape), torch.randn(lse.shape).masked_fill(lse.isinf(), 0)
    learned = [*leaves, *(x for x in held.values() if x.requires_grad)]
    pulled = [some.to(x.dtype) for some, x in zip(weights, (out, lse), strict=True)]
    return [out, lse, *torch.autograd.grad([out, lse], learned, pulled)]


@pytest.mark.parametrize(("name", "dtype"), CASES)
@pytest.mark.parametrize("options", [{}, {"dropout": 0.3, "seed": 4}], ids=["all", "some"])
def test_modified_scores_are_those_of_the_reference(
    name: str, dtype: torch.dtype, options: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of(TEXTS[name])
    parts, given = drawn(module, dtype)
    taken = natively(module, monkeypatch)
    differentiated = natively(module, monkeypatch, "_differentiate_natively")
    with threads(1):
        found = graded(module, parts, given, backend="cpu", **options)
    assert taken
    assert differentiated
    with threads(3):
        others = graded(module, parts, given, backend="cpu", **options)
    high = {name: x.double() if x.is_floating_point() else x for name, x in given.items()}
    exact = [part.double() for part in parts]
    wanted = graded(module, exact, high, backend="reference", **options)
    bound = BOUNDS[dtype]
    for one, other, same in zip(found, wanted, others, strict=True):
        assert torch.equal(one, same)
        size = float(other.detach()[other.isfinite()].abs().max())
        torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound * (1 + size))


def test_gradients_are_the_same_where_tables_ask_none() -> None:
    module = module_of(TEXTS["entries at distances"])
    parts, given = drawn(module, torch.float32)
    wanted = graded(module, parts, given)
    leaves = [part.detach().requires_grad_() for part in parts]
    out, lse = module.attention(*leaves, return_lse=True, **given)
    torch.manual_seed(3)
    pulled = [torch.randn(out.shape), torch.randn(lse.shape)]
    for one, other in zip(
        torch.autograd.grad([out, lse], leaves, pulled), wanted[2:], strict=False
    ):
        assert torch.equal(one, other)
