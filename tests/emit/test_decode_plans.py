"""Steps of decoding on the CPU: few queries, keys that heads share, and ever new lengths."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch

from tests.emit.test_cpu import module_of

Tensor = torch.Tensor
STEADY = {
    "window": "causal & local(40)",
    "window and columns": "causal\nlocal(left=50) + columns([0, 70])",
    "window on both sides": "local(37) + global([3])",
    "dilated": "causal & local(9, dilation=8)",
    "window and stride": "causal\nlocal(left=7) + strided(8)",
    "strides": "causal\nstrided(5) + local(left=2)",
    "segments by head": (
        "causal\nheads 4\nmix(segment(16), segment(96, dilation=6, offset=head % 6))"
    ),
    "all before": "causal",
    "scattered": "causal & where((i // 8 + j // 8) % 3 == 0)",
}
LENGTHS = [(1, 1), (64, 1), (95, 1), (96, 2), (97, 5), (130, 3), (200, 17), (31, 31), (261, 1)]


def drawn(heads: int, queries: int, n: int, kv_heads: int, dtype: torch.dtype) -> list[Tensor]:
    torch.manual_seed(n + queries)
    shapes = [(2, heads, queries, 16), (2, kv_heads, n, 16), (2, kv_heads, n, 8)]
    return [torch.randn(shape, dtype=dtype) for shape in shapes]


def assert_reference(
    module: ModuleType, parts: list[Tensor], bound: float, has_lse: bool = True
) -> None:
    """The output is that of the reference, and lse too where the pattern is one softmax."""
    found = module.attention(*parts, return_lse=has_lse)
    wanted = module.reference(*(part.double() for part in parts), return_lse=has_lse)
    results = zip(found, wanted, strict=True) if has_lse else [(found, wanted)]
    for one, other in results:
        torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound)


@pytest.mark.parametrize("name", STEADY)
def test_pieces_of_few_queries_are_those_of_whole_tiles(name: str) -> None:
    module = module_of(STEADY[name])
    heads = module.HEADS or 2
    for n, queries in LENGTHS:
        assert_reference(module, drawn(heads, queries, n, heads, torch.float64), 1e-10)
        assert_reference(module, drawn(heads, queries, n, heads, torch.float32), 1e-5)


def planned(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is planned anew is added to the list."""
    taken: list[Any] = []
    plan = module._all_pieces

    def recorded(passes: Any, sizes: Any, *rest: Any) -> Any:
        taken.append(sizes)
        return plan(passes, sizes, *rest)

    monkeypatch.setattr(module, "_all_pieces", recorded)
    return taken


def test_steps_within_a_tile_share_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("causal\nlocal(left=50) + columns([0])")
    taken = planned(module, monkeypatch)
    for n in range(193, 225):
        assert_reference(module, drawn(2, 1, n, 2, torch.float64), 1e-10)
    assert len(taken) == 1
    assert_reference(module, drawn(2, 1, 225, 2, torch.float64), 1e-10)
    assert len(taken) == 2


@pytest.mark.parametrize(
    "text", ["local(20) + global([-1])", "local(3) + random(2)", "where(2 * j < n)"]
)
def test_what_depends_on_the_length_is_planned_for_each(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of(text)
    taken = planned(module, monkeypatch)
    for n in range(193, 199):
        assert_reference(module, drawn(2, 1, n, 2, torch.float64), 1e-10)
    assert len(taken) == 6


@pytest.mark.parametrize(
    "text",
    [
        "local(9) + causal & listed(chosen)",
        "global(kept) + listed(chosen) with alibi",
        "heads 2\nhead == 0 -> local(4) + listed(chosen)\nelse -> causal & listed(chosen)",
    ],
)
def test_few_queries_of_lists_are_asked_pair_by_pair(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without tiles: rows with no key, one run, several long runs, and rows that differ."""
    module = module_of(text)
    monkeypatch.setattr(module, "_make_plan", None)
    torch.manual_seed(0)
    for n, queries in [(1, 1), (97, 1), (130, 3), (700, 2), (40, 13)]:
        table, kept = torch.randint(-1, n, (n, 6)), torch.rand(n) < 0.05
        table[-1] = -1
        kept[n // 8 : n // 2] = True
        inputs = {"chosen": table, "kept": kept}
        inputs = {name: part for name, part in inputs.items() if name in text}
        parts = drawn(2, queries, n, 2, torch.float64)
        found = module.attention(*parts, **inputs)
        wanted = module.reference(*parts, **inputs)
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


def test_of_many_pairs_tiles_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("local(9) + causal & listed(chosen)")
    monkeypatch.setattr(module, "_FEW_PAIRS", 299)
    listed: list[Any] = []
    plan = module._make_plan
    monkeypatch.setattr(module, "_make_plan", lambda *call: listed.append(call) or plan(*call))
    for n, queries, count in [(299, 1, 0), (300, 1, 1), (150, 2, 2)]:
        parts = drawn(2, queries, n, 2, torch.float64)
        chosen = torch.randint(-1, n, (n, 3))
        found, wanted = (
            call(*parts, chosen=chosen) for call in (module.attention, module.reference)
        )
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
        assert len(listed) == count


STACKED = {
    **STEADY,
    "draws": "local(3) + random(2)",
    "several softmaxes": "mean(local(9), strided(4))",
}


@pytest.mark.parametrize("name", STACKED)
def test_heads_that_share_keys_are_rows_of_one(name: str) -> None:
    module = module_of(STACKED[name])
    for n, queries in [(1, 1), (97, 1), (130, 5), (40, 13), (200, 70)]:
        for kv_heads in (1, 2):
            heads = module.HEADS or 6
            for dtype, bound in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
                parts = drawn(heads, queries, n, kv_heads, dtype)
                assert_reference(module, parts, bound, has_lse=name != "several softmaxes")


def test_several_softmaxes_have_no_lse_to_return() -> None:
    with pytest.raises(ValueError, match="log-sum-exp"):
        module_of(STACKED["several softmaxes"]).attention(
            *drawn(2, 3, 9, 2, torch.float64), return_lse=True
        )


def shared_by(module: ModuleType, parts: list[Tensor]) -> int:
    call = module._calls(*parts, {}, 0, 1.0)[0]
    stack: int = module._with_stacks(call, module._planned(call))[1]
    return stack


def test_only_what_heads_have_in_common_is_stacked() -> None:
    parts = drawn(8, 3, 90, 2, torch.float64)
    assert shared_by(module_of("local(9)"), parts) == 4
    assert shared_by(module_of("heads 8\nhead < 4 -> local(9)\nelse -> local(5)"), parts) == 4
    assert shared_by(module_of("heads 8\nhead < 2 -> local(9)\nelse -> local(5)"), parts) == 1
    assert shared_by(module_of("local(9) with alibi"), parts) == 1
    assert shared_by(module_of("local(9)"), drawn(8, 9, 90, 2, torch.float64)) == 1
