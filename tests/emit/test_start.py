"""`start=`: queries of a middle part are those rows of the whole, on every backend."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import pytest
import torch

from patternc import Pattern
from tests.compiled import module_of_schedule
from tests.schedules import schedule_of_pattern

N = 67
Tensor = torch.Tensor


def _inputs(name: str) -> dict[str, Any]:
    torch.manual_seed(3)
    known: dict[str, Any] = {
        "doc": torch.arange(N) // 13,
        "keys": torch.randint(0, N, (N, 3)),
        "t5_bias": torch.randn(32, 2),
        "encoder_kv": (torch.randn(2, 2, 40, 16), torch.randn(2, 2, 40, 16)),
        "memory_kv": (torch.randn(2, 2, 4, 16), torch.randn(2, 2, 4, 16)),
    }
    return {name: known[name]} if name else {}


CASES = [
    ("local(3) + global([0, -1])", ""),
    ("segment(24) & strided(4)", ""),
    ("(random(3) + local(1)) with rotary(10000)", ""),
    ("full on pool(4, mean) + local(2)", ""),
    ("full with t5(32, 128)", "t5_bias"),
    ("causal & same(doc)", "doc"),
    ("listed(keys) + where(i + j < n)", "keys"),
    ("local(2) + local(1) on encoder", "encoder_kv"),
    ("local(2) + full on memory(4)", "memory_kv"),
]


@cache
def _module(text: str) -> ModuleType:
    pattern = Pattern.parse(text)
    return module_of_schedule(schedule_of_pattern(pattern, 32, 16), text, pattern.inputs)


CALLS = [(*case, "cpu") for case in CASES] + [(*case, "triton") for case in CASES[:8:3]]


@pytest.mark.parametrize(("text", "name", "backend"), CALLS)
def test_rows_of_the_middle_are_those_of_the_whole(text: str, name: str, backend: str) -> None:
    module, inputs = _module(text), _inputs(name)
    torch.manual_seed(0)
    leaves = [part.requires_grad_() for part in torch.randn(3, 2, 2, N, 16)]
    q, k, v = leaves
    for start, count in ((0, 5), (20, 36)) if backend == "cpu" else ((20, 21),):
        rows = slice(start, start + count)
        whole = module.reference(q, k, v, **inputs)[:, :, rows]
        part = module.attention(q[:, :, rows], k, v, start=start, backend=backend, **inputs)
        torch.testing.assert_close(part, whole, atol=3e-5, rtol=3e-5)
        weight = torch.randn_like(whole)
        wanted = torch.autograd.grad((whole * weight).sum(), leaves)
        found = torch.autograd.grad((part * weight).sum(), leaves)
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)


def test_the_mask_of_a_middle_part_is_those_rows() -> None:
    module = _module("local(3) + global([0, -1])")
    assert torch.equal(module.mask(N, queries=5, start=20), module.mask(N)[:, 20:25])
    assert torch.equal(module.mask(N, start=60), module.mask(N)[:, 60:])


def test_a_start_that_does_not_fit_is_refused() -> None:
    module, part = _module("local(3) + global([0, -1])"), torch.randn(1, 2, 8, 16)
    with pytest.raises(ValueError, match="8 queries end at position 10, but k has 8 tokens"):
        module.attention(part, part, part, start=2)
    with pytest.raises(ValueError, match="start is -1"):
        module.attention(part, part, part, start=-1)
    with pytest.raises(ValueError, match="5 queries do not fit in 8"):
        module.mask(8, queries=5, start=4)


@pytest.mark.parametrize(("start", "n"), [(0, 32), (32, 96)])
def test_gradients_of_whole_tiles_of_queries_read_no_rows_beside_them(start: int, n: int) -> None:
    module = _module("local(3) + global([0, -1])")
    torch.manual_seed(0)
    k, v, held = (part.requires_grad_() for part in torch.randn(3, 1, 1, n, 16))
    rows = slice(start, start + 32)
    beside = torch.full((1, 1, n + 64, 16), float("nan"))
    beside[:, :, 32:64] = held[:, :, rows].detach()
    whole = module.reference(held, k, v)[:, :, rows]
    part = module.attention(beside[:, :, 32:64], k, v, start=start, backend="triton")
    wanted = torch.autograd.grad(whole.sum(), (k, v))
    found = torch.autograd.grad(part.sum(), (k, v))
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
