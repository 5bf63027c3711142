"""The CPU path's C backward: the reference's gradients, in the same bits whatever threads do."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest
import torch

from patternc import Pattern
from tests.emit.patterns import CASES, inputs_of
from tests.emit.test_cpu import module_of
from tests.emit.test_native import PATTERNS, SIZES, drawn, natively, needs_compiler

Tensor = torch.Tensor
Gradients = tuple[Tensor, ...]
pytestmark = needs_compiler


def graded(
    module: ModuleType, parts: list[Tensor], backend: str = "cpu", **given: Tensor
) -> Gradients:
    """Gradients of a function of out and lse that weighs each of their elements differently."""
    leaves = [part.detach().requires_grad_() for part in parts]
    out, lse = module.attention(*leaves, return_lse=True, backend=backend, **given)
    torch.manual_seed(3)
    d_out, d_lse = torch.randn(out.shape), torch.randn(lse.shape)
    d_lse[lse.isinf()] = 0
    pulled = [d_out.to(out.dtype), d_lse.to(lse.dtype)]
    return torch.autograd.grad([out, lse], leaves, pulled)


def wanted_of(module: ModuleType, parts: list[Tensor], **given: Tensor) -> Gradients:
    return graded(module, [part.double() for part in parts], "reference", **given)


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", PATTERNS)
def test_compiled_gradients_are_those_of_the_reference(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of(PATTERNS[name])
    taken = natively(module, monkeypatch, "_differentiate_natively")
    bounds = {torch.float32: 1e-5, torch.half: 4e-3, torch.bfloat16: 3e-2}
    for sizes in SIZES:
        parts = drawn(module.HEADS or 2, *sizes)
        for dtype, bound in bounds.items():
            low = [part.to(dtype) for part in parts]
            taken.clear()
            found = graded(module, low)
            assert taken or sizes[:2] == (1, 1)
            for one, other in zip(found, wanted_of(module, low), strict=True):
                size = float(other.abs().max())
                torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound * (1 + size))


@pytest.mark.parametrize("name", ["documents of a batch", "questions of a batch", "lists of heads"])
def test_inputs_that_differ_between_batch_elements_and_heads(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of(CASES[name].text)
    taken = natively(module, monkeypatch, "_differentiate_natively")
    parts, given = drawn(2, 131, 131, 16, 16, 0), inputs_of(name, 131, 2)
    found = graded(module, parts, **given)
    assert taken
    for one, other in zip(found, wanted_of(module, parts, **given), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("text", "shared"), [("full", 1), ("local(90) + global([0])", 2)])
def test_gradients_have_the_same_bits_whatever_the_threads_do(
    text: str, shared: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of(text)
    taken = natively(module, monkeypatch, "_differentiate_natively")
    parts = [part.to(dtype) for part in drawn(4, 701, 701, 16, 16, shared)]
    with threads(1):
        alone = graded(module, parts)
    for count in (2, 5, 5):
        with threads(count):
            assert all(map(torch.equal, alone, graded(module, parts)))
    assert len(taken) % 4 == 0
    assert taken


def test_tensors_in_any_order_of_dimensions(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("local(5, dilation=8) + global([3])")
    taken = natively(module, monkeypatch, "_differentiate_natively")
    parts = [torch.randn(2, 90, 3, 16).transpose(1, 2) for _ in range(3)]
    leaves = [part.requires_grad_() for part in parts]
    found = torch.autograd.grad(module.attention(*leaves).sum(), leaves)  # one d_out for all
    assert taken
    wanted = torch.autograd.grad(module.reference(*leaves).sum(), leaves)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [1e3, 1e4, 1e8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_are_at_most_one_where_scores_are_large(
    dtype: torch.dtype, size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of("local(9)")
    taken = natively(module, monkeypatch, "_differentiate_natively")
    q, k, v = drawn(2, 300, 300, 48, 48, 0)
    leaves = [part.to(dtype).requires_grad_() for part in (q * size, k * size, v)]
    found = torch.autograd.grad(module.attention(*leaves).sum(), leaves[2])[0]
    assert taken
    high = [part.detach().double().requires_grad_() for part in leaves]
    wanted = torch.autograd.grad(module.reference(*high).sum(), high[2])[0]
    torch.testing.assert_close(found.double(), wanted, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("offset", [1, 2, 3])
def test_tensors_that_start_at_any_byte(offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("local(9)")
    taken = natively(module, monkeypatch, "_differentiate_natively")
    parts = drawn(2, 100, 100, 16, 16, 0)
    held = [bytearray(offset) + bytearray(part.numpy().tobytes()) for part in parts]
    placed = [torch.frombuffer(one, dtype=torch.float32, offset=offset) for one in held]
    found = graded(module, [one.view(2, 2, 100, 16) for one in placed])
    assert taken
    for one, other in zip(found, wanted_of(module, parts), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-5)


def test_rows_without_keys_have_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("local(left=-3, right=6)")
    taken = natively(module, monkeypatch, "_differentiate_natively")
    d_q, *_ = graded(module, drawn(2, 100, 100, 16, 16, 0))
    assert taken
    empty = ~module.mask(100)[0].any(1)
    assert empty.any()
    assert torch.equal(d_q[:, :, empty], torch.zeros_like(d_q[:, :, empty]))


def test_pairs_outside_the_pattern_do_not_influence_gradients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = Pattern.from_zoo("longformer_lm").module
    taken = natively(module, monkeypatch, "_differentiate_natively")
    q, k, v = drawn(module.HEADS, 200, 200, 8, 8, 0)
    allowed = module.mask(200)[0]
    before = graded(module, [q, k, v])
    keys = ~allowed[150]
    others = [part.clone() for part in (k, v)]
    for part in others:
        part[:, 0, keys] += 100 * torch.randn(2, int(keys.sum()), 8)
    assert torch.equal(before[0][:, 0, 150], graded(module, [q, *others])[0][:, 0, 150])
    rows = ~allowed[:, 50]
    q[:, 0, rows] += 100 * torch.randn(2, int(rows.sum()), 8)
    after = graded(module, [q, k, v])
    assert taken
    for one, other in zip(before[1:], after[1:], strict=True):
        assert torch.equal(one[:, 0, 50], other[:, 0, 50])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the GNU C library")
@pytest.mark.parametrize("text", ["full", "local(left=9, right=31) + global([0])"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.half])
def test_what_memory_held_before_does_not_matter(
    dtype: torch.dtype, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of(text)
    natively(module, monkeypatch, "_differentiate_natively")
    parts = [part.to(dtype) for part in drawn(2, 77, 77, 12, 20, 0)]
    wanted = graded(module, parts)
    perturb, c = -6, ctypes.CDLL(None)  # M_PERTURB: 0xff ^ 0x100 fills new memory with NaN
    c.mallopt(perturb, 0x100)
    try:
        found = graded(module, parts)
    finally:
        c.mallopt(perturb, 0)
    assert all(map(torch.equal, wanted, found))


@pytest.mark.parametrize("text", ["full", "local(9) + global([0])", "causal\nlocal(left=60)"])
def test_errors_of_bfloat16_are_at_most_twice_those_of_dense_attention(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of(text)
    taken = natively(module, monkeypatch, "_differentiate_natively")
    parts = [part.bfloat16() for part in drawn(2, 400, 400, 64, 64, 0)]
    d_out, mask = torch.randn(2, 2, 400, 64).bfloat16(), module.mask(400)
    leaves = [part.requires_grad_() for part in parts]
    found = torch.autograd.grad(module.attention(*leaves), leaves, d_out)
    assert taken
    scores = (leaves[0] @ leaves[1].mT / 8).masked_fill(~mask, -torch.inf)
    dense = torch.autograd.grad(scores.softmax(-1) @ leaves[2], leaves, d_out)
    high = [part.detach().double().requires_grad_() for part in parts]
    wanted = torch.autograd.grad(module.reference(*high), high, d_out.double())
    for one, other, right in zip(found, dense, wanted, strict=True):
        assert (one - right).abs().max() <= 2 * (other - right).abs().max()
        assert (one - right).norm() <= 2 * (other - right).norm()


def test_what_is_added_to_values_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    leaves = [part.requires_grad_() for part in drawn(2, 60, 60, 8, 8, 0)]
    module = module_of("local(9) with relative_values(4)")
    taken = natively(module, monkeypatch, "_differentiate_natively")
    out = module.attention(*leaves, relative_values=torch.randn(9, 8))
    torch.autograd.grad(out.sum(), leaves)
    assert not any(asked for _, asked in taken)


def test_without_a_compiler_torch_finds_the_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("local(9)")
    parts = drawn(2, 100, 100, 16, 16, 0)
    taken = natively(module, monkeypatch, "_differentiate_natively")
    monkeypatch.setenv("PATTERNC_CC", "")
    module._library.cache_clear()
    found = graded(module, parts)
    module._library.cache_clear()
    assert not taken
    for one, other in zip(found, wanted_of(module, parts), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-5)
