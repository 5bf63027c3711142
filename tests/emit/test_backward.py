"""The backward kernels under the interpreter: what they must share with the reference, and more."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest
import torch

from tests.emit.patterns import inputs_of
from tests.emit.patterns import module_of as case_of
from tests.emit.test_attention import gradients
from tests.emit.test_cpu import CLASSED, DROPPED, module_of, tensors

Tensor = torch.Tensor
Parts = tuple[Tensor, ...]


@pytest.fixture(autouse=True)
def poisoned() -> Iterator[None]:
    """Outputs that nobody writes are NaN."""
    torch.set_deterministic_debug_mode("warn")
    yield
    torch.set_deterministic_debug_mode("default")


def assert_graded(module: ModuleType, parts: Parts, **options: object) -> None:
    """That out, lse and gradients in single precision are those of the reference."""
    low = tuple(part.float() for part in parts)
    found = gradients(module, low, "triton", 0, options)
    wanted = gradients(module, tuple(part.double() for part in low), "reference", 0, options)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CLASSED)
def test_classes_of_positions_are_the_same_attention(name: str) -> None:
    module = module_of(CLASSED[name])
    for n, queries in [(1, 1), (61, 29), (21, 30)]:
        assert_graded(module, tuple(part[:1] for part in tensors(module.HEADS or 1, queries, n)))


def test_heads_with_windows_of_their_own_over_classes_take_lists_of_tiles() -> None:
    module = module_of("heads 4\nlocal(20 + 4 * head, dilation=4)")
    (launch,) = module._GROUPS[0][0].passes
    assert launch.classes
    assert not launch.inline
    assert not launch.inline_columns
    assert_graded(module, tuple(tensors(4, 29, 61, kv_heads=2)))


@pytest.mark.parametrize("text", [*DROPPED, "local(9, dilation=4)"])
def test_dropout_drops_the_pairs_that_the_reference_drops(text: str) -> None:
    assert_graded(module_of(text), tuple(tensors(2, 40, 50)), dropout=0.3, seed=(1 << 31) + 11)


@pytest.mark.parametrize(
    "text", ["local(20) with relative(9)", "heads 2\nlocal(9 + 20 * head) with relative(9)"]
)
def test_wide_rows_visit_their_key_tiles_in_parts_where_pairs_look_up_tables(text: str) -> None:
    module = module_of(text, key_tile=32)
    q, k, v = tensors(2, 50, 61, 80)
    asked = {"dtype": torch.float32, "dim": 80, "value": 80, "shared_memory": 1 << 17}
    parts = module._launch_sizes("d_queries", lookups=1, effort=3, **asked)
    assert (parts["BLOCK_N"], parts["KEY_PARTS"]) == (16, 2)
    tables = {"relative_keys": torch.randn(19, 80, dtype=torch.float64)}
    assert_graded(module, (q, k, v), **tables)


@pytest.mark.parametrize("programs", [0, 1 << 20])
def test_query_heads_that_share_keys_take_turns_or_have_parts_of_the_sum(
    programs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of(
        "causal\nheads 4\nhead < 3 -> local(left=9)\nelse -> local(left=30) + strided(9)"
    )
    monkeypatch.setattr(module, "_wanted_programs", lambda device: programs)
    assert_graded(module, tuple(tensors(4, 41, 50, kv_heads=1)))


@pytest.mark.parametrize("sizes", [(8, 5), (24, 40), (80, 16)])
def test_head_sizes_that_are_no_power_of_two(sizes: tuple[int, int]) -> None:
    q, k, _ = tensors(2, 40, 40, sizes[0])
    v = tensors(2, 40, 40, sizes[1])[2]
    assert_graded(module_of("local(9) + global([0])"), (q, k, v))


def dense(module: ModuleType, parts: Parts) -> list[Tensor]:
    """out, lse and gradients of dense attention whose weights have the dtype of the parts."""
    leaves = [part.detach().requires_grad_() for part in parts]
    q, k, v = leaves
    scores = q.float() @ k.float().mT / q.shape[-1] ** 0.5 + module.multiplicity(k.shape[2]).log()
    lse = scores.logsumexp(-1)
    out = scores.softmax(-1).to(q.dtype) @ v
    loss = (out * out).sum() + lse.square().sum()
    return [out, lse, *torch.autograd.grad(loss, leaves)]


@pytest.mark.parametrize("name", ["band and tokens", "mix"])
def test_errors_in_half_precision_are_at_most_twice_those_of_dense_attention(name: str) -> None:
    module = case_of(name)
    parts = tuple(part.half() for part in tensors(module.HEADS or 2, 60, 60, 16))
    exact = gradients(module, tuple(part.double() for part in parts), "reference", 0, {})
    found = gradients(module, parts, "triton", 0, {})
    for one, other, wanted in zip(found, dense(module, parts), exact, strict=True):
        errors = [(part.double() - wanted).square().mean().sqrt() for part in (one, other)]
        assert errors[0] <= 2 * errors[1] + 1e-6


def test_gradients_are_the_same_bits_every_time() -> None:
    module, inputs = case_of("draws beside a set"), inputs_of("draws beside a set", 40, 2)
    parts = tuple(part.float() for part in tensors(2, 40, 40))
    first, second = (gradients(module, parts, "triton", 0, inputs) for _ in range(2))
    assert all(map(torch.equal, first, second))


@pytest.mark.parametrize("text", ["local(left=9, right=-3)", "causal\nlocal(left=7) + strided(8)"])
def test_keys_outside_of_a_rows_set_do_not_matter(text: str) -> None:
    """The gradient of the last row alone, after all keys that it does not see are changed."""
    module = module_of(text)
    q, k, v = (part.float() for part in tensors(2, 40, 40))
    seen = module.mask(40)[0, -1][:, None]

    def last(*parts: Tensor) -> list[Tensor]:
        leaves = [part.detach().requires_grad_() for part in parts]
        out = module.attention(*leaves, backend="triton")[:, :, -1]
        return [out, *torch.autograd.grad(out.square().sum(), leaves)]

    changed = last(q, torch.where(seen, k, 100.0), torch.where(seen, v, -50.0))
    for one, other in zip(last(q, k, v), changed, strict=True):
        assert torch.equal(one, other)


def test_strides_may_exceed_32_bits() -> None:
    """Rows that are 2^31 elements apart; no memory behind them is touched but their own."""
    module = module_of("causal\nlocal(left=5)")
    far = torch.empty((1 << 31) + 64, dtype=torch.float16)
    parts = [far.as_strided((1, 1, 2, 16), (0, 0, 1 << 31, 1), 16 * place) for place in range(3)]
    for part in parts:
        part.copy_(torch.randn(1, 1, 2, 16))
    near = gradients(module, tuple(part.contiguous() for part in parts), "triton", 0, {})
    out, lse = module._OPERATORS.triton.default(*([part] for part in parts), [], [], 0, 0, 2, 0.25)
    d_out, d_lse = 2 * out, 2 * lse
    given = *([part] for part in parts), [], [], 0, 0, 2, 0.25
    found = module._OPERATORS.triton_backward.default(d_out, d_lse, out, lse, [], *given)
    for one, other in zip([out, lse, *(part for (part,) in found[:3])], near, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("text", ["local(9) + global([0])", "mix(local(8), strided(4))"])
def test_bfloat16_is_interpreted_as_exactly_as_it_is_rounded(text: str) -> None:
    """Numpy has no such numbers; their bits would be taken for integers."""
    module = module_of(text)
    parts = tuple(part.bfloat16() for part in tensors(2, 40, 40))
    found = gradients(module, parts, "triton", 0, {})
    wanted = gradients(module, tuple(part.double() for part in parts), "reference", 0, {})
    assert [part.dtype for part in found] == [torch.bfloat16, torch.float32, *[torch.bfloat16] * 3]
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-2, atol=1e-2)
