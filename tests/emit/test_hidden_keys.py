"""Keys and values that no row sees may hold anything: NaN, infinity, memory nobody wrote."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from tests.emit.dense import Tensor, compiled, draw

N, HIDDEN = 40, 12
LABELS = torch.where(torch.arange(N) < N - HIDDEN, torch.arange(N) // 9, -1)
# Of all these nobody sees the last 12 keys of 40, as the keys' own bounds, sets and labels tell.
PATTERNS = {
    "columns": "columns([:28])",
    "a window that looks back": "local(left=20, right=-12)",
    "columns by head": "heads 2\ncolumns([:27 + head])",
    "several windows": "local(left=22, right=-12) + columns([0, 5]) - columns([28:])",
    "mixed": "mix(local(8) & columns([:28]), columns([:28]))",
    "a run-time set": "columns(valid)",
    "softcap": "columns([:28]) with softcap(5)",
    "relative": "(columns([:28]) & local(9)) with relative(4)",
    "labels": "causal & same(doc)",
    "residues": "where((i + j) % 7 == 0 and j < 28)",
    "classes": "columns([:28]) & local(left=12, dilation=3)",
    "blocks": "blocks(8) { local(1) + columns([0]) } & columns([:28])",
    "a set beside labels": "same(doc) & columns(valid)",
    "labels or a set": "(same(doc) & local(9)) + columns(valid)",
    "labels of blocks": "blocks(4) { same(parts) }",
    "integers": "where(doc[j] >= 0 and doc[j] <= doc[i])",
    "spans": "visible(opens, closes) & local(9)",
}
INPUTS = {
    "valid": torch.arange(N) < N - HIDDEN,
    "doc": LABELS,
    "parts": LABELS[::4],
    "opens": torch.where(LABELS < 0, N, 0),
    "closes": torch.where(LABELS < 0, 0, N),
    "plan": torch.arange(N)[:, None] * torch.tensor([3, 5]) % (N - HIDDEN),
    "relative_keys": torch.linspace(-1, 1, 9 * 16).view(9, 16).double(),
}
WAYS = [
    ("reference", torch.float64, 1e-12),
    ("cpu", torch.float64, 1e-9),
    ("triton", torch.float32, 5e-5),
]


def graded(
    module: ModuleType, parts: list[Tensor], dtype: torch.dtype, backend: str, **options: Any
) -> list[Tensor]:
    """The output, and the gradients of q, k and v."""
    leaves = [part.to(dtype, copy=True).requires_grad_() for part in parts]
    given = {
        name: value.to(dtype) if value.is_floating_point() else value
        for name, value in INPUTS.items()
        if name in module.INPUTS
    }
    out = module.attention(*leaves, backend=backend, **given, **options)
    weight = torch.linspace(-1, 1, out.numel(), dtype=torch.float64).view(out.shape)
    return [out, *torch.autograd.grad((out * weight).sum(), leaves)]


def drawn(queries: int = N) -> list[Tensor]:
    torch.manual_seed(queries)
    return [draw(1, 2, rows, 16) for rows in (queries, N, N)]


def assert_the_last_keys_change_nothing(text: str, queries: int) -> None:
    module, parts = compiled(f"allow empty\n{text}"), drawn(queries)
    wanted = graded(module, parts, torch.float64, "reference")
    for place, odd in ((1, torch.nan), (2, torch.inf)):
        parts[place][:, :, -HIDDEN:] = odd
    for backend, dtype, bound in WAYS:
        for one, other in zip(graded(module, parts, dtype, backend), wanted, strict=True):
            torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound)


@pytest.mark.parametrize("queries", [N, 9])
@pytest.mark.parametrize("name", PATTERNS)
def test_what_no_row_sees_changes_no_output_and_no_gradient(name: str, queries: int) -> None:
    assert_the_last_keys_change_nothing(PATTERNS[name], queries)


def test_keys_that_are_in_no_list_change_nothing_in_strict_kernels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "listed(plan)"
    monkeypatch.setattr(compiled(f"allow empty\n{text}"), "STRICT_KEYS", True)
    assert_the_last_keys_change_nothing(text, N)


@pytest.mark.parametrize("place", [1, 2])
@pytest.mark.parametrize("text", ["local(9)", "causal", "strided(7)", "local(9) with softcap(3)"])
@pytest.mark.parametrize("way", [*WAYS[:2], "strict"])
def test_rows_that_do_not_see_an_odd_key_are_exact_and_those_that_do_are_nan(
    text: str, place: int, way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of kernels the strict ones, as some rows of a partial tile see the key and others do not."""
    module, parts, key = compiled(text), drawn(), 20
    if way == "strict":
        monkeypatch.setattr(module, "STRICT_KEYS", True)
    backend, dtype, bound = WAYS[2] if way == "strict" else way
    mask = module.mask(N)[0]
    asking, met = mask[:, key], mask[mask[:, key]].any(0)
    wanted = graded(module, parts, torch.float64, "reference")
    parts[place][:, :, key] = torch.nan
    found = graded(module, parts, dtype, backend)
    # Of q and out the rows, of k and v the keys that no asking row sees.
    for one, other, odd in zip(found, wanted, (asking, asking, met, met), strict=True):
        clean = one[:, :, ~odd].double()
        torch.testing.assert_close(clean, other[:, :, ~odd], rtol=bound, atol=bound)
    assert found[0][:, :, asking].isnan().all()
    assert found[1][:, :, asking].isnan().all()


@pytest.mark.parametrize("backend", ["reference", "cpu", "triton"])
def test_rows_without_keys_are_zero_beside_rows_that_see_an_odd_key(backend: str) -> None:
    module, parts = compiled("allow empty\ncolumns([0:30]) & rows([8:])"), drawn()
    parts[1][:, :, 20], parts[2][:, :, 20] = torch.nan, torch.inf
    out, d_q, *_ = graded(module, parts, torch.float32, backend)
    assert (out[:, :, :8] == 0).all()
    assert (d_q[:, :, :8] == 0).all()
    assert out[:, :, 8:].isnan().all()


def test_queries_that_are_no_numbers_and_see_no_keys_reach_no_gradient_of_the_reference() -> None:
    module, parts = compiled("allow empty\nlocal(3) & rows([8:])"), drawn()
    wanted = graded(module, parts, torch.float64, "reference")
    parts[0][:, :, :8] = torch.nan
    for one, other in zip(graded(module, parts, torch.float64, "reference"), wanted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("text", ["full", "full on memory(12)"])
def test_full_tiles_ask_nothing_of_keys(text: str) -> None:
    source = Path(str(compiled(text).__file__)).read_text()
    assert "_seen_" not in source
    assert "limit = " not in source
