"""The CPU path's C: the same attention as by torch operations, wherever it takes a call."""

from __future__ import annotations

import os
import shutil
import signal
from types import ModuleType
from typing import Any

import pytest
import torch

from patternc import Pattern
from tests.emit.test_cpu import CLASSED, module_of

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")

PATTERNS = {
    **CLASSED,
    "window and tokens": "local(left=9) + global([0, 50, -1])",
    "rows without keys": "local(left=-3, right=6)",
    "scattered blocks": "blocks(8) { local(1) + random(2) + global([0]) }",
    "pairs that count twice": "mix(segment(16), segment(32), local(9))",
    "passes that count twice": "mix(local(9), local(9), segment(32))",
    "all pairs": "full",
}
# (queries, n, size of keys, size of values, key heads or 0 for all)
SIZES = [(1, 1, 8, 8, 0), (261, 261, 64, 64, 0), (7, 300, 20, 40, 1), (300, 300, 16, 96, 1)]
Tensor = torch.Tensor


def drawn(heads: int, queries: int, n: int, size: int, other: int, shared: int) -> list[Tensor]:
    torch.manual_seed(n + size)
    kv_heads = shared or heads
    shapes = [(2, heads, queries, size), (2, kv_heads, n, size), (2, kv_heads, n, other)]
    return [torch.randn(shape) for shape in shapes]


def natively(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str = "_attend_natively"
) -> list[Any]:
    """All calls are worth it, and none is prepared; what is taken is added to the list."""
    taken: list[Any] = []
    run = getattr(module, name)

    def recorded(*arguments: object) -> object:
        taken.append(arguments)
        return run(*arguments)

    monkeypatch.setattr(module, "_WORTH", 0)
    monkeypatch.setattr(module, "_directly", lambda *_: None, raising=False)
    monkeypatch.setattr(module, name, recorded)
    return taken


@needs_compiler
@pytest.mark.parametrize("name", PATTERNS)
def test_compiled_rectangles_are_the_reference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of(PATTERNS[name])
    for sizes in SIZES:
        parts = drawn(module.HEADS or 2, *sizes)
        for dtype, bound in [(torch.float32, 1e-5), (torch.bfloat16, 1.6e-2), (torch.half, 2e-3)]:
            low = [part.to(dtype) for part in parts]
            taken = natively(module, monkeypatch)
            out, lse = module.attention(*low, return_lse=True)
            assert taken or sizes[:2] == (1, 1)
            high = [part.double() for part in low]
            wanted, wanted_lse = module.reference(*high, return_lse=True)
            torch.testing.assert_close(out.double(), wanted, rtol=bound, atol=bound)
            torch.testing.assert_close(lse.double(), wanted_lse, rtol=1e-5, atol=1e-5)


@needs_compiler
def test_tensors_in_any_order_of_dimensions(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("local(5, dilation=8) + global([3])")
    q, k, v = (torch.randn(2, 90, 3, 16).transpose(1, 2) for _ in range(3))
    taken = natively(module, monkeypatch)
    found = module.attention(q, k, v)
    assert taken
    torch.testing.assert_close(found, module.reference(q, k, v), rtol=1e-5, atol=1e-5)
    taken.clear()
    found = module.attention(q.mT.contiguous().mT, k, v)  # positions lie side by side
    assert not taken
    torch.testing.assert_close(found, module.reference(q, k, v), rtol=1e-5, atol=1e-5)


@needs_compiler
def test_a_query_that_is_no_number_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("local(9)")
    q, k, v = drawn(2, 100, 100, 16, 16, 0)
    q[0, 1, 40] = torch.nan
    assert natively(module, monkeypatch) == []
    out = module.attention(q, k, v)
    rows = out.isnan().all(-1)
    assert rows[0, 1, 40]
    assert rows.sum() == 1


@needs_compiler
def test_keys_outside_a_row_do_not_influence_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Pattern.from_zoo("longformer_lm").module
    q, k, v = drawn(module.HEADS, 200, 200, 8, 8, 0)
    natively(module, monkeypatch)
    before, other = module.attention(q, k, v), ~module.mask(200)[0, 150]
    for part in (k, v):
        part[:, 0, other] += 100 * torch.randn(2, int(other.sum()), 8)
    assert torch.equal(before[:, 0, 150], module.attention(q, k, v)[:, 0, 150])


def test_without_a_compiler_torch_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("local(9)")
    parts = drawn(2, 100, 100, 16, 16, 0)
    taken = natively(module, monkeypatch)
    monkeypatch.setenv("PATTERNC_CC", "")
    module._library.cache_clear()
    found = module.attention(*parts)
    module._library.cache_clear()
    assert not taken
    torch.testing.assert_close(found, module.reference(*parts), rtol=1e-5, atol=1e-5)


def test_a_compiler_that_fails_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("local(8)")
    monkeypatch.setenv("PATTERNC_CC", "false")
    module._library.cache_clear()
    assert module._library() is None
    module._library.cache_clear()


@needs_compiler
@pytest.mark.parametrize("text", ["full", "local(9) + global([0])", "causal\nlocal(left=60)"])
def test_errors_of_bfloat16_are_at_most_twice_those_of_dense_attention(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of(text)
    q, k, v = (part.bfloat16() for part in drawn(2, 400, 400, 64, 64, 0))
    taken = natively(module, monkeypatch)
    found = module.attention(q, k, v)
    assert taken
    wanted = module.reference(q.double(), k.double(), v.double())
    scores = (q @ k.mT / 8).masked_fill(~module.mask(400), -torch.inf)
    dense = scores.softmax(-1) @ v
    assert (found - wanted).abs().max() <= 2 * (dense - wanted).abs().max()
    assert (found - wanted).abs().mean() <= 2 * (dense - wanted).abs().mean()


@needs_compiler
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no process can be forked here")
def test_a_forked_process_has_threads_though_those_of_torch_are_gone() -> None:
    module, before = module_of("local(9)"), torch.get_num_threads()
    parts = drawn(2, 300, 300, 8, 8, 0)
    try:
        torch.set_num_threads(2)
        wanted = module.attention(*parts)
        if not (child := os.fork()):
            signal.alarm(60)  # where threads that are gone are waited for
            os._exit(not torch.equal(wanted, module.attention(*parts)))
    finally:
        torch.set_num_threads(before)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
