"""Tiles that look alike to the CPU path hold the same pairs, whatever a predicate asks."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch

from tests.emit import test_cpu
from tests.emit.patterns import CASES, inputs_of, module_of, tensors

WHERE = {
    "quotients of quotients": "where(i // 24 % 3 == j // 8 % 4)",
    "sums of multiples": "where((2 * i + 3 * j) % 11 == 4 or 5 * i - 7 * j > n)",
    "least and greatest": "where(min(i, j + 30) // 50 == max(40, j) // 50)",
    "greater ones of three": "where(max(i - 90, min(j, 2 * n // 3)) % 40 < 21)",
    "distances both ways": "where(abs(i - j - 20) % 33 < 7 or abs(3 * j - i) < n // 9)",
    "the length in everything": "where((3 * i + n) // 50 >= j // 16 and (i + n) % 19 != j % 19)",
    "offsets of heads": (
        "heads 3\nlocal(4, dilation=head + 2) + segment(40, dilation=3, offset=head)"
    ),
    "draws in blocks": "blocks(16) { local(1) + random(2) + global([0, -1]) }",
    "draws of tokens": "causal\nlocal(left=20) + random(2)",
}


def checked(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """All tiles are looked at first. How many were asked of how many is added to the list."""
    counted: list[tuple[int, int]] = []
    of_tiles, asked = module._tile_masks, module._asked
    monkeypatch.setattr(module, "_TOGETHER", (0, 1 << 26))
    tiles: list[int] = []

    def recorded(launch: Any, a: torch.Tensor, *rest: Any) -> torch.Tensor:
        tiles.append(len(a))
        found: torch.Tensor = asked(launch, a, *rest)
        return found

    def compared(launch: Any, a: torch.Tensor, *rest: Any) -> Any:
        tiles.clear()
        masks, numbers = of_tiles(launch, a, *rest)
        counted.append((sum(tiles), len(a)))
        if len(a):
            assert torch.equal(masks[numbers], asked(launch, a, *rest))
        return masks, numbers

    monkeypatch.setattr(module, "_asked", recorded)
    monkeypatch.setattr(module, "_tile_masks", compared)
    return counted


@pytest.mark.parametrize("name", WHERE)
def test_tiles_are_told_apart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = test_cpu.module_of(WHERE[name])
    counted = checked(module, monkeypatch)
    for n, queries in [(401, 401), (256, 70), (90, 130)]:
        parts = test_cpu.tensors(module.HEADS or 2, queries, n)
        found, wanted = module.attention(*parts), module.reference(*parts)
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
    assert counted


@pytest.mark.parametrize("name", CASES)
def test_tiles_of_every_part_are_told_apart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of(name)
    checked(module, monkeypatch)
    heads = module.HEADS or 2
    for n, queries in [(150, 150), (97, 41), (37, 50)]:
        for layer in range(len(module._GROUP_OF_LAYER)):
            call, inputs = tensors(heads, queries, n, 8), inputs_of(name, n, heads)
            found = module.attention(*call, layer=layer, backend="cpu", **inputs)
            wanted = module.attention(*call, layer=layer, backend="reference", **inputs)
            torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


def test_a_long_window_is_asked_of_few_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    module = test_cpu.module_of("local(40) + global([0, -1]) + columns([7])")
    counted = checked(module, monkeypatch)
    module.attention(*test_cpu.tensors(2, 4000, 4000))
    assert all(asked <= 60 < 600 < tiles for asked, tiles in counted)


PREDICATES: dict[str, Callable[..., Any]] = {
    "minimum": lambda i, j, n: torch.minimum(i, j + 3) // 5 == j // 5,
    "maximum": lambda i, j, n: torch.maximum(2 * i - 9, 3 - j) % 7 >= torch.minimum(n, i) - 50,
    "clamped below": lambda i, j, n: (i - j).clamp(min=-6) < (j - 40).clamp(min=2),
    "clamped above": lambda i, j, n: (i % 12).clamp(max=5) + (j // 3).clamp(max=n // 9) != 17,
    "distance": lambda i, j, n: ((i - 2 * j).abs() - 30).abs() // 8 <= (20 - j).abs(),
    "backwards": lambda i, j, n: (100 - i) // 16 > (-j) % 9 - n,
}


@pytest.mark.parametrize("name", PREDICATES)
def test_pairs_of_tiles_of_a_kind_are_the_same(name: str) -> None:
    module, predicate = test_cpu.module_of("local(9)"), PREDICATES[name]
    size = module._Size(300, 300)
    a, b = torch.cartesian_prod(torch.arange(10), torch.arange(19)).unbind(1)
    launch = module._GROUPS[0][0].passes[0]._replace(allowed=predicate)
    chosen, kind = module._alike_tiles(launch, a, b, [], 20, size)
    held = module._asked(launch, a, b, [], 20, size)
    assert torch.equal(held.view(len(a), -1), held.view(len(a), -1)[chosen][kind])
    assert len(chosen) < len(a)
