"""Rows that see no keys may hold anything: their queries and gradients reach no gradient."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch

from patternc import Pattern
from tests.compiled import module_of_pattern
from tests.emit.dense import Tensor, compiled, draw

N, HIDDEN = 40, 8
PLACES = torch.arange(N)
FIRST = PLACES < HIDDEN
# Of all these the first 8 rows of 40 see no keys.
PATTERNS = {
    "rows": "local(9) & rows([8:])",
    "rows by head": "heads 2\nlocal(9) & rows([8 + head:])",
    "a window that looks back": "local(left=20, right=-8)",
    "a run-time set": "local(9) & rows(valid)",
    "a scattered set": "local(left=12, right=3) & rows([8, 9, 11, 17, 20:38])",
    "labels": "causal & same(doc)",
    "labels of blocks": "blocks(4) { same(parts) }",
    "integers": "where(doc[i] >= 0 and doc[j] <= doc[i])",
    "a bound": "before(bound)",
    "labels or a set": "(same(doc) & local(9)) + (columns([:3]) & rows(valid))",
    "lists": "listed(plan)",
    "residues": "where((i + j) % 7 == 0 and i >= 8)",
    "pairs alone": "where(i - 7 > (i + j) % 5 * 0 + (i + j) // 1000)",
    "no key is in the set": "full & columns(nothing)",
    "classes": "local(left=12, dilation=3) & rows([8:])",
    "several passes": "mix(local(8) & rows([8:]), columns([:28]) & rows(valid))",
    "softcap": "(local(9) & rows([8:])) with softcap(5)",
    "relative": "(local(9) & rows([8:])) with relative(4) with softcap(3)",
    "relative by products": "(local(9) & rows([8:])) with xl_relative",
    "relative of labels": "(causal & same(doc)) with relative(4)",
    "buckets": "listed(plan) with t5(8, 16, name=s)",
    "a bias": "(local(9) & rows(valid)) with bias(b)",
    "distances": "(local(9) & rows([8:])) with distance_aware",
    "labels of two sequences": "same(doc) on encoder",
}
TABLES = {
    "xl_u": torch.linspace(-1, 1, 32).view(2, 16).double(),
    "xl_v": torch.linspace(1, -1, 32).view(2, 16).double(),
    "xl_r": torch.linspace(-1, 1, N * 32).view(N, 2, 16).double(),
    "doc": torch.where(FIRST, -1, PLACES // 9),
    "doc_encoder": torch.arange(12) // 3,
    "parts": torch.where(FIRST, -1, PLACES // 9)[::4],
    "bound": torch.where(FIRST, 0, PLACES // 2),
    "valid": ~FIRST,
    "nothing": torch.zeros(N, dtype=torch.bool),
    "plan": torch.where(FIRST[:, None], -1, PLACES[:, None] * torch.tensor([3, 5]) % N),
    "relative_keys": torch.linspace(-1, 1, 9 * 16).view(9, 16).double(),
    "s": torch.linspace(-1, 1, 8 * 2).view(8, 2).double(),
    "b": torch.linspace(-1, 1, 2 * N * N).view(2, N, N).double(),
    "distance_alpha": torch.tensor([0.5, 0.3]).double(),
    "distance_beta": torch.tensor([0.2, 0.4]).double(),
}
SLOTS = ("encoder_kv",)
WAYS = [
    ("reference", torch.float64, 1e-12),
    ("cpu", torch.float64, 1e-9),
    ("triton", torch.float32, 5e-5),
]


def given_to(module: ModuleType, dtype: torch.dtype) -> dict[str, object]:
    given: dict[str, object] = {}
    for name, value in TABLES.items():
        if name in module.INPUTS:
            learned = value.is_floating_point()
            given[name] = value.to(dtype, copy=True).requires_grad_() if learned else value
    torch.manual_seed(7)
    for name in SLOTS:
        if name in module.INPUTS:
            given[name] = draw(1, 2, 12, 16).to(dtype), draw(1, 2, 12, 16).to(dtype)
    return given


def leaves_of(given: dict[str, object]) -> list[Tensor]:
    flat = [x for value in given.values() for x in (value if isinstance(value, tuple) else [value])]
    return [x for x in flat if isinstance(x, torch.Tensor) and x.is_floating_point()]


def graded(
    module: ModuleType, parts: list[Tensor], dtype: torch.dtype, backend: str, dropout: float = 0.0
) -> list[Tensor]:
    """The output, and the gradients of q, k, v and all other inputs."""
    *inputs, d_out = (part.to(dtype, copy=True) for part in parts)
    given = given_to(module, dtype)
    leaves = [*inputs, *leaves_of(given)]
    for leaf in leaves:
        leaf.requires_grad_()
    out = module.attention(*inputs, backend=backend, dropout=dropout, seed=1, **given)
    found = torch.autograd.grad(out, leaves, d_out, allow_unused=True)
    return [out, *(torch.zeros(()) if part is None else part for part in found)]


def drawn(queries: int = N) -> list[Tensor]:
    """Queries, keys, values, and the gradient of the output."""
    torch.manual_seed(queries)
    return [draw(1, 2, rows, 16) for rows in (queries, N, N, queries)]


def assert_equal(found: list[Tensor], wanted: list[Tensor], bound: float) -> None:
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other.double(), rtol=bound, atol=bound)


@pytest.mark.parametrize("name", PATTERNS)
def test_rows_without_keys_change_no_gradient(name: str) -> None:
    module, parts = compiled(f"allow empty\n{PATTERNS[name]}"), drawn()
    wanted = graded(module, parts, torch.float64, "reference")
    assert (wanted[0][:, :, :HIDDEN] == 0).all()
    for place, odd in ((0, torch.nan), (3, torch.inf)):
        parts[place][:, :, :HIDDEN] = odd
    for backend, dtype, bound in WAYS:
        assert_equal(graded(module, parts, dtype, backend), wanted, bound)


@pytest.mark.parametrize("name", ["rows", "labels", "lists", "relative"])
def test_rows_without_keys_change_no_gradient_under_dropout(name: str) -> None:
    module, parts = compiled(f"allow empty\n{PATTERNS[name]}"), drawn()
    wanted = graded(module, parts, torch.float64, "reference", 0.3)
    parts[0][:, :, :HIDDEN], parts[3][:, :, :HIDDEN] = torch.nan, torch.nan
    for backend, dtype, bound in WAYS:
        assert_equal(graded(module, parts, dtype, backend, 0.3), wanted, bound)


@pytest.mark.parametrize("backend", ["reference", "cpu", "triton"])
def test_queries_before_the_first_position_change_no_gradient(backend: str) -> None:
    """More queries than keys: the first are at negative positions and see nothing."""
    module, parts = compiled("allow empty\ncausal"), drawn(N + 8)
    wanted = graded(module, parts, torch.float64, "reference")
    parts[0][:, :, :8], parts[3][:, :, :8] = torch.nan, torch.nan
    bound = 5e-5 if backend == "triton" else 1e-9
    assert_equal(graded(module, parts, torch.float32, backend), wanted, max(bound, 5e-5))


def test_a_row_without_keys_in_one_pass_brings_no_nan_to_the_keys_of_that_pass() -> None:
    """Another pass of the softmax shows it a key: the gradients of that key are NaN."""
    module, parts = compiled("mix(local(8) & rows([8:]), columns([0]))"), drawn()
    wanted = graded(module, parts, torch.float64, "reference")
    parts[0][:, :, :HIDDEN], parts[3][:, :, :HIDDEN] = torch.nan, torch.nan
    tile = module.KEY_TILE
    for backend, dtype, bound in WAYS[1:]:
        found = graded(module, parts, dtype, backend)
        for part in (2, 3):
            one, other = found[part][:, :, tile:].double(), wanted[part][:, :, tile:]
            torch.testing.assert_close(one, other, rtol=bound, atol=bound)


@pytest.mark.parametrize("backend", ["cpu", "triton"])
@pytest.mark.parametrize("place", [0, 3])
@pytest.mark.parametrize(
    "text", ["local(9)", "strided(7)", "listed(plan)", "local(9) with relative(4) with softcap(3)"]
)
def test_an_odd_row_reaches_the_keys_that_it_sees_alone(
    text: str, place: int, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In strict kernels, as other rows of a partial tile see other keys."""
    module, parts, row = compiled(text), drawn(), 20
    monkeypatch.setattr(module, "STRICT_KEYS", True)
    given = {name: TABLES[name] for name in ("plan",) if name in module.INPUTS}
    seen = module.mask(N, **given)[0][row]
    wanted = graded(module, parts, torch.float64, "reference")
    parts[place][:, :, row] = torch.nan
    found = graded(module, parts, torch.float32, backend)
    for part in (2, 3):
        one, other = found[part].double(), wanted[part]
        torch.testing.assert_close(one[:, :, ~seen], other[:, :, ~seen], rtol=5e-5, atol=5e-5)
        assert one[:, :, seen].isnan().all()


@pytest.mark.parametrize(("backend", "dtype", "bound"), WAYS)
def test_rows_of_a_stream_without_keys_change_no_gradient(
    backend: str, dtype: torch.dtype, bound: float
) -> None:
    text = "allow empty\nlocal(1) + full on stream(g, 12)\n\nrows g\nsame(sentence)"
    module = module_of_pattern(Pattern.parse(text))
    labels = {"sentence": PLACES // 9, "sentence_g": torch.arange(12) % 6 - 2}
    torch.manual_seed(3)
    q, k, v, d_out = (draw(1, 2, rows, 16).to(dtype) for rows in (12, N, N, 12))
    given = {"g_kv": (draw(1, 2, 12, 16).to(dtype),) * 2, **labels}
    found = []
    for odd in (0.0, torch.nan):
        q[:, :, labels["sentence_g"] < 0] = d_out[:, :, labels["sentence_g"] < 0] = odd
        leaves = [part.clone().requires_grad_() for part in (q, k, v)]
        out = module.attention(*leaves, rows="g", backend=backend, **given)
        found.append(torch.autograd.grad(out, leaves, d_out))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=bound, atol=bound)


def test_full_tiles_ask_nothing_of_rows() -> None:
    source = Path(str(compiled("full").__file__)).read_text()
    assert "_sees_" not in source
    assert "limit = " not in source
