"""Both ways to compute attention, against the dense reference in float64."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest
import torch

from tests.emit.patterns import CASES, SIZES, Inputs, inputs_of, module_of, tensors


@pytest.fixture(autouse=True)
def poisoned() -> Iterator[None]:
    """Outputs that nobody writes are NaN."""
    torch.set_deterministic_debug_mode("warn")
    yield
    torch.set_deterministic_debug_mode("default")


def heads_of(module: ModuleType) -> int:
    return module.HEADS or 2


def layers_of(module: ModuleType) -> range:
    return range(len(module._GROUP_OF_LAYER))


def gradients(
    module: ModuleType, parts: tuple[torch.Tensor, ...], backend: str, layer: int, inputs: Inputs
) -> list[torch.Tensor]:
    """out, lse and the gradients of a function of both."""
    leaves = [part.detach().requires_grad_() for part in parts]
    out, lse = module.attention(*leaves, backend=backend, layer=layer, return_lse=True, **inputs)
    loss = (out * out).sum() + lse.masked_fill(lse.isinf(), 0).square().sum()
    return [out, lse, *torch.autograd.grad(loss, leaves)]


@pytest.mark.parametrize("name", CASES)
def test_the_cpu_path_and_its_gradients_are_those_of_the_reference(name: str) -> None:
    module = module_of(name)
    for n, queries in [*SIZES, (0, 3), (9, 0)]:
        parts = tensors(heads_of(module), queries, n, 8)
        inputs = inputs_of(name, n, heads_of(module))
        for layer in layers_of(module):
            found = gradients(module, parts, "cpu", layer, inputs)
            wanted = gradients(module, parts, "reference", layer, inputs)
            for one, other in zip(found, wanted, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_the_kernels_and_their_gradients_are_those_of_the_reference(name: str) -> None:
    module = module_of(name)
    for n, queries in [(1, 1), (75, 41), (37, 50)]:
        parts = tensors(heads_of(module), queries, n, 16)
        inputs = inputs_of(name, n, heads_of(module))
        layer = layers_of(module)[-1]
        assert_kernel(module, parts, torch.float32, 1e-5, layer, inputs)


def assert_kernel(
    module: ModuleType,
    parts: tuple[torch.Tensor, ...],
    dtype: torch.dtype,
    bound: float,
    layer: int,
    inputs: Inputs,
) -> None:
    low = tuple(part.to(dtype) for part in parts)
    found = gradients(module, low, "triton", layer, inputs)
    wanted = gradients(module, tuple(part.double() for part in low), "reference", layer, inputs)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound)


@pytest.mark.parametrize("name", ["band and tokens", "mix", "draws"])
def test_the_kernel_in_half_precision(name: str) -> None:
    module = module_of(name)
    parts = tensors(heads_of(module), 75, 75, 16)
    assert_kernel(module, parts, torch.float16, 2e-3, 0, {})


@pytest.mark.parametrize("sizes", [(8, 5), (24, 40), (80, 16), (16, 33)])
def test_head_sizes_that_are_no_power_of_two(sizes: tuple[int, int]) -> None:
    module = module_of("band and tokens")
    q, k, _ = tensors(2, 40, 40, sizes[0])
    v = tensors(2, 40, 40, sizes[1])[2]
    assert_kernel(module, (q, k, v), torch.float32, 1e-5, 0, {})


@pytest.mark.parametrize("backend", ["cpu", "triton"])
def test_any_strides(backend: str) -> None:
    module = module_of("mix")
    torch.manual_seed(0)
    q = torch.randn(2, 45, 2, 16).transpose(1, 2)
    k = torch.randn(2, 2, 16, 60).mT[:, :, :45]
    v = torch.randn(2, 1, 45, 32).expand(2, 2, 45, 32)[..., ::2]
    found = module.attention(q, k, v, backend=backend)
    torch.testing.assert_close(found, module.reference(q, k, v), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", ["cpu", "triton"])
def test_fewer_key_heads_are_shared_by_neighbouring_query_heads(backend: str) -> None:
    module = module_of("dilated by head and layer")
    q = torch.randn(2, 4, 50, 16)
    k, v = torch.randn(2, 2, 2, 50, 16).unbind()
    found = module.attention(q, k, v, layer=1, backend=backend)
    repeated = (part.repeat_interleave(2, 1) for part in (k, v))
    wanted = module.reference(q, *repeated, layer=1)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_gradients_of_shared_key_heads_add_up() -> None:
    module = module_of("dilated by head and layer")
    q, _, _ = tensors(4, 50, 50, 8)
    _, k, v = tensors(2, 50, 50, 8)
    found = gradients(module, (q, k, v), "cpu", 1, {})
    for one, other in zip(found, gradients(module, (q, k, v), "reference", 1, {}), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_cpu_path_accumulates_in_full_precision(dtype: torch.dtype) -> None:
    module = module_of("band and tokens")
    low = [part.to(dtype) for part in tensors(2, 131, 131, 16)]
    found = gradients(module, tuple(low), "cpu", 0, {})
    wanted = gradients(module, tuple(part.double() for part in low), "reference", 0, {})
    bound = 8 * torch.finfo(dtype).eps
    assert [part.dtype for part in found] == [dtype, torch.float32, dtype, dtype, dtype]
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=bound, atol=4 * bound)


@pytest.mark.parametrize("name", ["band and tokens", "draws", "mix", "documents"])
def test_long_rows_are_cut_into_pieces(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of(name)
    monkeypatch.setattr(module, "_SCORES", 200)
    monkeypatch.setattr(module, "_LONGEST", 16)
    monkeypatch.setattr(module, "_static_pieces", module._unseen_pieces)
    parts, inputs = tensors(heads_of(module), 131, 131, 8), inputs_of(name, 131, 2)
    found = gradients(module, parts, "cpu", 0, inputs)
    for one, other in zip(found, gradients(module, parts, "reference", 0, inputs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_gradcheck() -> None:
    module = module_of("mix")
    parts = [part[:1].requires_grad_() for part in tensors(2, 20, 20, 4)]
    assert torch.autograd.gradcheck(
        lambda *leaves: module.attention(*leaves, return_lse=True, scale=0.7), parts, fast_mode=True
    )


def test_rows_without_keys_give_zero_and_minus_infinity() -> None:
    module = module_of("nothing")
    q = torch.randn(1, 2, 20, 16)
    for backend in ("cpu", "triton", "reference"):
        out, lse = module.attention(q, q, q, backend=backend, return_lse=True)
        assert torch.equal(out, torch.zeros_like(out))
        assert torch.equal(lse, torch.full_like(lse, -torch.inf))


def test_an_empty_batch() -> None:
    module = module_of("causal")
    q = torch.randn(0, 2, 20, 16)
    for backend in ("cpu", "triton", "reference"):
        assert module.attention(q, q, q, backend=backend).shape == q.shape


def test_scores_far_from_zero_do_not_overflow() -> None:
    module = module_of("band and tokens")
    parts = tuple(100 * part for part in tensors(2, 75, 75, 16))
    out, _, *graded = gradients(module, tuple(part.float() for part in parts), "triton", 0, {})
    torch.testing.assert_close(out.double(), module.reference(*parts), rtol=1e-2, atol=1e-2)
    assert all(part.isfinite().all() for part in graded)
    found = module.attention(*parts, backend="cpu")
    torch.testing.assert_close(found, module.reference(*parts), rtol=1e-9, atol=1e-9)
