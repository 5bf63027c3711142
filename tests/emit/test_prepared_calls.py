"""Calls that C has prepared: the same bits as any, and none where somebody watches what is done."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.emit.test_cpu import module_of
from tests.emit.test_native import drawn, needs_compiler

Tensor = torch.Tensor
pytestmark = needs_compiler


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    module = module_of("local(9) + global([0])")
    monkeypatch.setattr(module, "_WORTH", 0)
    module._PREPARED.clear()
    yield module
    module._PREPARED.clear()


def prepared(module: ModuleType) -> int:
    return sum(bool(one) for one in module._PREPARED.values())


def results(module: ModuleType, parts: list[Tensor], **given: Any) -> list[Tensor]:
    """out, lse and gradients of a function of both."""
    leaves = [part.detach().requires_grad_() for part in parts]
    with torch.no_grad():
        plain = module.attention(*leaves, return_lse=True, **given)
    out, lse = module.attention(*leaves, return_lse=True, **given)
    assert torch.equal(out, plain[0])
    total = out.float().square().sum() + lse.nan_to_num(0, 0, 0).sum()
    return [out, lse, *torch.autograd.grad(total, leaves)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.half])
@pytest.mark.parametrize("text", ["local(9) + global([0])", "local(left=-3, right=6)"])
@pytest.mark.parametrize("sizes", [(70, 70, 16, 24, 0), (5, 70, 16, 16, 2), (70, 70, 8, 8, 2)])
def test_a_prepared_call_has_the_bits_of_the_first(
    sizes: tuple[int, ...], text: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of(text)
    monkeypatch.setattr(module, "_WORTH", 0)
    module._PREPARED.clear()
    parts = [part.to(dtype) for part in drawn(4, *sizes)]
    found = [results(module, parts) for _ in range(3)]
    assert prepared(module) == (sizes[0] > 5 or sizes[4] == 0)  # stacks are not
    for other in found[1:]:
        assert all(map(torch.equal, found[0], other))


def test_scale_start_strides_and_bases_are_those_of_each_call(module: ModuleType) -> None:
    calls = [
        ([torch.randn(2, 4, 50, 16) for _ in range(3)], {}),
        ([torch.randn(2, 4, 50, 16) for _ in range(3)], {"scale": 0.5}),
        ([torch.randn(2, 50, 4, 16).transpose(1, 2) for _ in range(3)], {}),
        ([*torch.randn(2, 4, 150, 16).split(50, 2)], {}),
        ([torch.randn(2, 4, 20, 16), *(torch.randn(2, 4, 50, 16) for _ in range(2))], {"start": 9}),
    ]
    for _ in range(3):
        for parts, given in calls:
            found = module.attention(*parts, **given)
            wanted = module.attention(*parts, backend="reference", **given)
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    assert prepared(module) == len(calls)


def test_numbers_that_are_none_are_treated_as_ever(module: ModuleType) -> None:
    parts = drawn(2, 60, 60, 8, 8, 0)
    for _ in range(3):
        module.attention(*parts)
    parts[1][0, 1, 30] = torch.nan
    found = module.attention(*parts)
    module._PREPARED.clear()
    torch.testing.assert_close(found, module.attention(*parts), rtol=0, atol=0, equal_nan=True)
    leaves = [part.requires_grad_() for part in parts]
    graded = [torch.autograd.grad(module.attention(*leaves).nansum(), leaves) for _ in range(3)]
    for one, other in zip(graded[0], graded[2], strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


class Watching(TorchDispatchMode):
    seen: tuple[str, ...] = ()

    def __torch_dispatch__(
        self, function: Any, _types: Any, arguments: Any = (), named: Any = None
    ) -> Any:
        self.seen += (str(function),)
        return function(*arguments, **named or {})


class Own(Tensor):
    """A tensor whose operations somebody may define anew."""


def test_who_watches_operations_sees_the_operator(module: ModuleType) -> None:
    parts = drawn(2, 60, 60, 8, 8, 0)
    for _ in range(3):
        wanted = module.attention(*parts)
    with Watching() as watching:
        module.attention(*parts)
    assert any("patternc" in name for name in watching.seen)
    mapped = torch.func.vmap(module.attention)(*(part[None] for part in parts))[0]
    torch.testing.assert_close(mapped, wanted)
    assert module._directly(*parts, 0, None, None) is not None
    assert module._directly(*(part.as_subclass(Own) for part in parts), 0, None, None) is None
    with torch.autocast("cpu", torch.bfloat16):
        assert module.attention(*parts).dtype == torch.bfloat16


def test_a_gradient_of_a_gradient_is_refused(module: ModuleType) -> None:
    leaves = [part.requires_grad_() for part in drawn(2, 60, 60, 8, 8, 0)]
    for _ in range(3):
        out = module.attention(*leaves)
    (found,) = torch.autograd.grad(out.sum(), leaves[0], create_graph=True)
    with pytest.raises(RuntimeError, match="a gradient of a gradient is not available"):
        torch.autograd.grad(found.sum(), leaves[1])


def test_errors_are_errors_every_time(module: ModuleType) -> None:
    q, k, v = drawn(2, 60, 60, 8, 8, 0)
    for _ in range(3):
        module.attention(q, k, v)
        with pytest.raises(ValueError, match="do not fit"):
            module.attention(q, k[..., :4], v)
        with pytest.raises((TypeError, ValueError)):
            module.attention(q, k, v, dropout=None)
        with pytest.raises(TypeError, match="layer"):
            module.attention(q, k, v, layer="0")


def test_modules_of_one_pattern_remember_few_shapes(module: ModuleType) -> None:
    q, k, v = torch.randn(3, 1, 1, 300, 4).unbind(0)
    for n in range(1, 280):
        module.attention(q[:, :, :n], k[:, :, :n], v[:, :, :n])
    assert len(module._PREPARED) <= module._MOST_PREPARED
